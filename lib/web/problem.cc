#include "web/problem.h"

#include <array>

#include "json/writer.h"

namespace web {

namespace {

struct Row {
  core::Code code;
  int status;
  std::string_view title;
  std::string_view detail;  // where the error has no hint
};

constexpr std::array kTable{
    Row{core::Code::bad_request, 400, "Malformed request", "The request could not be read."},
    Row{core::Code::unauthenticated, 401, "Not logged in", "Log in first, or give a valid key."},
    Row{core::Code::forbidden, 403, "Not allowed", "This is not allowed."},
    Row{core::Code::not_found, 404, "Not found", "There is nothing here by that name."},
    Row{core::Code::method, 405, "Method not allowed", "This cannot be done here."},
    Row{core::Code::conflict, 409, "Not in this state", "This cannot be done now."},
    Row{core::Code::too_large, 413, "Too large", "That is larger than this line takes."},
    Row{core::Code::unsupported, 415, "Not a type that can be faxed", "This type of content is not taken."},
    Row{core::Code::invalid, 422, "Not valid", "A value makes no sense."},
    Row{core::Code::limited, 429, "Too many tries", "Too many tries. Wait a little, then try again."},
    Row{core::Code::no_space, 507, "No space", "There is no space left for this. Tell the administrator; nothing was taken."},
    Row{core::Code::unavailable, 503, "Not now", "The line is busy. Try again in a moment."},
    Row{core::Code::provider_refused, 502, "The provider refused", "The provider refused this."},
    Row{core::Code::provider_down, 503, "Provider not reachable", "The provider cannot be reached. Try again later."},
    Row{core::Code::unknown_outcome, 503, "Outcome unknown", "It is not known whether this was done. Look before you try again."},
    Row{core::Code::settings, 500, "Not set up", "This line is not set up rightly. Tell its administrator."},
};
constexpr Row kInternal{core::Code::internal, 500, "Something broke", "Something broke here, and it has been logged."};
constexpr std::chrono::seconds kLater{5};

const Row& row_of(core::Code code) {
  for (const auto& row : kTable)
    if (row.code == code) return row;
  return kInternal;
}

}  // namespace

int status_of(core::Code code) { return row_of(code).status; }

Response problem(const core::Error& error, std::string_view request_id, std::string_view suggestion) {
  const auto& row = row_of(error.code);
  std::string detail = error.hint.empty() ? std::string(row.detail) : error.hint;
  if (row.status == 500) detail += " When you ask for help, quote " + std::string(request_id) + ".";
  json::Writer body;
  body.begin_object().member("type", "about:blank").member("title", row.title).member("status", row.status).member("detail", detail);
  if (!error.field.empty()) body.member("field", error.field);
  if (!suggestion.empty()) body.member("suggestion", suggestion);
  body.end_object();
  auto response = text(row.status, body.text(), "application/problem+json");
  const auto wait = error.retry_after.count() > 0 ? error.retry_after : row.status == 503 ? kLater : std::chrono::seconds(0);
  if (wait.count() > 0) response.with("Retry-After", std::to_string(wait.count()));
  return response;
}

}  // namespace web
