#include "web/routes.h"

#include <algorithm>
#include <exception>
#include <new>
#include <typeinfo>

#include "text/words.h"
#include "web/problem.h"

namespace web {

namespace {

// "https://Fax.Example:443" and "https://fax.example" are the same origin (RFC 6454 section 4).
std::string https_origin(std::string_view host) {
  std::string origin = "https://" + text::lower(host);
  if (origin.ends_with(":443")) origin.resize(origin.size() - 4);
  return origin;
}

core::Result<void> check_guard(const Guard& guard, const Request& request) {
  if (guard.access != Access::anybody && request.user().empty()) return core::Error{.code = core::Code::unauthenticated, .text = "nobody is logged in"};
  if (guard.origin == Origin::ours) CORE_CHECK(check_origin(request));
  if (guard.access == Access::admin && !request.is_admin())
    return core::Error{.code = core::Code::forbidden, .text = "the role is not admin", .hint = "Only an administrator may do this."};
  return {};
}

}  // namespace

core::Result<void> check_origin(const Request& request) {
  if (request.by_key() && !request.user().empty()) return {};
  const std::optional<std::string_view> origin = request.header("Origin");
  const bool ours = origin ? origin->starts_with("https://") && !request.host().empty() && https_origin(origin->substr(8)) == https_origin(request.host())
                           : request.header("Sec-Fetch-Site") == "same-origin";
  if (ours) return {};
  return core::Error{.code = core::Code::forbidden, .text = origin ? "the Origin is another's" : "neither Origin nor Sec-Fetch-Site says same-origin",
                     .hint = "A change has to come from the fax line's own page, or with an API key."};
}

std::string_view Match::operator[](std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return value;
  return {};
}

Routes& Routes::add(std::string_view method, std::string_view pattern, Guard guard, Handler handler) {
  Route route{std::string(method), std::string(pattern), {}, guard, std::move(handler)};
  for (const std::string_view part : text::split(pattern.substr(1), '/')) {
    const std::size_t open = part.find('{');
    const std::size_t close = part.find('}');
    if (open == part.npos || close == part.npos) {
      route.pieces.push_back({std::string(part), "", ""});
    } else {
      route.pieces.push_back({std::string(part.substr(0, open)), std::string(part.substr(open + 1, close - open - 1)), std::string(part.substr(close + 1))});
    }
  }
  routes_.push_back(std::move(route));
  return *this;
}

bool Routes::fits(const Route& route, const Request& request, Match& match) {
  const std::vector<std::string>& segments = request.segments();
  if (segments.size() != route.pieces.size()) return false;
  Match found;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Piece& piece = route.pieces[i];
    std::string_view rest = segments[i];
    if (piece.name.empty()) {
      if (rest != piece.before) return false;
      continue;
    }
    if (!rest.starts_with(piece.before)) return false;
    rest.remove_prefix(piece.before.size());
    if (!rest.ends_with(piece.after)) return false;
    rest.remove_suffix(piece.after.size());
    if (rest.empty()) return false;
    found.add(piece.name, std::string(rest));
  }
  match = std::move(found);
  return true;
}

Response Routes::answer(Request& request) const {
  const Route* chosen = nullptr;
  Match match;
  std::vector<std::string_view> allowed;
  for (const Route& route : routes_) {
    Match found;
    if (!fits(route, request, found)) continue;
    const bool serves_head = route.method == "GET";
    if (chosen == nullptr && (route.method == request.method() || (serves_head && request.method() == "HEAD"))) {
      chosen = &route;
      match = std::move(found);
    }
    for (const std::string_view method : {std::string_view(route.method), serves_head ? std::string_view("HEAD") : std::string_view()})
      if (!method.empty() && std::find(allowed.begin(), allowed.end(), method) == allowed.end()) allowed.push_back(method);
  }
  if (allowed.empty()) return finish(refuse({.code = core::Code::not_found, .text = "no such path"}, loggable_path(request), request), request);
  if (chosen == nullptr) {
    std::string allow;
    for (const std::string_view method : allowed) allow.append(allow.empty() ? "" : ", ").append(method);
    Response response = refuse({.code = core::Code::method, .text = "no such method"}, loggable_path(request), request);
    response.set("Allow", allow);
    return finish(std::move(response), request);
  }
  core::Result<Response> response = run(*chosen, request, match);
  if (!response) return finish(refuse(response.error(), chosen->method + " " + chosen->pattern, request), request);
  return finish(std::move(*response), request);
}

core::Result<Response> Routes::run(const Route& route, Request& request, const Match& match) const {
  CORE_CHECK(check_guard(route.guard, request));
  // An exception's what() may hold anything that was worked on, so only its kind is logged.
  try {
    return route.handler(request, match);
  } catch (const std::bad_alloc&) {
    return core::Error{.code = core::Code::internal, .text = "out of memory"};
  } catch (const std::exception& exception) {
    return core::Error{.code = core::Code::internal, .text = std::string("exception ") + typeid(exception).name()};
  } catch (...) {
    return core::Error{.code = core::Code::internal, .text = "exception of no known kind"};
  }
}

Response Routes::refuse(const core::Error& error, std::string_view operation, const Request& request) const {
  log_error(error, operation, request);
  Response response = problem(error, request.id());
  if (faults_ == Faults::empty) response.clear_body();
  return response;
}

Response Routes::finish(Response response, const Request& request) const {
  response.set("X-Content-Type-Options", "nosniff");
  if (!response.first("Cache-Control")) response.set("Cache-Control", "no-store");
  if (request.method() == "HEAD") response.omit_body();
  return response;
}

}  // namespace web
