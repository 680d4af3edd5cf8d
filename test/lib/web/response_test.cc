#include "web/response.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "json/value.h"

using web::Response;

namespace {

core::UniqueFd file_with(std::string_view text) {
  std::string name = "/tmp/faxline_response_XXXXXX";
  core::UniqueFd fd(::mkstemp(name.data()));
  REQUIRE(fd.valid());
  ::unlink(name.c_str());
  REQUIRE(core::write_all(fd.get(), text, name));
  return fd;
}

Response ask(std::string_view method, web::Parameters more, std::string_view text = "0123456789") {
  const web::Request request = web::make_request(method, "/document.pdf", "", std::move(more));
  return web::respond_with_file(request, file_with(text), "application/pdf", "inline; filename=\"a.pdf\"", "\"v1\"").value();
}

}  // namespace

TEST_CASE("headers are set, added and removed without case") {
  Response response;
  response.set("X-A", "1").set("x-a", "2").add("X-B", "3").add("X-B", "4");
  CHECK(response.first("X-A") == "2");
  CHECK(response.headers().size() == 3);
  CHECK(response.first("x-b") == "3");
  response.remove("X-b");
  CHECK(response.headers().size() == 1);
  CHECK_FALSE(response.first("X-B"));
}

TEST_CASE("no header splits an answer") {
  Response response;
  response.set("Location", std::string("/a\r\nSet-Cookie: x=1\n\0b\x7f", 23)).set("X-Tab", "a\tb").set("X: y\r\nZ", "1").set("", "1");
  CHECK(response.headers().size() == 2);
  CHECK(response.first("Location") == "/a  Set-Cookie: x=1  b ");
  CHECK(response.first("X-Tab") == "a b");
  response.set("X-Utf8", "\xc3\xa9");
  CHECK(response.first("X-Utf8") == "\xc3\xa9");
}

TEST_CASE("the ready-made answers") {
  const Response json = web::json(202, "{}");
  CHECK(json.status() == 202);
  CHECK(json.text() == "{}");
  CHECK(json.first("Content-Type") == "application/json");
  CHECK(json.content_length() == 2);
  CHECK(web::xml("<Response/>").first("Content-Type") == "text/xml; charset=utf-8");
  CHECK(web::text(503, "later").text() == "later");
  CHECK(web::empty(204).text() == "");
  CHECK_FALSE(web::empty(204).content_length());
  CHECK(web::empty(404).content_length() == 0);
  CHECK_FALSE(web::empty(404).first("Content-Type"));
  CHECK(web::redirect(303, "/page").first("Location") == "/page");
}

TEST_CASE("nginx sends a file in our place") {
  const Response response = web::accel_redirect("/handout/a b\r\n%41/c");
  CHECK(response.status() == 200);
  CHECK(response.first("X-Accel-Redirect") == "/handout/a%20b%0D%0A%2541/c");
  CHECK_FALSE(response.content_length());
}

TEST_CASE("a body left off still tells its length") {
  Response response = web::text(200, "hello");
  response.omit_body().omit_body();
  CHECK(response.text() == "");
  CHECK(response.content_length() == 5);
  response.clear_body();
  CHECK(response.content_length() == 0);
  CHECK_FALSE(response.first("Content-Type"));
}

TEST_CASE("a cookie is for this host, TLS and HTTP alone") {
  Response response;
  response.set_cookie("__Host-faxline", "abc-_123", std::chrono::hours(12));
  CHECK(response.first("Set-Cookie") == "__Host-faxline=abc-_123; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict");
  Response over;
  over.set_cookie("__Host-faxline", "", std::chrono::seconds(-5));
  CHECK(over.first("Set-Cookie") == "__Host-faxline=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict");
  Response wrong;
  for (const char* value : {"a;b", "a b", "a\"", "a,b", "a\r\nb", "a\\b", "\xc3\xa9"}) wrong.set_cookie("__Host-faxline", value, std::chrono::seconds(1));
  wrong.set_cookie("a=b", "c", std::chrono::seconds(1));
  CHECK(wrong.headers().empty());
}

TEST_CASE("a file is sent whole") {
  const Response response = ask("GET", {});
  CHECK(response.status() == 200);
  REQUIRE(response.file());
  CHECK(response.file()->offset == 0);
  CHECK(response.file()->length == 10);
  CHECK(response.content_length() == 10);
  CHECK(response.first("Content-Type") == "application/pdf");
  CHECK(response.first("Content-Disposition") == "inline; filename=\"a.pdf\"");
  CHECK(response.first("ETag") == "\"v1\"");
  CHECK(response.first("Accept-Ranges") == "bytes");
  CHECK_FALSE(response.first("Content-Range"));
}

TEST_CASE("HEAD tells a file's length, and takes no Range") {
  const Response response = ask("HEAD", {{"HTTP_RANGE", "bytes=0-1"}});
  CHECK(response.status() == 200);
  CHECK_FALSE(response.file());
  CHECK(response.content_length() == 10);
}

TEST_CASE("one range of a file") {
  struct Case {
    const char* range;
    int status;
    std::uint64_t offset, length;
    const char* content_range;
  };
  for (const Case& one : std::initializer_list<Case>{{"bytes=0-3", 206, 0, 4, "bytes 0-3/10"},
                                                     {"bytes=9-", 206, 9, 1, "bytes 9-9/10"},
                                                     {"BYTES = 2 - 99999999999999", 206, 2, 8, "bytes 2-9/10"},
                                                     {"bytes=-3", 206, 7, 3, "bytes 7-9/10"},
                                                     {"bytes=-30", 206, 0, 10, "bytes 0-9/10"},
                                                     {"bytes=0-0", 206, 0, 1, "bytes 0-0/10"},
                                                     {"bytes=0-1,3-4", 200, 0, 10, ""},
                                                     {"bytes=3-2", 200, 0, 10, ""},
                                                     {"bytes=", 200, 0, 10, ""},
                                                     {"bytes=-", 200, 0, 10, ""},
                                                     {"bytes=a-b", 200, 0, 10, ""},
                                                     {"bytes=1-2x", 200, 0, 10, ""},
                                                     {"bytes=--1", 200, 0, 10, ""},
                                                     {"bytes=99999999999999999999-", 200, 0, 10, ""},
                                                     {"pages=0-1", 200, 0, 10, ""},
                                                     {"", 200, 0, 10, ""},
                                                     {"bytes=10-", 416, 0, 0, "bytes */10"},
                                                     {"bytes=-0", 416, 0, 0, "bytes */10"}}) {
    CAPTURE(one.range);
    const Response response = ask("GET", {{"HTTP_RANGE", one.range}});
    CHECK(response.status() == one.status);
    CHECK(response.first("Content-Range").value_or("") == one.content_range);
    CHECK(response.file().has_value() == (one.status != 416));
    if (one.status == 416) CHECK(response.first("Content-Type") == "application/problem+json");
    if (one.status == 416) CHECK(json::parse(response.text()).value()["status"].as_int64() == 416);
    if (!response.file()) continue;
    CHECK(response.file()->offset == one.offset);
    CHECK(response.file()->length == one.length);
  }
  CHECK(ask("GET", {{"HTTP_RANGE", "bytes=0-"}}, "").status() == 416);
  CHECK(ask("GET", {{"HTTP_RANGE", "bytes=-1"}}, "").status() == 416);
  CHECK(ask("GET", {}, "").content_length() == 0);
}

TEST_CASE("If-Range gives the whole unless it is exactly this file") {
  CHECK(ask("GET", {{"HTTP_RANGE", "bytes=0-1"}, {"HTTP_IF_RANGE", "\"v1\""}}).status() == 206);
  for (const char* other : {"\"v2\"", "W/\"v1\"", "v1", "Sun, 06 Nov 1994 08:49:37 GMT", ""}) CHECK(ask("GET", {{"HTTP_RANGE", "bytes=0-1"}, {"HTTP_IF_RANGE", other}}).status() == 200);
}

TEST_CASE("what is no file is refused") {
  const web::Request request = web::make_request("GET", "/a");
  CHECK(web::respond_with_file(request, core::UniqueFd(::open("/", O_RDONLY | O_CLOEXEC)), "a/b", "", "").error().code == core::Code::internal);
  CHECK(web::respond_with_file(request, core::UniqueFd(), "a/b", "", "").error().code == core::Code::internal);
  const Response plain = web::respond_with_file(request, file_with("x"), "a/b", "", "").value();
  CHECK_FALSE(plain.first("ETag"));
  CHECK_FALSE(plain.first("Content-Disposition"));
}

TEST_CASE("every status we send has a name") {
  for (const int status : {200, 202, 204, 206, 400, 401, 403, 404, 405, 409, 413, 415, 416, 422, 429, 500, 502, 503, 504, 507}) CHECK(web::reason_phrase(status) != "Unknown");
  CHECK(web::reason_phrase(299) == "Unknown");
}
