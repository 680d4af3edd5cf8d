#include "document/pdf.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "core/fd.h"
#include "process/run.h"

namespace {

// A PDF of so many pages, written by hand; its cross-reference is left to the reader to build if `broken`.
std::string pdf(int pages, bool broken = false) {
  std::string text = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count " + std::to_string(pages) + " /Kids [";
  for (int i = 0; i < pages; ++i) text += std::to_string(3 + i) + " 0 R ";
  text += "] >>\nendobj\n";
  for (int i = 0; i < pages; ++i) text += std::to_string(3 + i) + " 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>\nendobj\n";
  return text + (broken ? "" : "trailer\n<< /Root 1 0 R /Size " + std::to_string(pages + 3) + " >>\nstartxref\n0\n%%EOF\n");
}

struct File {
  explicit File(const std::string& content, const std::string& name = "a") : path(folder() + "/" + name) {
    std::ofstream(path) << content;
    fd = core::open_file(path, O_RDWR).value();
  }
  static std::string folder() {
    static const std::string made = [] {
      char name[] = "/tmp/document-test-XXXXXX";
      return std::string(::mkdtemp(name));
    }();
    return made;
  }
  std::string path;
  core::UniqueFd fd;
};

std::string cause(const std::string& content) {
  const File file(content);
  const auto found = document::examine_pdf(file.fd.get());
  return found ? "fine, " + std::to_string(found->pages) + (found->warning.empty() ? "" : ", warned") : found.error().field;
}

}  // namespace

TEST_CASE("what a file is, by what is in it") {
  CHECK(cause(pdf(3)).substr(0, 7) == "fine, 3");
  CHECK(cause("") == "document_empty");
  CHECK(cause("<!doctype html><script>alert(1)</script>") == "document_unsupported");
  CHECK(cause("%PDF-1.4\n" + std::string(500, '\0')) == "document_damaged");
  CHECK(cause(pdf(0)) == "document_empty");
  CHECK(cause(pdf(2, true)) == "document_damaged");
  CHECK(cause("#!/bin/sh\n" + pdf(1)).substr(0, 7) == "fine, 1");
}

TEST_CASE("what a document claims of itself is not believed") {
  const std::string page = "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n";
  const auto made = [&](const std::string& tree, const std::string& content) {
    return "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages " + tree + " >>\nendobj\n" + page + "4 0 obj\n<< /Length " +
           std::to_string(content.size()) + " /Filter /FlateDecode >>\nstream\n" + content + "\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 5 >>\nstartxref\n0\n%%EOF\n";
  };
  const std::string nothing("\x78\x9c\x03\x00\x00\x00\x00\x01", 8);  // zlib's packing of no bytes
  CHECK(cause(made("/Kids [3 0 R] /Count 1", nothing)).substr(0, 7) == "fine, 1");
  CHECK(cause(made("/Kids [3 0 R] /Count 1000000", nothing)) == "fine, 1, warned");
  // A page that cannot be unpacked would be faxed white.
  CHECK(cause(made("/Kids [3 0 R] /Count 1", "\x78\xDA\xFF\xFF\xFF\xFF")) == "document_damaged");
  // A page tree that bites its tail.
  CHECK(cause(made("/Kids [2 0 R] /Count 1", nothing)) == "document_damaged");
}

TEST_CASE("many pages are all counted") { CHECK(cause(pdf(3000)).substr(0, 10) == "fine, 3000"); }

TEST_CASE("a password that is needed is told from one that is not") {
  const File plain(pdf(2), "plain");
  for (const auto& [user, expected] : {std::pair{"secret", "document_encrypted"}, {"", "fine"}}) {
    const std::string locked = File::folder() + "/locked";
    REQUIRE(process::run({{"/usr/bin/qpdf", "--warning-exit-0", "--encrypt", user, "owner", "256", "--", plain.path, locked}, {}, {}, {}, -1, 1000})->exit_status == 0);
    const auto file = core::open_file(locked, O_RDONLY).value();
    const auto found = document::examine_pdf(file.get());
    CHECK((found ? "fine" : found.error().field) == expected);
  }
}

TEST_CASE("several are joined in order") {
  const File one(pdf(2), "one");
  const File two(pdf(3), "two");
  const File out("", "out");
  REQUIRE(document::join_pdfs({one.fd.get(), two.fd.get()}, out.fd.get()));
  CHECK(document::examine_pdf(out.fd.get())->pages == 5);
  const File bad("nonsense", "bad");
  CHECK(document::join_pdfs({one.fd.get(), bad.fd.get()}, out.fd.get()).error().field == "document_damaged");
  std::filesystem::remove_all(File::folder());
}
