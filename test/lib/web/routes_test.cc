#include "web/routes.h"

#include <doctest/doctest.h>
#include <new>
#include <stdexcept>

#include "core/log.h"

using web::Access;
using web::Match;
using web::Origin;
using web::Request;
using web::Response;

namespace {

constexpr web::Guard kOpen{Access::anybody, Origin::any};

web::Handler says(std::string words) {
  return [words](Request&, const Match& match) -> core::Result<Response> { return web::text(200, words + std::string(match["id"])); };
}

web::Handler fails(core::Error error) {
  return [error](Request&, const Match&) -> core::Result<Response> { return error; };
}

Response ask(const web::Routes& routes, std::string_view method, std::string_view target, web::Parameters more = {}) {
  core::LogCapture quiet;
  Request request = web::make_request(method, target, "", std::move(more));
  return routes.answer(request);
}

const web::Parameters kAnna = {{"AUTH_USER", "anna"}, {"AUTH_ROLE", "user"}, {"AUTH_VIA", "cookie"}};

web::Parameters with(web::Parameters some, web::Parameters more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

}  // namespace

TEST_CASE("a path finds its handler, and the names in it") {
  web::Routes routes;
  routes.add("GET", "/api/faxes", kOpen, says("list")).add("GET", "/api/faxes/{id}", kOpen, says("one ")).add("POST", "/api/faxes/{id}/cancel", kOpen, says("cancel "));
  routes.add("GET", "/api/faxes/{id}/pages/{n}.png", kOpen, [](Request&, const Match& match) -> core::Result<Response> {
    return web::text(200, std::string(match["id"]) + " " + std::string(match["n"]) + " " + std::string(match["other"]));
  });
  CHECK(ask(routes, "GET", "/api/faxes?limit=1").text() == "list");
  CHECK(ask(routes, "GET", "/api/faxes/a%20b").text() == "one a b");
  CHECK(ask(routes, "GET", "/api/faxes/a%2Fb").text() == "one a/b");
  CHECK(ask(routes, "POST", "/api/faxes/7/cancel").text() == "cancel 7");
  CHECK(ask(routes, "GET", "/api/faxes/7/pages/2.png").text() == "7 2 ");
  for (const char* path : {"/api", "/api/faxes/", "/api/faxes/7/", "/api/faxes/7/pages/.png", "/api/faxes/7/pages/2.gif", "/api/faxes/../faxes", "//api/faxes", "/API/faxes", "/", "x"}) {
    CAPTURE(path);
    CHECK(ask(routes, "GET", path).status() == 404);
  }
}

TEST_CASE("the route that was added first wins") {
  web::Routes routes;
  routes.add("GET", "/a/new", kOpen, says("new")).add("GET", "/a/{id}", kOpen, says("id "));
  CHECK(ask(routes, "GET", "/a/new").text() == "new");
  CHECK(ask(routes, "GET", "/a/old").text() == "id old");
}

TEST_CASE("an unknown method is told the known ones") {
  web::Routes routes;
  routes.add("GET", "/a", kOpen, says("")).add("POST", "/a", kOpen, says("")).add("DELETE", "/b", kOpen, says(""));
  const Response response = ask(routes, "PUT", "/a");
  CHECK(response.status() == 405);
  CHECK(response.first("Allow") == "GET, HEAD, POST");
  CHECK(ask(routes, "HEAD", "/b").first("Allow") == "DELETE");
  CHECK(ask(routes, "get", "/a").status() == 405);
}

TEST_CASE("HEAD is GET without the body, unless it has a route of its own") {
  web::Routes routes;
  routes.add("GET", "/a", kOpen, says("hello"));
  const Response response = ask(routes, "HEAD", "/a");
  CHECK(response.status() == 200);
  CHECK(response.text() == "");
  CHECK(response.content_length() == 5);
  CHECK(ask(routes, "HEAD", "/none").text() == "");
  web::Routes own;
  own.add("HEAD", "/a", kOpen, says("hi")).add("GET", "/a", kOpen, says("hello"));
  CHECK(ask(own, "HEAD", "/a").content_length() == 2);
  CHECK(ask(own, "PUT", "/a").first("Allow") == "HEAD, GET");
}

TEST_CASE("the checks come in their order") {
  web::Routes routes;
  bool called = false;
  routes.add("POST", "/a", {Access::admin, Origin::ours}, [&](Request&, const Match&) -> core::Result<Response> {
    called = true;
    return web::empty(204);
  });
  const web::Parameters origin = {{"HTTP_ORIGIN", "https://fax.example"}};
  CHECK(ask(routes, "POST", "/b").status() == 404);
  CHECK(ask(routes, "PUT", "/a").status() == 405);
  CHECK(ask(routes, "POST", "/a").status() == 401);
  CHECK(ask(routes, "POST", "/a", origin).status() == 401);
  CHECK(ask(routes, "POST", "/a", kAnna).status() == 403);
  CHECK(ask(routes, "POST", "/a", with(kAnna, origin)).status() == 403);
  CHECK_FALSE(called);
  CHECK(ask(routes, "POST", "/a", with({{"AUTH_USER", "root"}, {"AUTH_ROLE", "admin"}}, origin)).status() == 204);
  CHECK(called);
}

TEST_CASE("a log-in is asked for where it is needed") {
  web::Routes routes;
  routes.add("GET", "/mine", {Access::logged_in, Origin::any}, says("x")).add("POST", "/login", {Access::anybody, Origin::ours}, says("x"));
  CHECK(ask(routes, "GET", "/mine").status() == 401);
  CHECK(ask(routes, "GET", "/mine", kAnna).status() == 200);
  CHECK(ask(routes, "POST", "/login").status() == 403);
  CHECK(ask(routes, "POST", "/login", {{"HTTP_SEC_FETCH_SITE", "same-origin"}}).status() == 200);
}

TEST_CASE("a change comes from our own page, or by a key") {
  const auto allowed = [](web::Parameters more) { return web::check_origin(web::make_request("POST", "/", "", std::move(more))).has_value(); };
  CHECK_FALSE(allowed({}));
  CHECK(allowed({{"HTTP_ORIGIN", "https://fax.example"}}));
  CHECK(allowed({{"HTTP_ORIGIN", "https://FAX.example:443"}}));
  CHECK(allowed({{"HTTP_HOST", "fax.example:443"}, {"HTTP_ORIGIN", "https://fax.example"}}));
  CHECK(allowed({{"HTTP_HOST", "fax.example:8443"}, {"HTTP_ORIGIN", "https://fax.example:8443"}}));
  CHECK(allowed({{"HTTP_HOST", "[::1]:8443"}, {"HTTP_ORIGIN", "https://[::1]:8443"}}));
  CHECK(allowed({{"HTTP_SEC_FETCH_SITE", "same-origin"}}));
  CHECK(allowed({{"AUTH_USER", "anna"}, {"AUTH_VIA", "key"}}));
  CHECK_FALSE(allowed({{"AUTH_VIA", "key"}}));
  CHECK_FALSE(allowed({{"AUTH_USER", "anna"}, {"AUTH_VIA", "cookie"}}));
  for (const char* origin : {"null", "", "http://fax.example", "https://fax.example:8443", "https://fax.example.evil", "https://evil", "https://fax.example/", "fax.example", "https://"}) {
    CAPTURE(origin);
    CHECK_FALSE(allowed({{"HTTP_ORIGIN", origin}}));
    CHECK_FALSE(allowed({{"HTTP_ORIGIN", origin}, {"HTTP_SEC_FETCH_SITE", "same-origin"}}));
  }
  CHECK_FALSE(allowed({{"HTTP_HOST", "fax.example:8443"}, {"HTTP_ORIGIN", "https://fax.example"}}));
  CHECK_FALSE(allowed({{"HTTP_HOST", ""}, {"SERVER_NAME", ""}, {"HTTP_ORIGIN", "https://"}}));
  for (const char* site : {"same-site", "cross-site", "none", ""}) CHECK_FALSE(allowed({{"HTTP_SEC_FETCH_SITE", site}}));
}

TEST_CASE("an error becomes a problem, and one line without ids") {
  web::Routes routes;
  routes.add("GET", "/fax/{id}", kOpen, fails({.code = core::Code::conflict, .text = "why", .hint = "Because."}));
  core::LogCapture capture;
  Request request = web::make_request("GET", "/fax/TOKEN?t=TOKEN", "", {{"REQUEST_ID", "r9"}});
  const Response response = routes.answer(request);
  CHECK(response.status() == 409);
  CHECK(response.text().find("Because.") != std::string::npos);
  const std::string log = capture.text();
  CHECK(log.find("operation=\"GET /fax/{id}\" request=r9") != std::string::npos);
  CHECK(log.find("TOKEN") == std::string::npos);
  CHECK(log.find('\n') == log.size() - 1);
}

TEST_CASE("an exception becomes a 500, and tells nobody what it held") {
  web::Routes routes;
  routes.add("GET", "/1", kOpen, [](Request&, const Match&) -> core::Result<Response> { throw std::bad_alloc(); });
  routes.add("GET", "/2", kOpen, [](Request&, const Match&) -> core::Result<Response> { throw std::runtime_error("SECRET"); });
  routes.add("GET", "/3", kOpen, [](Request&, const Match&) -> core::Result<Response> { throw 7; });
  for (const char* path : {"/1", "/2", "/3"}) {
    core::LogCapture capture;
    Request request = web::make_request("GET", path);
    const Response response = routes.answer(request);
    CHECK(response.status() == 500);
    CHECK(response.text().find("SECRET") == std::string::npos);
    CHECK(capture.text().find("SECRET") == std::string::npos);
    CHECK(capture.text().find("level=error") != std::string::npos);
  }
}

TEST_CASE("a provider is told a status and nothing else") {
  web::Routes routes(web::Faults::empty);
  routes.add("GET", "/a", kOpen, fails({.code = core::Code::unavailable, .text = "x"}));
  const Response later = ask(routes, "GET", "/a");
  CHECK(later.status() == 503);
  CHECK(later.text() == "");
  CHECK(later.first("Retry-After") == "5");
  CHECK_FALSE(later.first("Content-Type"));
  CHECK(ask(routes, "GET", "/none").text() == "");
  CHECK(ask(routes, "POST", "/a").first("Allow") == "GET, HEAD");
}

TEST_CASE("no answer is kept, or taken for another kind") {
  web::Routes routes;
  routes.add("GET", "/a", kOpen, says("x"));
  routes.add("GET", "/b", kOpen, [](Request&, const Match&) -> core::Result<Response> { return std::move(web::text(200, "").set("Cache-Control", "private")); });
  for (const char* path : {"/a", "/none"}) {
    CHECK(ask(routes, "GET", path).first("Cache-Control") == "no-store");
    CHECK(ask(routes, "GET", path).first("X-Content-Type-Options") == "nosniff");
  }
  CHECK(ask(routes, "GET", "/b").first("Cache-Control") == "private");
}
