#include "web/problem.h"

#include <doctest/doctest.h>

#include "core/log.h"
#include "json/value.h"

using core::Code;

TEST_CASE("each code has its status") {
  const std::pair<Code, int> table[] = {{Code::bad_request, 400}, {Code::unauthenticated, 401}, {Code::forbidden, 403}, {Code::not_found, 404},
                                        {Code::method, 405}, {Code::conflict, 409}, {Code::too_large, 413}, {Code::unsupported, 415}, {Code::invalid, 422},
                                        {Code::limited, 429}, {Code::no_space, 507}, {Code::unavailable, 503}, {Code::provider_refused, 502},
                                        {Code::provider_down, 503}, {Code::unknown_outcome, 504}, {Code::settings, 500}, {Code::internal, 500}};
  for (const auto& [code, status] : table) {
    CHECK(web::status_of(code) == status);
    const web::Response response = web::problem({.code = code, .text = "SECRET"}, "r1");
    CHECK(response.status() == status);
    CHECK(response.first("Content-Type") == "application/problem+json");
    CHECK(response.text().find("SECRET") == std::string::npos);
    CHECK(response.text().find("\"detail\":\"\"") == std::string::npos);
  }
}

TEST_CASE("a problem tells what the hint says, and the field") {
  const web::Response response = web::problem({.code = Code::invalid, .text = "x", .hint = "Give a \"number\".", .field = "to"}, "r1");
  CHECK(response.text() == R"({"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"Give a \"number\".","field":"to"})");
  CHECK_FALSE(response.first("Retry-After"));
}

TEST_CASE("whoever is to come back is told when") {
  CHECK(web::problem({.code = Code::limited, .text = "", .retry_after = std::chrono::seconds(30)}, "r").first("Retry-After") == "30");
  CHECK(web::problem({.code = Code::unavailable, .text = ""}, "r").first("Retry-After") == "5");
  CHECK(web::problem({.code = Code::limited, .text = ""}, "r").first("Retry-After") == "5");
  CHECK(web::problem({.code = Code::unauthenticated, .text = ""}, "r").first("WWW-Authenticate") == "Bearer");
}

TEST_CASE("our own faults are told by a number to quote") {
  const std::string text = web::problem({.code = Code::internal, .text = "open /var/lib/faxline/x: denied"}, "abc123").text();
  CHECK(text.find("abc123") != std::string::npos);
  CHECK(text.find("/var") == std::string::npos);
  CHECK(web::problem({.code = Code::conflict, .text = "x"}, "abc123").text().find("abc123") == std::string::npos);
}

TEST_CASE("a method that is not there comes with those that are") {
  const web::Response response = web::method_not_allowed("GET, HEAD", "r");
  CHECK(response.status() == 405);
  CHECK(response.first("Allow") == "GET, HEAD");
}

TEST_CASE("an error is logged with what helps to find it") {
  const web::Request request = web::make_request("GET", "/", "", {{"REQUEST_ID", "r7"}, {"AUTH_USER", "anna"}});
  core::LogCapture capture;
  web::log_error({.code = Code::internal, .text = "disk on fire"}, "GET /x", request);
  web::log_error({.code = Code::forbidden, .text = ""}, "GET /x", request);
  web::log_error({.code = Code::not_found, .text = ""}, "GET /x", request);
  const std::string text = capture.text();
  for (const char* part : {"level=error", "level=warning", "level=info", "operation=\"GET /x\"", "request=r7", "user=anna", "code=internal", "reason=\"disk on fire\""}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}
