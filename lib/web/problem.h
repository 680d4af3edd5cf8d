// The one table from an Error to an HTTP answer (RFC 9457).
#pragma once

#include <string_view>

#include "core/error.h"
#include "web/response.h"

namespace web {

// The status of a kind of trouble.
int status_of(core::Code code);

// application/problem+json with type, title, status, detail and, where one is to blame, field; Retry-After where it is
// said. Only hint and field of the error get out; without a hint the person gets a sentence
// with the request's id to quote. `suggestion`: another value for the field, empty: none.
Response problem(const core::Error& error, std::string_view request_id, std::string_view suggestion = {});

}  // namespace web
