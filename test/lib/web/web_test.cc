#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "core/log.h"
#include "json/value.h"
#include "web/problem.h"
#include "web/routes.h"

namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

web::Request request(const std::string& method, const std::string& target, Parameters more = {}, std::string body = {}) {
  more["REQUEST_METHOD"] = method;
  more["REQUEST_URI"] = target;
  if (!more.count("CONTENT_LENGTH")) more["CONTENT_LENGTH"] = std::to_string(body.size());
  return web::Request(more, std::make_unique<web::TextBody>(std::move(body)));
}

std::string header(const web::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "-";
}

web::Routes table() {
  web::Routes routes;
  const auto say = [](const char* what) { return [what](web::Request&, const web::Match& match) -> core::Result<web::Response> { return web::text(200, std::string(what) + (match.count("id") ? " " + match.at("id") : "")); }; };
  routes.add("GET", "/open", web::Access::open, say("open"));
  routes.add("GET", "/things/{id}", web::Access::logged_in, say("get"));
  routes.add("DELETE", "/things/{id}", web::Access::logged_in, say("delete"));
  routes.add("GET", "/admin", web::Access::admin, say("admin"));
  routes.add("GET", "/bad", web::Access::open, [](web::Request&, const web::Match&) -> core::Result<web::Response> { throw std::bad_alloc(); });
  routes.add("GET", "/error", web::Access::open, [](web::Request&, const web::Match&) -> core::Result<web::Response> { return core::Error{core::Code::internal, "the secret reason"}; });
  return routes;
}

int status(const std::string& method, const std::string& target, Parameters more = {}) {
  core::LogCapture log;
  auto asked = request(method, target, std::move(more));
  return table().answer(asked).status;
}

const Parameters kCookie{{"AUTH_USER", "anna"}, {"AUTH_ROLE", "user"}, {"AUTH_VIA", "cookie"}, {"HTTP_HOST", "fax.lan:8443"}, {"REQUEST_SCHEME", "https"}};

Parameters cookie_and(const std::string& name, const std::string& value) {
  auto all = kCookie;
  all[name] = value;
  return all;
}

}  // namespace

TEST_CASE("the checks, in their order: path, method, log-in, Origin, role") {
  CHECK(status("GET", "/nothing") == 404);
  CHECK(status("PUT", "/things/1") == 405);
  CHECK(status("GET", "/things/1") == 401);
  CHECK(status("GET", "/things/1", kCookie) == 200);
  CHECK(status("GET", "/things/", kCookie) == 404);
  CHECK(status("GET", "/things/%zz", kCookie) == 404);
  CHECK(status("DELETE", "/things/1", kCookie) == 403);
  CHECK(status("DELETE", "/things/1", cookie_and("HTTP_ORIGIN", "https://fax.lan:8443")) == 200);
  for (const auto* foreign : {"https://fax.lan", "http://fax.lan:8443", "null", "https://evil.example"}) CHECK(status("DELETE", "/things/1", cookie_and("HTTP_ORIGIN", foreign)) == 403);
  CHECK(status("DELETE", "/things/1", cookie_and("HTTP_SEC_FETCH_SITE", "same-origin")) == 200);
  CHECK(status("DELETE", "/things/1", cookie_and("HTTP_SEC_FETCH_SITE", "same-site")) == 403);
  CHECK(status("DELETE", "/things/1", cookie_and("AUTH_VIA", "key")) == 200);
  CHECK(status("GET", "/admin", kCookie) == 403);
  CHECK(status("GET", "/admin", cookie_and("AUTH_ROLE", "admin")) == 200);
  auto asked = request("POST", "/things/1");
  core::LogCapture log;
  CHECK(header(table().answer(asked), "Allow") == "GET, HEAD, DELETE");
}

TEST_CASE("places are decoded, and HEAD is GET's") {
  auto asked = request("HEAD", "/things/a%2Fb?x=1", kCookie);
  CHECK(table().answer(asked).body == "get a/b");
}

TEST_CASE("a problem says what happened, and never the log's reason") {
  core::LogCapture log;
  auto asked = request("GET", "/error", {{"REQUEST_ID", "r1"}});
  const auto response = table().answer(asked);
  CHECK(response.status == 500);
  CHECK(header(response, "Content-Type") == "application/problem+json");
  CHECK(response.body.find("secret") == std::string::npos);
  CHECK(response.body.find("r1") != std::string::npos);
  CHECK(log.text().find("the secret reason") != std::string::npos);
  CHECK(status("GET", "/bad") == 500);
  const auto busy = web::problem(core::Error{core::Code::limited, "x", "Wait.", "password", std::chrono::seconds(30)}, "r", "+1");
  CHECK(busy.status == 429);
  CHECK(header(busy, "Retry-After") == "30");
  const auto body = json::parse(busy.body).value();
  CHECK(body["field"].as_string() == "password");
  CHECK(body["detail"].as_string() == "Wait.");
  CHECK(body["suggestion"].as_string() == "+1");
}

TEST_CASE("a capability in a path is not logged") {
  core::LogCapture log;
  auto asked = request("GET", "/fax/sending/TOKEN?x=SECRET");
  (void)table().answer(asked);
  CHECK(log.text().find("TOKEN") == std::string::npos);
  CHECK(log.text().find("SECRET") == std::string::npos);
}

TEST_CASE("bodies: whole, or said to be cut off") {
  auto whole = request("POST", "/", {}, "hello");
  CHECK(whole.read_all(10).value() == "hello");
  auto large = request("POST", "/", {}, "hello");
  CHECK(large.read_all(4).error().code == core::Code::too_large);
  auto cut = request("POST", "/", {{"CONTENT_LENGTH", "9"}}, "hello");
  CHECK(cut.read_all(10).error().code == core::Code::bad_request);
  auto none = request("POST", "/");
  CHECK(none.read_all(10).value().empty());
}

TEST_CASE("requests: headers in any case, the target as it came, the query decoded") {
  const auto asked = request("GET", "/a%20b?q=%2B1", {{"HTTP_X_TWILIO_SIGNATURE", "s"}, {"CONTENT_TYPE", "a/b"}});
  CHECK(asked.header("x-twilio-signature") == "s");
  CHECK(asked.header("Content-Type") == "a/b");
  CHECK(asked.path() == "/a b");
  CHECK(asked.target() == "/a%20b?q=%2B1");
  CHECK(asked.query_fields()->first("q") == "+1");
  CHECK_FALSE(asked.id().empty());
}

TEST_CASE("files: whole, in part, or not at all") {
  std::ofstream("/tmp/web-test") << "0123456789";
  const auto serve = [](const std::string& range, const std::string& method = "GET") {
    auto asked = request(method, "/", range.empty() ? Parameters{} : Parameters{{"HTTP_RANGE", range}});
    return web::file(asked, core::open_file("/tmp/web-test", O_RDONLY).value(), "application/pdf", "inline").value();
  };
  CHECK(serve("").file_bytes == 10);
  const auto part = serve("bytes=2-4");
  CHECK(part.status == 206);
  CHECK(part.file_offset == 2);
  CHECK(part.file_bytes == 3);
  CHECK(header(part, "Content-Range") == "bytes 2-4/10");
  CHECK(serve("bytes=-3").file_offset == 7);
  CHECK(serve("bytes=8-").file_bytes == 2);
  CHECK(serve("bytes=8-100").file_bytes == 2);
  CHECK(serve("bytes=10-").status == 416);
  for (const auto* whole : {"bytes=1-2,4-5", "pages=1", "bytes=x", "bytes=5-2"}) CHECK(serve(whole).status == 200);
  const auto head = serve("", "HEAD");
  CHECK_FALSE(head.file.valid());
  CHECK(header(head, "Content-Length") == "10");
  ::unlink("/tmp/web-test");
}

TEST_CASE("headers hold no line ends") {
  CHECK(header(web::empty(204).with("X", "a\r\nSet-Cookie: b"), "X") == "a  Set-Cookie: b");
  CHECK(web::set_cookie("__Host-a", "v", 5) == "__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=5");
}
