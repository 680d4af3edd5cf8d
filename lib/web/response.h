// One answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "core/result.h"
#include "web/request.h"

namespace web {

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // A file as the body, in place of `body`: that many bytes from that offset, streamed.
  core::UniqueFd file = {};
  std::int64_t file_offset = 0;
  std::int64_t file_bytes = 0;

  // Adds a header; line ends in the value become blanks.
  Response& with(std::string_view name, std::string_view value) &;
  Response with(std::string_view name, std::string_view value) &&;
};

Response empty(int status);  // no body, no type
Response text(int status, std::string body, std::string_view type = "text/plain; charset=utf-8");
Response json(int status, std::string body);  // application/json, no-store, nosniff

// A file by GET or HEAD, with one byte range (RFC 9110 section 14): 200, 206, or 416. `disposition` is a whole
// header value. Errors: as fstat(2) gives.
core::Result<Response> file(const Request& request, core::UniqueFd fd, std::string_view type, std::string_view disposition);

// nginx sends the file at that internal path in place of this answer.
Response accelerated(std::string_view internal_path, std::string_view type);

// Secure, HttpOnly, SameSite=Strict, Path=/; `max_age_seconds` 0 removes it. Strict: nothing of the page is ever
// reached from another site.
std::string set_cookie(std::string_view name, std::string_view value, std::int64_t max_age_seconds);

}  // namespace web
