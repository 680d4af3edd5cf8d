// The one table from an Error to HTTP, and what the person is told: application/problem+json (RFC 9457).
#pragma once

#include <string_view>

#include "core/error.h"
#include "web/response.h"

namespace web {

// bad_request 400, unauthenticated 401, forbidden 403, not_found 404, method 405, conflict 409, too_large 413,
// unsupported 415, invalid 422, limited 429, settings and internal 500, provider_refused 502, unavailable and
// provider_down 503, unknown_outcome 504, no_space 507.
int status_of(core::Code code);

// {"type":"about:blank","title":…,"status":…,"detail":…} and "field" where one is to blame. `detail` is the error's
// hint, or a sentence for its code; never its text. With 500 comes the sentence that asks to quote `request_id`.
// Headers: Retry-After with 429 and 503 (5 s if the error says none), and with 401 WWW-Authenticate: Bearer, which
// lets no browser open a window of its own.
Response problem(const core::Error& error, std::string_view request_id);

// 405 with Allow ("GET, HEAD, POST").
Response method_not_allowed(std::string_view allow, std::string_view request_id);

// Once, in the log: `operation`, code, reason, request id and user. error for what is ours to mend, warning for what
// is not now or not allowed, info for what the caller did.
void log_error(const core::Error& error, std::string_view operation, const Request& request);

}  // namespace web
