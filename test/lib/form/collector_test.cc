#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "form/collector.h"

using core::Code;

namespace {

class Files final : public form::FileHandler {
 public:
  core::Result<void> file_begin(const form::PartHeader& header) override {
    told.push_back("begin " + header.name + " " + header.file_name.value_or("(none)"));
    return full ? core::Result<void>(core::Error{.code = Code::no_space, .text = "full"}) : core::Result<void>();
  }
  core::Result<void> file_data(std::span<const std::byte> bytes) override {
    told.push_back(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return {};
  }
  core::Result<void> file_end() override {
    told.push_back("end");
    return {};
  }
  std::vector<std::string> told;
  bool full = false;
};

std::string part(std::string_view parameters, std::string_view data) {
  return "--b\r\nContent-Disposition: form-data; " + std::string(parameters) + "\r\n\r\n" + std::string(data) + "\r\n";
}

core::Result<void> parse(const std::string& body, form::TextPartCollector& collector) {
  form::MultipartParser parser("b", {.max_file_bytes = 100}, collector);
  CORE_CHECK(parser.feed(body));
  return parser.finish();
}

}  // namespace

TEST_CASE("text becomes fields, files are passed on, an input left empty is passed over") {
  Files files;
  form::TextPartCollector collector(files);
  REQUIRE(parse(part("name=to", "1") + part("name=file; filename=\"\"", "") + part("name=file; filename=a.pdf", "%PDF") + part("name=to", "2") +
                    part("name=file; filename=empty.pdf", "") + part("name=file; filename=\"\"", "nameless") + "--b--",
                collector));
  CHECK(collector.fields().all("to") == std::vector<std::string_view>{"1", "2"});
  CHECK(collector.fields().size() == 2);
  CHECK(files.told == std::vector<std::string>{"begin file a.pdf", "%PDF", "end", "begin file empty.pdf", "end", "begin file ", "nameless", "end"});
}

TEST_CASE("a part that was cut off is no field, and its file has no end") {
  Files files;
  form::TextPartCollector collector(files);
  CHECK_FALSE(parse(part("name=a", "1") + "--b\r\nContent-Disposition: form-data; name=c\r\n\r\nhal", collector));
  CHECK(collector.fields().size() == 1);
  CHECK_FALSE(parse("--b\r\nContent-Disposition: form-data; name=c; filename=f\r\n\r\nhal", collector));
  CHECK(files.told == std::vector<std::string>{"begin c f", "hal"});
}

TEST_CASE("NUL in text, and the file handler's refusal") {
  const std::string body = part("name=a", std::string_view("x\0y", 3)) + "--b--";
  Files files;
  form::TextPartCollector strict(files);
  CHECK(parse(body, strict).error().code == Code::bad_request);
  form::TextPartCollector patient(files, form::Nul::keep);
  REQUIRE(parse(body, patient));
  CHECK(patient.fields().first("a") == std::string_view("x\0y", 3));
  files.full = true;
  CHECK(parse(part("name=a; filename=f", "x") + "--b--", patient).error().code == Code::no_space);
}
