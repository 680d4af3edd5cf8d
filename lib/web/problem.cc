#include "web/problem.h"

#include <algorithm>

#include "core/log.h"
#include "json/writer.h"

namespace web {

namespace {

constexpr std::chrono::seconds kRetryAfter{5};

std::string_view sentence(core::Code code) {
  switch (code) {
    case core::Code::bad_request: return "The request is malformed.";
    case core::Code::unauthenticated: return "Log in first, or give an API key.";
    case core::Code::forbidden: return "This is not allowed.";
    case core::Code::not_found: return "There is nothing at this address.";
    case core::Code::method: return "This address does not take this method.";
    case core::Code::conflict: return "This is not possible in the present state.";
    case core::Code::too_large: return "This is too large.";
    case core::Code::unsupported: return "This kind of content cannot be used here.";
    case core::Code::invalid: return "A value makes no sense.";
    case core::Code::limited: return "Too many tries. Wait a moment, then try again.";
    case core::Code::no_space: return "There is no space left for this. Delete what is not needed any more, or ask the administrator.";
    case core::Code::unavailable: return "This cannot be done now. Try again in a moment.";
    case core::Code::provider_refused: return "The fax provider refused this.";
    case core::Code::provider_down: return "The fax provider does not answer. Try again in a moment.";
    case core::Code::unknown_outcome: return "It is not certain whether this was done. Look before you try again.";
    case core::Code::settings:
    case core::Code::internal: break;
  }
  return "Something went wrong here.";
}

core::Level level_of(int status) {
  if (status == 500) return core::Level::error;
  return status > 500 || status == 403 || status == 429 ? core::Level::warning : core::Level::info;
}

}  // namespace

int status_of(core::Code code) {
  switch (code) {
    case core::Code::bad_request: return 400;
    case core::Code::unauthenticated: return 401;
    case core::Code::forbidden: return 403;
    case core::Code::not_found: return 404;
    case core::Code::method: return 405;
    case core::Code::conflict: return 409;
    case core::Code::too_large: return 413;
    case core::Code::unsupported: return 415;
    case core::Code::invalid: return 422;
    case core::Code::limited: return 429;
    case core::Code::provider_refused: return 502;
    case core::Code::unavailable:
    case core::Code::provider_down: return 503;
    case core::Code::unknown_outcome: return 504;
    case core::Code::no_space: return 507;
    case core::Code::settings:
    case core::Code::internal: break;
  }
  return 500;
}

Response problem(const core::Error& error, std::string_view request_id) {
  const int status = status_of(error.code);
  std::string detail = error.hint.empty() ? std::string(sentence(error.code)) : error.hint;
  if (status == 500) detail.append(" If it happens again, give the administrator this number: ").append(request_id);
  json::Writer writer;
  writer.begin_object().member("type", "about:blank").member("title", reason_phrase(status)).member("status", status).member("detail", detail);
  if (!error.field.empty()) writer.member("field", error.field);
  writer.end_object();
  Response response(status);
  response.set_text(writer.text(), "application/problem+json");
  if (status == 401) response.set("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503 || error.retry_after.count() > 0)
    response.set("Retry-After", std::to_string((error.retry_after.count() > 0 ? error.retry_after : kRetryAfter).count()));
  return response;
}

Response method_not_allowed(std::string_view allow, std::string_view request_id) {
  Response response = problem({.code = core::Code::method, .text = "no such method"}, request_id);
  response.set("Allow", allow);
  return response;
}

void log_error(const core::Error& error, std::string_view operation, const Request& request) {
  core::log(level_of(status_of(error.code)), "request failed", error, {{"operation", operation}, {"request", request.id()}, {"user", request.user()}});
}

}  // namespace web
