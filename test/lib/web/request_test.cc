#include "web/request.h"

#include <array>
#include <doctest/doctest.h>

using web::make_request;

TEST_CASE("path, query and target are told as received") {
  const web::Request request = make_request("GET", "/api/faxes/a%20b?q=%2B1&x=1?2");
  CHECK(request.method() == "GET");
  CHECK(request.request_uri() == "/api/faxes/a%20b?q=%2B1&x=1?2");
  CHECK(request.path() == "/api/faxes/a%20b");
  CHECK(request.query() == "q=%2B1&x=1?2");
  CHECK(request.segments() == std::vector<std::string>{"api", "faxes", "a b"});
  CHECK(make_request("GET", "/a").query() == "");
}

TEST_CASE("segments are decoded once, and paths that are not plain have none") {
  CHECK(make_request("GET", "/a%2Fb/c%2541").segments() == std::vector<std::string>{"a/b", "c%41"});
  CHECK(make_request("GET", "/a+b").segments() == std::vector<std::string>{"a+b"});
  for (const char* path : {"", "a", "/", "//a", "/a//b", "/a/", "/a/../b", "/./a", "/%2e%2E/a", "/a%2", "/a%zz", "/a%00b", "https://x/a", "*"}) {
    CAPTURE(path);
    CHECK(make_request("GET", path).segments().empty());
  }
}

TEST_CASE("headers are found in any case, and of two the first counts") {
  const web::Request request = make_request("POST", "/", "", {{"HTTP_X_TWILIO_SIGNATURE", "abc"}, {"HTTP_ORIGIN", "one"}, {"HTTP_ORIGIN", "two"}, {"CONTENT_TYPE", "text/plain"}});
  CHECK(request.header("X-Twilio-Signature") == "abc");
  CHECK(request.header("x-twilio-signature") == "abc");
  CHECK(request.header("Origin") == "one");
  CHECK(request.header("Content-Type") == "text/plain");
  CHECK(request.content_type() == "text/plain");
  CHECK_FALSE(request.header("Content-Length"));
  CHECK_FALSE(request.header("Accept"));
  CHECK_FALSE(request.parameter("HTTP_ACCEPT"));
  CHECK(make_request("GET", "/").content_type() == "");
}

TEST_CASE("who asks is what nginx says, never a header") {
  const web::Request nobody = make_request("GET", "/", "", {{"HTTP_AUTH_USER", "eve"}});
  CHECK(nobody.user() == "");
  CHECK_FALSE(nobody.is_admin());
  const web::Request anna = make_request("GET", "/", "", {{"AUTH_USER", "anna"}, {"AUTH_ROLE", "admin"}, {"AUTH_VIA", "key"}});
  CHECK(anna.user() == "anna");
  CHECK(anna.role() == "admin");
  CHECK(anna.via() == "key");
  CHECK(anna.by_key());
  CHECK(anna.is_admin());
  CHECK_FALSE(make_request("GET", "/", "", {{"AUTH_ROLE", "admin"}}).is_admin());
}

TEST_CASE("the connection") {
  const web::Request request = make_request("GET", "/", "", {{"HTTP_HOST", "fax.example:8443"}});
  CHECK(request.host() == "fax.example:8443");
  CHECK(request.scheme() == "https");
  CHECK(request.remote_address() == "127.0.0.1");
  CHECK(make_request("GET", "/", "", {{"HTTP_HOST", ""}}).host() == "fax.example");
}

TEST_CASE("the request's id is nginx's, or made") {
  CHECK(make_request("GET", "/", "", {{"REQUEST_ID", "0123abcd"}}).id() == "0123abcd");
  const std::string made(make_request("GET", "/").id());
  CHECK(made.size() == 26);
  CHECK(make_request("GET", "/").id() != made);
  for (const std::string& id : {std::string("a b"), std::string("a\nb"), std::string(65, 'a'), std::string()}) CHECK(make_request("GET", "/", "", {{"REQUEST_ID", id}}).id() != id);
}

TEST_CASE("a body is read whole, and never more than its limit") {
  web::Request request = make_request("POST", "/", std::string(10000, 'x'));
  CHECK(request.content_length() == 10000);
  CHECK(request.body().read_all(10000).value() == std::string(10000, 'x'));
  CHECK(request.body().received() == 10000);
  CHECK(request.body().read_all(10000).value() == "");
  CHECK(make_request("POST", "/", "xyz").body().read_all(2).error().code == core::Code::too_large);
  CHECK(make_request("GET", "/").body().read_all(0).value() == "");
  web::TextBody unsaid("xyz", std::nullopt);
  CHECK(unsaid.read_all(2).error().code == core::Code::too_large);
}

TEST_CASE("a body that ends early is an error, again and again") {
  web::TextBody body("abc", 4);
  std::array<std::byte, 10> block;
  CHECK(body.read_some(block).value() == 3);
  CHECK(body.read_some(block).error().code == core::Code::bad_request);
  CHECK(body.read_some(block).error().code == core::Code::bad_request);
  web::TextBody other("abc", 4);
  CHECK(other.read_all(100).error().code == core::Code::bad_request);
}

TEST_CASE("a body ends at its length, whatever follows") {
  web::TextBody body("abcdef", 4);
  CHECK(body.read_all(100).value() == "abcd");
  web::TextBody unsaid("abcdef", std::nullopt);
  CHECK(unsaid.read_all(100).value() == "abcdef");
}

TEST_CASE("the announced length") {
  CHECK(web::announced_length({{"CONTENT_LENGTH", "12"}}).value() == 12);
  CHECK_FALSE(web::announced_length({{"CONTENT_LENGTH", ""}}).value());
  CHECK_FALSE(web::announced_length({}).value());
  for (const char* text : {"-1", "1x", "+1", " 1", "99999999999999999999"}) CHECK(web::announced_length({{"CONTENT_LENGTH", text}}).error().code == core::Code::bad_request);
}

TEST_CASE("no token and no query in the log") {
  const auto path = [](const char* target) { return web::loggable_path(make_request("GET", target)); };
  CHECK(path("/fax/callback/Secret?x=1") == "/fax/callback/");
  CHECK(path("/fax/sending/Secret") == "/fax/sending/");
  CHECK(path("/fax/%73ending/Secret/more") == "/fax/sending/");
  CHECK(path("/fax//sending/Secret") == "(not a plain path)");
  CHECK(path("/fax/payload?t=Secret") == "/fax/payload");
  CHECK(path("/api/faxes/1") == "/api/faxes/1");
  CHECK(path("/") == "/");
}
