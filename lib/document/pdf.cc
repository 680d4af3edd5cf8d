#include "document/pdf.h"

#include <array>
#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"
#include "process/box.h"

namespace document {

namespace {

constexpr std::string_view kQpdf = "/usr/bin/qpdf";
constexpr std::size_t kHeaderWithin = 1024;  // where readers look for it
constexpr off_t kListingBytes = 16 << 20;    // of --show-pages: more pages than anybody faxes

core::Error refuse(std::string_view cause, std::string_view reason, std::string_view hint) {
  return {core::Code::invalid, "document: " + std::string(reason), std::string(hint), std::string(cause)};
}

core::Error damaged(std::string_view reason) { return refuse("document_damaged", reason, "The document is damaged and cannot be read."); }

core::Result<process::Outcome> qpdf(std::vector<std::string> arguments, const std::vector<int>& files, int output_fd = -1) {
  arguments.insert(arguments.begin(), std::string(kQpdf));
  CORE_TRY(outcome, process::run_in_box({std::move(arguments), {}, files, output_fd}));
  if (outcome.timed_out || outcome.signal != 0 || outcome.exit_status > 128 || outcome.error_output.find("bad_alloc") != std::string::npos)
    return refuse("document_too_complex", "qpdf ran out of time or memory", "The document takes too long or too much memory to be read.");
  if (outcome.error_output.find("No such file") != std::string::npos && outcome.exit_status == 1)
    return core::Error{core::Code::unavailable, "qpdf is not installed", "Documents cannot be looked at: the administrator should install qpdf."};
  return outcome;
}

core::Result<void> check_header(int fd) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) return core::errno_error("fstat", "document", errno);
  if (!S_ISREG(about.st_mode)) return core::Error{core::Code::internal, "document: not a regular file"};
  if (about.st_size == 0) return refuse("document_empty", "no bytes", "The document is empty.");
  std::array<char, kHeaderWithin> head{};
  const ssize_t count = ::pread(fd, head.data(), head.size(), 0);
  if (count < 0) return core::errno_error("read", "document", errno);
  if (std::string_view(head.data(), static_cast<std::size_t>(count)).find("%PDF-") == std::string_view::npos)
    return refuse("document_unsupported", "no PDF header", "The document is no PDF.");
  return {};
}

// The pages of what --show-pages wrote: "page 1: 3 0 R" and so on, each with lines about it.
core::Result<std::int64_t> count_pages(int listing) {
  struct stat about{};
  if (::fstat(listing, &about) != 0) return core::errno_error("fstat", "list of pages", errno);
  if (about.st_size > kListingBytes) return refuse("document_too_complex", "the list of pages has no end", "The document has too many pages to be read.");
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::pread(listing, text.data(), text.size(), 0) != about.st_size) return core::errno_error("read", "list of pages", errno);
  std::int64_t pages = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::string next = "page " + std::to_string(pages + 1) + ": ";
    if (text.compare(at, next.size(), next) == 0) ++pages;
    const auto end = text.find('\n', at);
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return pages;
}

}  // namespace

core::Result<Pdf> examine_pdf(int fd) {
  CORE_CHECK(check_header(fd));
  // Exit codes of qpdf 11: 0 fine, 3 with warnings, 2 errors; of --requires-password 0: one is needed.
  CORE_TRY(locked, qpdf({"--requires-password", "/work/0"}, {fd}));
  if (locked.exit_status == 0) return refuse("document_encrypted", "needs a password", "The document is protected by a password.");
  // Not --show-npages: it says what the document claims (/Count), which may be anything, and looks at no page. --check
  // reads each page's content: one that cannot be unpacked would be faxed as a white page.
  const core::UniqueFd listing(::memfd_create("pages", MFD_CLOEXEC));
  if (!listing.valid()) return core::errno_error("create", "list of pages", errno);
  CORE_TRY(counted, qpdf({"--check", "--show-pages", "/work/0"}, {fd}, listing.get()));
  if (counted.exit_status != 0 && counted.exit_status != 3) return damaged("qpdf: " + counted.error_output.substr(0, 200));
  CORE_TRY(pages, count_pages(listing.get()));
  if (pages < 1) return refuse("document_empty", "no pages", "The document has no pages.");
  return Pdf{pages, counted.exit_status == 3 ? "The document is slightly damaged; what can be read is sent." : ""};
}

core::Result<void> join_pdfs(const std::vector<int>& fds, int output_fd) {
  std::vector<std::string> arguments{"--empty", "--pages"};
  for (std::size_t i = 0; i < fds.size(); ++i) arguments.push_back("/work/" + std::to_string(i));
  arguments.insert(arguments.end(), {"--", "-"});
  CORE_TRY(joined, qpdf(arguments, fds, output_fd));
  if (joined.exit_status != 0 && joined.exit_status != 3) return damaged("qpdf: " + joined.error_output.substr(0, 200));
  struct stat about{};
  if (::fstat(output_fd, &about) != 0) return core::errno_error("fstat", "joined document", errno);
  if (about.st_size == 0) return damaged("qpdf wrote nothing");
  return {};
}

}  // namespace document
