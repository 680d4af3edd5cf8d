#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "form/multipart.h"
#include "recorder.h"

using core::Code;

namespace {

constexpr form::MultipartLimits kLimits{.max_file_bytes = 1 << 20};

// "|" stands for CR LF.
std::string crlf(std::string_view text) {
  std::string lines;
  for (const char byte : text) lines += byte == '|' ? std::string("\r\n") : std::string(1, byte);
  return lines;
}

core::Result<void> parse(std::string_view body, Recorder& recorder, std::size_t block, form::MultipartLimits limits = kLimits) {
  form::MultipartParser parser("b", limits, recorder);
  for (std::size_t at = 0; at < body.size(); at += block) CORE_CHECK(parser.feed(body.substr(at, block)));
  return parser.finish();
}

// The parts of a sound body, after each size of block gave the same ones.
std::vector<Part> parts_of(std::string_view body) {
  std::vector<Part> first;
  for (std::size_t block = 1; block <= body.size() + 1; ++block) {
    CAPTURE(block);
    Recorder recorder;
    const auto done = parse(body, recorder, block);
    REQUIRE_MESSAGE(done, body << ": " << (done ? "" : done.error().text));
    REQUIRE_FALSE(recorder.misused);
    if (block == 1) first = recorder.parts;
    REQUIRE(recorder.parts.size() == first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      REQUIRE(recorder.parts[i].ended);
      REQUIRE(recorder.parts[i].data == first[i].data);
    }
  }
  return first;
}

// The error of a malformed body, the same for each size of block.
core::Error error_of(std::string_view body, form::MultipartLimits limits = kLimits) {
  core::Error error;
  for (std::size_t block = 1; block <= body.size() + 1; block = block < 8 ? block + 1 : block * 2) {
    Recorder recorder;
    const auto done = parse(body, recorder, block, limits);
    REQUIRE_FALSE_MESSAGE(done, body);
    CHECK_FALSE(recorder.misused);
    CHECK_FALSE(done.error().hint.empty());
    if (block > 1) CHECK(done.error().text == error.text);
    error = done.error();
  }
  return error;
}

std::string part(std::string_view header, std::string_view data) { return crlf("--b|" + std::string(header) + "||") + std::string(data) + "\r\n"; }
std::string form_part(std::string_view parameters, std::string_view data = "x") { return part("Content-Disposition: form-data; " + std::string(parameters), data); }

}  // namespace

TEST_CASE("boundary_of: quoted or not, 1 to 70 characters") {
  const std::string longest(70, 'x');
  const struct {
    std::string content_type, want;
  } table[] = {
      {"multipart/form-data; boundary=abc", "abc"},
      {"Multipart/Form-Data;BOUNDARY=abc", "abc"},
      {"multipart/form-data; boundary=\"abc\"", "abc"},
      {"multipart/form-data; boundary=\"a b:c\"", "a b:c"},
      {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
      {"multipart/form-data; boundary=----=_Part_1_23.45", "----=_Part_1_23.45"},
      {"multipart/form-data; charset=utf-8; boundary=abc ; x=y", "abc"},
      {"multipart/form-data;; boundary=abc;", "abc"},
      {"multipart/form-data; boundary=" + longest, longest},
  };
  for (const auto& row : table) {
    CAPTURE(row.content_type);
    const auto boundary = form::boundary_of(row.content_type);
    REQUIRE(boundary);
    CHECK(*boundary == row.want);
  }
  for (const std::string& content_type :
       {std::string(), std::string("multipart/form-data"), std::string("multipart/form-data; boundary="), std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary"), std::string("multipart/form-data; boundary=\"abc"), std::string("multipart/form-data; boundary=\"a\"b"),
        std::string("multipart/form-data; boundary=a; boundary=b"), std::string("multipart/form-data; boundary=\"a \""), std::string("multipart/form-data; boundary=a<b"),
        std::string("multipart/form-data; boundary=a\r\nb"), "multipart/form-data; boundary=" + longest + "x", std::string("multipart/mixed; boundary=a"),
        std::string("application/x-www-form-urlencoded"), std::string("multipart/form-data-x; boundary=a"), std::string("x multipart/form-data; boundary=a")}) {
    CAPTURE(content_type);
    const auto boundary = form::boundary_of(content_type);
    REQUIRE_FALSE(boundary);
    CHECK(boundary.error().code == Code::bad_request);
    CHECK_FALSE(boundary.error().hint.empty());
  }
}

TEST_CASE("text and files, in any order, in blocks of any size") {
  const auto parts = parts_of(part("Content-Disposition: form-data; name=\"Media\"; filename=\"fax.pdf\"|Content-Type: application/pdf", "%PDF\r\n\r\n--\r\n--a") +
                              form_part("name=\"FaxSid\"", "FX1") + form_part("name=\"to\"", "") + crlf("--b--|"));
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].header.name == "Media");
  CHECK(parts[0].header.file_name == "fax.pdf");
  CHECK(parts[0].header.content_type == "application/pdf");
  CHECK(parts[0].header.is_file);
  CHECK(parts[0].data == "%PDF\r\n\r\n--\r\n--a");
  CHECK(parts[1].header.name == "FaxSid");
  CHECK_FALSE(parts[1].header.file_name);
  CHECK(parts[1].header.content_type == "text/plain");
  CHECK_FALSE(parts[1].header.is_file);
  CHECK(parts[1].data == "FX1");
  CHECK(parts[2].data.empty());
}

TEST_CASE("headers as they are really sent") {
  const struct {
    std::string_view label, header, name;
    std::optional<std::string> file_name;
  } table[] = {
      {"quoted", "Content-Disposition: form-data; name=\"a\"; filename=\"f.pdf\"", "a", "f.pdf"},
      {"file name first", "Content-Disposition: form-data; filename=\"f.pdf\"; name=\"a\"", "a", "f.pdf"},
      {"unquoted", "Content-Disposition: form-data; name=a; filename=my f.pdf", "a", "my f.pdf"},
      {"lower case, no blanks", "content-disposition:form-data;name=\"a\";filename=\"f.pdf\"", "a", "f.pdf"},
      {"blanks everywhere", "Content-Disposition: \t form-data ; name = \"a\" ; filename= f.pdf ;", "a", "f.pdf"},
      {"folded", "Content-Disposition: form-data;|\tname=\"a\";| filename=\"f.pdf\"", "a", "f.pdf"},
      {"another header before", "X-Y: z|Content-Disposition: form-data; name=a", "a", std::nullopt},
      {"escaped quote", R"(Content-Disposition: form-data; name="a\"b"; filename="x\"y.pdf")", "a\"b", "x\"y.pdf"},
      {"browser's quote", R"(Content-Disposition: form-data; name="a%22b"; filename="x%22y%20%.pdf")", "a\"b", "x\"y%20%.pdf"},
      {"semicolon inside", R"(Content-Disposition: form-data; name="a;b"; filename="x;name=c.pdf")", "a;b", "x;name=c.pdf"},
      {"old browser's path", R"(Content-Disposition: form-data; name="a"; filename="C:\My\fax.pdf")", "a", "fax.pdf"},
      {"path that climbs", R"(Content-Disposition: form-data; name="a"; filename="../../etc/passwd")", "a", "passwd"},
      {"only dots", R"(Content-Disposition: form-data; name="a"; filename="x/..")", "a", ""},
      {"extended wins", "Content-Disposition: form-data; name=a; filename=old.pdf; filename*=UTF-8''M%C3%BCller.pdf", "a", "M\xc3\xbcller.pdf"},
      {"extended first", "Content-Disposition: form-data; filename*=utf-8'de'M%C3%BCller.pdf; filename=\"old.pdf\"; name=a", "a", "M\xc3\xbcller.pdf"},
      {"extended in Latin-1", "Content-Disposition: form-data; name=a; filename*=ISO-8859-1''M%FCller.pdf", "a", "M\xc3\xbcller.pdf"},
      {"extended, path", "Content-Disposition: form-data; name=a; filename*=UTF-8''..%2f..%5Cx.pdf", "a", "x.pdf"},
      {"extended, unknown charset", "Content-Disposition: form-data; name=a; filename=f.pdf; filename*=KOI8-R''%C1", "a", "f.pdf"},
      {"extended, broken", "Content-Disposition: form-data; name=a; filename=f.pdf; filename*=UTF-8''%4", "a", "f.pdf"},
      {"extended, broken and alone", "Content-Disposition: form-data; name=a; filename*=nonsense", "a", ""},
      {"raw UTF-8", "Content-Disposition: form-data; name=a; filename=\"M\xc3\xbcller.pdf\"", "a", "M\xc3\xbcller.pdf"},
      {"raw Latin-1", "Content-Disposition: form-data; name=a; filename=\"M\xfcller.pdf\"", "a", "M\xef\xbf\xbdller.pdf"},
      {"control characters", "Content-Disposition: form-data; name=a; filename=\"a\x01\x1b[31m\x7f%0D%0ASubject: x\xc2\x85.pdf\"", "a", "a[31mSubject: x.pdf"},
      {"text turned round", "Content-Disposition: form-data; name=a; filename=\"fax\xe2\x80\xae" "fdp.exe\"", "a", "faxfdp.exe"},
      {"allowed encoding", "Content-Disposition: form-data; name=a|Content-Transfer-Encoding: Binary", "a", std::nullopt},
  };
  for (const auto& row : table) {
    CAPTURE(row.label);
    const auto parts = parts_of(part(row.header, "x") + "--b--");
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].header.name == row.name);
    CHECK(parts[0].header.file_name == row.file_name);
    CHECK(parts[0].header.is_file == row.file_name.has_value());
    CHECK(parts[0].data == "x");
  }
}

TEST_CASE("a long file name keeps its extension and whole characters") {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "\xc3\xbc";
  const auto parts = parts_of(form_part("name=a; filename=\"" + name + ".pdf\"") + form_part("name=a; filename=\"." + name + name + "\"") + "--b--");
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].header.file_name == name.substr(0, 250) + ".pdf");
  CHECK(parts[1].header.file_name->size() == 255);
  CHECK(parts[1].header.file_name->ends_with("\xc3\xbc"));
}

TEST_CASE("a file is known by its name or by its type") {
  const struct {
    std::string_view header;
    bool is_file;
  } table[] = {
      {"Content-Disposition: form-data; name=Media|Content-Type: application/pdf", true},
      {"Content-Disposition: form-data; name=Media|Content-Type: application/octet-stream", true},
      {"Content-Disposition: form-data; name=fax|Content-Type: application/json", false},
      {"Content-Disposition: form-data; name=a|Content-Type: Text/Plain; charset=utf-8", false},
      {"Content-Disposition: form-data; name=a; filename=n.txt|Content-Type: text/plain", true},
      {"Content-Disposition: form-data; name=a|Content-Type:", false},
  };
  for (const auto& row : table) {
    CAPTURE(row.header);
    CHECK(parts_of(part(row.header, "x") + "--b--")[0].header.is_file == row.is_file);
  }
}

TEST_CASE("a file input left empty is an empty file, not a text") {
  const auto parts = parts_of(part("Content-Disposition: form-data; name=\"file\"; filename=\"\"|Content-Type: application/octet-stream", "") + "--b--");
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].header.is_file);
  CHECK(parts[0].header.file_name == "");
  CHECK(parts[0].data.empty());
}

TEST_CASE("what looks like the boundary, and is none, is data") {
  for (const std::string_view data : {"\r\n--", "\r\n--a", "\r\n--bc", "\r\n--b-", "\r\n--b-x", "\r\n--b\rx", "\r\r\n--b\r", "\r\n\r\n--bx", "--b", "--b--", "\n--b\r\n",
                                      "\n--b--\r\n", "x--b\r\n", "\r", "\r\n", "\r\n-", "\r\n--\r\n--", "\r\n--b\r\r\n--bb", "-", "--", "\r\r\r\n\n-"}) {
    CAPTURE(data);
    // Directly after the header's empty line "--b" would be a boundary: a byte before it.
    const std::string whole = "." + std::string(data);
    const auto parts = parts_of(form_part("name=a; filename=f", whole) + form_part("name=c", "d") + "--b--");
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].data == whole);
    CHECK(parts[1].data == "d");
  }
  CHECK(parts_of(form_part("name=a", "\r\n--bc") + "--b--")[0].data == "\r\n--bc");
  CHECK(parts_of(form_part("name=a", "--bc") + "--b--")[0].data == "--bc");
  CHECK(parts_of(form_part("name=a", "-") + "--b--")[0].data == "-");
}

TEST_CASE("preamble, epilogue, padding, and bodies without parts or data") {
  CHECK(parts_of("--b--").empty());
  CHECK(parts_of("\r\n--b--\r\n").empty());
  CHECK(parts_of("--b-- \r\n--b\r\nnot read").empty());
  CHECK(parts_of(crlf("This is a preamble.|--bx|--b-|") + form_part("name=a") + crlf("--b--|--b|epilogue"))[0].data == "x");
  CHECK(parts_of("\r\n" + form_part("name=a") + "--b--").size() == 1);
  CHECK(parts_of(crlf("--b \t |Content-Disposition: form-data; name=a||x|--b--|"))[0].data == "x");
  // RFC 2046: a part without a body ends with the empty line's own CR LF.
  const auto parts = parts_of(crlf("--b|Content-Disposition: form-data; name=a||--b|Content-Disposition: form-data; name=c||d|--b--"));
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].data.empty());
  CHECK(parts[1].data == "d");
}

TEST_CASE("malformed bodies are refused, whatever the blocks") {
  const struct {
    std::string_view label;
    std::string body;
    std::string_view in_hint;
  } table[] = {
      {"empty", "", "cut off"},
      {"no boundary at all", "hello", "cut off"},
      {"another boundary", crlf("--c|Content-Disposition: form-data; name=a||x|--c--|"), "cut off"},
      {"cut in the header", crlf("--b|Content-Disposition: form-da"), "cut off"},
      {"cut before the data", crlf("--b|Content-Disposition: form-data; name=a||"), "cut off"},
      {"cut in the data", crlf("--b|Content-Disposition: form-data; name=a||x"), "cut off"},
      {"cut in the end boundary", crlf("--b|Content-Disposition: form-data; name=a||x|--b-"), "cut off"},
      {"end boundary is no end", crlf("--b|Content-Disposition: form-data; name=a||x|--b|"), "cut off"},
      // The request that ended the whole original program.
      {"a header that begins with a blank", crlf("--b| Content-Disposition: form-data; name=\"a\"; filename=\"a\"||x|--b--|"), "begins with a blank"},
      {"a header that begins with a tab", crlf("--b|\tContent-Disposition: form-data; name=a||x|--b--|"), "begins with a blank"},
      {"only a blank", crlf("--b| ||x|--b--|"), "begins with a blank"},
      {"header without colon", crlf("--b|Content-Disposition form-data; name=a||x|--b--|"), "colon"},
      {"header without name", crlf("--b|: form-data; name=a||x|--b--|"), "colon"},
      {"blank before the colon", crlf("--b|Content-Disposition : form-data; name=a||x|--b--|"), "colon"},
      {"boundary in the header", crlf("--b|--b--|"), "cut off"},
      {"boundary in the header, then more", crlf("--b|--b||x|--b--|"), "colon"},
      {"no header", crlf("--b||x|--b--|"), "without Content-Disposition"},
      {"no Content-Disposition", crlf("--b|Content-Type: text/plain||x|--b--|"), "without Content-Disposition"},
      {"two of them", crlf("--b|Content-Disposition: form-data; name=a|Content-Disposition: form-data; name=c||x|--b--|"), "two"},
      {"two types", crlf("--b|Content-Disposition: form-data; name=a|Content-Type: text/plain|content-type: text/html||x|--b--|"), "two"},
      {"an attachment", crlf("--b|Content-Disposition: attachment; name=a||x|--b--|"), "not form-data"},
      {"no name", crlf("--b|Content-Disposition: form-data||x|--b--|"), "without a name"},
      {"file name only", crlf("--b|Content-Disposition: form-data; filename=\"f.pdf\"||x|--b--|"), "without a name"},
      {"name without value", crlf("--b|Content-Disposition: form-data; name||x|--b--|"), "damaged"},
      {"empty name", crlf("--b|Content-Disposition: form-data; name=\"\"||x|--b--|"), "without a name"},
      {"two names", crlf("--b|Content-Disposition: form-data; name=a; NAME=c||x|--b--|"), "damaged"},
      {"two file names", crlf("--b|Content-Disposition: form-data; name=a; filename=f; filename=g||x|--b--|"), "damaged"},
      {"open quote", crlf("--b|Content-Disposition: form-data; name=\"a||x|--b--|"), "damaged"},
      {"text after a quote", crlf("--b|Content-Disposition: form-data; name=\"a\"c||x|--b--|"), "damaged"},
      {"line feed in a name", crlf("--b|Content-Disposition: form-data; name=\"a%0AX\"||x|--b--|"), "control characters"},
      {"CR in a header", crlf("--b|Content-Disposition: form-data;\rname=a||x|--b--|"), "CR or NUL"},
      {"NUL in a header", crlf("--b|Content-Disposition: form-data; name=a") + std::string(1, '\0') + crlf("||x|--b--|"), "CR or NUL"},
      {"LF only", "--b\nContent-Disposition: form-data; name=a\n\nx\n--b--\n", "CR LF"},
      {"LF in the header", crlf("--b|Content-Disposition: form-data; name=a\n|x|--b--|"), "CR LF"},
      {"LF after padding", "--b \nContent-Disposition: form-data; name=a\n\nx\n--b--\n", "CR LF"},
      {"text after a boundary", crlf("--b x|Content-Disposition: form-data; name=a||x|--b--|"), "after a boundary"},
      {"CR after padding", crlf("--b \r\r|"), "after a boundary"},
  };
  for (const auto& row : table) {
    CAPTURE(row.label);
    const auto error = error_of(row.body);
    CHECK(error.code == Code::bad_request);
    CHECK_MESSAGE(error.hint.find(row.in_hint) != std::string::npos, error.hint);
  }
  CHECK(error_of(part("Content-Disposition: form-data; name=a; filename=f|Content-Transfer-Encoding: base64", "eA==") + "--b--").code == Code::unsupported);
}

TEST_CASE("limits, each named in the hint") {
  const std::string five = form_part("name=a; filename=f", "12345");
  CHECK(parts_of(five + "--b--")[0].data.size() == 5);
  Recorder recorder;
  CHECK(parse(five + "--b--", recorder, 3, {.max_file_bytes = 5}));
  CHECK(error_of(five + "--b--", {.max_file_bytes = 4}).code == Code::too_large);
  CHECK(error_of(five + "--b--", {.max_file_bytes = 4}).hint.find("4 bytes") != std::string::npos);
  CHECK(error_of(five + "--b--", {}).code == Code::too_large);

  // Each file by itself; text does not count.
  Recorder two;
  CHECK(parse(five + five + form_part("name=t", "123456789") + "--b--", two, 1000, {.max_file_bytes = 5}));

  const auto hint = [](std::uint64_t limit) {
    const std::string block(1 << 20, 'x');
    Recorder sink;
    form::MultipartParser parser("b", {.max_file_bytes = limit}, sink);
    auto fed = parser.feed(crlf("--b|Content-Disposition: form-data; name=a; filename=f||"));
    for (std::uint64_t sent = 0; fed && sent <= limit; sent += block.size()) fed = parser.feed(block);
    REQUIRE_FALSE(fed);
    CHECK(fed.error().code == Code::too_large);
    return fed.error().hint;
  };
  CHECK(hint(52428800).find(" 50 MB") != std::string::npos);
  CHECK(hint(10000000).find(" 10 MB") != std::string::npos);
  CHECK(hint(1572864).find(" 1.5 MB") != std::string::npos);
  CHECK(hint(65536).find(" 64 KB") != std::string::npos);

  const auto text = [](std::size_t size) { return form_part("name=a", std::string(size, 'x')) + "--b--"; };
  Recorder most;
  CHECK(parse(text(65536), most, 4096));
  CHECK(error_of(text(65537)).hint.find("64 KB") != std::string::npos);
  CHECK(error_of(form_part("name=a", "123") + form_part("name=b", "456") + "--b--", {.max_all_text_bytes = 5}).code == Code::too_large);
  CHECK(error_of(five + five + five + "--b--", {.max_file_bytes = 5, .max_parts = 2}).hint.find("at most 2") != std::string::npos);

  const auto header = [](std::size_t size) { return part("X: " + std::string(size, 'x') + "|Content-Disposition: form-data; name=a", "x") + "--b--"; };
  Recorder long_header;
  CHECK(parse(header(16000), long_header, 100));
  CHECK(error_of(header(16384)).code == Code::too_large);
  CHECK(error_of("--b\r\n" + std::string(20000, 'x')).hint.find("16 KB") != std::string::npos);
  std::string many = "--b\r\n";
  for (int i = 0; i < 5000; ++i) many += "a:b\r\n";
  CHECK(error_of(many).code == Code::too_large);
}

TEST_CASE("the handler's error ends the parse, and stays") {
  const std::string body = form_part("name=a", "12345") + form_part("name=c", "d") + "--b--";
  for (const char* when : {"begin", "data", "end"}) {
    CAPTURE(when);
    Recorder recorder;
    recorder.fail_at = when;
    form::MultipartParser parser("b", kLimits, recorder);
    const auto fed = parser.feed(body);
    REQUIRE_FALSE(fed);
    CHECK(fed.error().code == Code::no_space);
    CHECK(recorder.parts.size() == 1);
    CHECK(parser.feed("more").error().code == Code::no_space);
    CHECK(parser.finish().error().code == Code::no_space);
    CHECK(recorder.parts.size() == 1);
  }
}

TEST_CASE("a boundary that is none is refused, not searched for") {
  for (const std::string& boundary : {std::string(), std::string("a\r\nb"), std::string(71, 'x')}) {
    Recorder recorder;
    form::MultipartParser parser(boundary, kLimits, recorder);
    CHECK(parser.feed("--\r\n").error().code == Code::bad_request);
    CHECK_FALSE(parser.finish());
  }
}

TEST_CASE("50 MB pass quickly, whatever they are made of") {
  class Counter final : public form::PartHandler {
   public:
    core::Result<void> part_begin(const form::PartHeader&) override { return {}; }
    core::Result<void> part_data(std::span<const std::byte> bytes) override {
      total += bytes.size();
      return {};
    }
    core::Result<void> part_end() override { return {}; }
    std::size_t total = 0;
  };
  for (const std::string_view pattern : {std::string_view("\0\0\0\0\0\0\0", 7), std::string_view("\r\n"), std::string_view("\r\n--boundar"), std::string_view("-------")}) {
    std::string block;
    while (block.size() < 65536) block += pattern;
    Counter counter;
    form::MultipartParser parser("boundary", {.max_file_bytes = 100 << 20}, counter);
    REQUIRE(parser.feed(crlf("--boundary|Content-Disposition: form-data; name=a; filename=f||.")));
    const auto start = std::chrono::steady_clock::now();
    std::size_t sent = 1;
    for (; sent < std::size_t{50} << 20; sent += block.size()) REQUIRE(parser.feed(block));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    REQUIRE(parser.feed("\r\n--boundary--"));
    CHECK(parser.finish());
    CHECK(counter.total == sent);
    CAPTURE(seconds);
    CHECK(seconds < 2);  // some 0.05 s; a slow machine under sanitizers has its due
  }
}
