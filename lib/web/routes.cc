#include "web/routes.h"

#include <algorithm>
#include <exception>

#include "core/log.h"
#include "text/percent.h"
#include "text/words.h"
#include "web/problem.h"

namespace web {

namespace {

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto part : text::split(path.substr(path.empty() ? 0 : 1), '/')) segments.emplace_back(part);
  return segments;
}

bool is_place(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

// Whether the raw path fits; its decoded places go into `match`.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& raw, Match& match) {
  if (pattern.size() != raw.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto decoded = text::percent_decode(raw[i], text::PlusMeans::plus);
    if (!decoded || (is_place(pattern[i]) ? decoded->empty() : *decoded != pattern[i])) return false;
    if (is_place(pattern[i])) match[pattern[i].substr(1, pattern[i].size() - 2)] = *decoded;
  }
  return true;
}

// A path under these holds a capability, which no log may.
std::string loggable(const Request& request) {
  const auto path = request.target().substr(0, request.target().find('?'));
  for (const std::string_view secret : {"/fax/callback/", "/fax/sending/"})
    if (path.compare(0, secret.size(), secret) == 0) return std::string(secret) + "…";
  return path;
}

}  // namespace

core::Result<void> check_origin(const Request& request) {
  const auto origin = request.header("Origin");
  const std::string own = std::string(request.parameter("REQUEST_SCHEME").empty() ? "https" : request.parameter("REQUEST_SCHEME")) + "://" + std::string(request.header("Host"));
  if (origin.empty() ? request.header("Sec-Fetch-Site") == "same-origin" : text::equal_ignoring_case(origin, own)) return {};
  return core::Error{core::Code::forbidden, "foreign Origin", "This request did not come from this line's own page."};
}

void Routes::add(std::string_view method, std::string_view pattern, Access access, Handler handler) {
  routes_.push_back({std::string(method), segments_of(pattern), access, std::move(handler)});
}

core::Result<Response> Routes::dispatch(Request& request) const {
  const auto raw = segments_of(std::string_view(request.target()).substr(0, request.target().find('?')));
  const std::string method = request.method() == "HEAD" ? "GET" : request.method();
  std::string allowed;
  for (const auto& route : routes_) {
    Match match;
    if (!fits(route.segments, raw, match)) continue;
    if (route.method != method) {
      allowed += (allowed.empty() ? "" : ", ") + route.method + (route.method == "GET" ? ", HEAD" : "");
      continue;
    }
    const bool by_key = request.via() == "key";
    if (route.access != Access::open && request.user().empty()) return core::Error{core::Code::unauthenticated, "nobody is logged in"};
    if (route.access != Access::open && method != "GET" && !by_key) CORE_CHECK(check_origin(request));
    if (route.access == Access::admin && request.role() != "admin") return core::Error{core::Code::forbidden, "not an administrator", "Only an administrator may do this."};
    return route.handler(request, match);
  }
  if (allowed.empty()) return core::Error{core::Code::not_found, "no such path"};
  return problem(core::Error{core::Code::method, "method", "This cannot be done with " + request.method() + "."}, request.id()).with("Allow", allowed);
}

Response Routes::answer(Request& request) const {
  core::Result<Response> result = core::Error{core::Code::internal, "not answered"};
  try {
    result = dispatch(request);
  } catch (const std::exception& trouble) {
    result = core::Error{core::Code::internal, std::string("exception: ") + trouble.what()};
  }
  if (result) return std::move(result).value();
  const auto& error = result.error();
  const bool ours = status_of(error.code) >= 500;
  core::log(ours ? core::Level::error : core::Level::info, "refused", error, {{"method", request.method()}, {"path", loggable(request)}, {"user", request.user()}, {"request", request.id()}});
  return problem(error, request.id());
}

}  // namespace web
