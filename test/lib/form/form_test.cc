#include <doctest/doctest.h>

#include <vector>

#include "form/multipart.h"
#include "form/urlencoded.h"

namespace {

// Writes down what it is told: "name[file](type)=data;".
struct Recorder : form::PartHandler {
  core::Result<void> part_begin(const form::PartHeader& header) override {
    text += header.name + (header.is_file ? "[" + header.file_name + "]" : "") + (header.content_type.empty() ? "" : "(" + header.content_type + ")") + "=";
    return {};
  }
  core::Result<void> part_data(std::span<const std::byte> bytes) override {
    text.append(static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
    return {};
  }
  core::Result<void> part_end() override {
    text += ";";
    return {};
  }
  std::string text;
};

// What comes of a body, in blocks of that many bytes; "error: …" for an error.
std::string parsed(const std::string& body, std::size_t block = 1 << 20, form::MultipartLimits limits = {}) {
  Recorder recorder;
  form::MultipartParser parser("x", limits, recorder);
  for (std::size_t i = 0; i < body.size(); i += block)
    if (const auto done = parser.feed(std::as_bytes(std::span(body)).subspan(i, std::min(block, body.size() - i))); !done)
      return "error: " + std::string(core::name(done.error().code)) + " " + done.error().hint;
  if (const auto done = parser.finish(); !done) return "error: " + std::string(core::name(done.error().code)) + " " + done.error().hint;
  return recorder.text;
}

// The same whatever the blocks.
std::string everywhere(const std::string& body) {
  const auto whole = parsed(body);
  for (std::size_t block = 1; block < 40; ++block) CHECK(parsed(body, block) == whole);
  return whole;
}

std::string part(const std::string& disposition, const std::string& data) { return "--x\r\nContent-Disposition: " + disposition + "\r\n\r\n" + data + "\r\n"; }

bool is_error(const std::string& text, const std::string& what) { return text.rfind("error: ", 0) == 0 && text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("fields and files in any order, in blocks of any size") {
  const auto body = part("form-data; name=\"Media\"; filename=\"a.pdf\"", "%PDF\r\n--y\r\n-\r\n") + part("form-data; name=FaxSid", "FX1") + "--x--\r\nepilogue";
  CHECK(everywhere(body) == "Media[a.pdf]=%PDF\r\n--y\r\n-\r\n;FaxSid=FX1;");
}

TEST_CASE("data that begins or ends with line ends, and empty parts") {
  CHECK(everywhere(part("form-data; name=a", "\r\n\r\nb\r\n") + "--x--") == "a=\r\n\r\nb\r\n;");
  CHECK(everywhere(part("form-data; name=a", "") + part("form-data; name=b; filename=\"\"", "") + "--x--\r\n") == "a=;b[]=;");
  CHECK(everywhere("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x--\r\n") == "a=;");
  CHECK(everywhere("preamble\r\n" + part("form-data; name=a", "1") + "--x  \r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--x--") == "a=1;b=2;");
}

TEST_CASE("names and file names as browsers and others write them") {
  CHECK(parsed(part("form-data; filename=\"C:\\\\scans\\\\a.pdf\"; name=\"file\"", "1") + "--x--") == "file[a.pdf]=1;");
  CHECK(parsed(part("form-data; name=\"file\"; filename=\"../../etc/passwd\"", "1") + "--x--") == "file[passwd]=1;");
  CHECK(parsed(part("form-data; name=\"a\\\"b\"; filename=\"q\\\"r.pdf\"", "1") + "--x--") == "a\"b[q\"r.pdf]=1;");
  CHECK(parsed(part("form-data; name=f; filename=\"x.pdf\"; filename*=UTF-8''%C3%BC%20.pdf", "1") + "--x--") == "f[ü .pdf]=1;");
  CHECK(parsed(part("FORM-DATA; NAME=f; FileName=\"bad\xff.pdf\"", "1") + "--x--") == "f[bad\xef\xbf\xbd.pdf]=1;");
  CHECK(parsed("--x\r\ncontent-type: application/pdf\r\nCONTENT-DISPOSITION: form-data;\r\n name=f\r\n\r\n1\r\n--x--") == "f(application/pdf)=1;");
}

TEST_CASE("what is malformed gets a clear answer: the header that begins with a blank first of all") {
  CHECK(is_error(everywhere("--x\r\n Content-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n"), "bad_request"));
  CHECK(is_error(everywhere("--x\r\nno colon\r\n\r\nb\r\n--x--\r\n"), "no colon"));
  CHECK(is_error(everywhere("--x\r\nContent-Type: a/b\r\n\r\nb\r\n--x--\r\n"), "no name"));
  CHECK(is_error(everywhere("--x\r\nContent-Disposition: attachment; name=a\r\n\r\nb\r\n--x--\r\n"), "no name"));
  CHECK(is_error(everywhere("--x\r\n\r\nb\r\n--x--\r\n"), "no name"));
  CHECK(is_error(everywhere(part("form-data; name=a", "b")), "cut off"));
  CHECK(is_error(everywhere("--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb"), "cut off"));
  CHECK(is_error(everywhere(""), "no parts"));
  CHECK(is_error(everywhere("--x"), "cut off"));
  CHECK(is_error(parsed(std::string(100'000, '\n')), "boundary"));
  CHECK(is_error(everywhere("--xy\r\n\r\n"), "boundary"));
  CHECK(is_error(parsed("--x\nContent-Disposition: form-data; name=a\n\nb\n--x--\n"), "bad_request"));
  CHECK(is_error(parsed("--x\r\n" + std::string(20'000, 'a')), "too long"));
}

TEST_CASE("limits: parts, text, files") {
  std::string many;
  for (int i = 0; i < 101; ++i) many += part("form-data; name=a", "b");
  CHECK(is_error(parsed(many + "--x--"), "too many parts"));
  CHECK(is_error(parsed(part("form-data; name=a", std::string(70'000, 'b')) + "--x--"), "text field"));
  form::MultipartLimits limits;
  limits.file_bytes = 3 * 1024 * 1024;
  const auto file = [](std::size_t size) { return part("form-data; name=f; filename=a", std::string(size, 'b')) + "--x--"; };
  CHECK(parsed(file(3 * 1024 * 1024), 65536, limits).size() > 3 * 1024 * 1024);
  CHECK(is_error(parsed(file(3 * 1024 * 1024 + 1), 65536, limits), "too_large The file is too large: this line takes up to 3 MB."));
}

TEST_CASE("boundaries") {
  CHECK(form::boundary_of("multipart/form-data; boundary=abc").value() == "abc");
  CHECK(form::boundary_of("Multipart/Form-Data; charset=x; BOUNDARY=\"a b'c\"").value() == "a b'c");
  CHECK(form::boundary_of("text/plain").error().code == core::Code::unsupported);
  for (const auto* bad : {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a\tb"}) CHECK(form::boundary_of(bad).error().code == core::Code::bad_request);
  CHECK_FALSE(form::boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')));
}

TEST_CASE("urlencoded: decoded, in order, repeated names kept") {
  const auto fields = form::parse_urlencoded("a=1&b=x+y%21&a=2&c&=d&&e=%C3%BC").value();
  CHECK(fields == form::Fields{{"a", "1"}, {"b", "x y!"}, {"a", "2"}, {"c", ""}, {"", "d"}, {"e", "ü"}});
  CHECK(form::first(fields, "a") == "1");
  CHECK_FALSE(form::first(fields, "z"));
  for (const auto* bad : {"a=%", "a=%zz", "%4=1", "a=%00"}) CHECK(form::parse_urlencoded(bad).error().code == core::Code::bad_request);
  CHECK(form::parse_urlencoded(std::string(65537, 'a')).error().code == core::Code::too_large);
  std::string many;
  for (int i = 0; i < 201; ++i) many += "a=1&";
  CHECK_FALSE(form::parse_urlencoded(many));
}

TEST_CASE("cookies") {
  CHECK(form::cookie("a=1; __Host-faxline=xyz=; b=2", "__Host-faxline") == "xyz=");
  CHECK_FALSE(form::cookie("a__Host-faxline=1; nonsense; =x", "__Host-faxline"));
  CHECK_FALSE(form::cookie("", "a"));
}
