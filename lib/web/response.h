// An answer: a status, headers, and a text or a piece of a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "core/result.h"
#include "web/request.h"

namespace web {

// `length` bytes of a regular file from `offset` on. Whoever sends it, sends it in blocks of 64 KB.
struct FileBody {
  core::UniqueFd fd;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Moves, never copies (a file goes out once).
class Response {
 public:
  explicit Response(int status = 200) : status_(status) {}

  int status() const { return status_; }

  // set: in place of all of that name; add: one more; first: the value, if there is one. Names are told apart without
  // case. No control character ever gets out: in a value each becomes a space, and a name that is no token (RFC 9110
  // 5.6.2) loses the whole header.
  Response& set(std::string_view name, std::string_view value);
  Response& add(std::string_view name, std::string_view value);
  Response& remove(std::string_view name);
  std::optional<std::string_view> first(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

  Response& set_text(std::string text, std::string_view content_type);
  Response& set_file(FileBody file, std::string_view content_type);
  // The body goes (and the file is closed); its length is still told, as a HEAD wants it.
  Response& omit_body();
  // The body goes, and with it its type and length.
  Response& clear_body();

  const std::string& text() const { return text_; }
  const std::optional<FileBody>& file() const { return file_; }
  // For Content-Length; nothing where none may be told: 1xx, 204, 304, and where nginx sends a file in our place.
  std::optional<std::uint64_t> content_length() const;

  // A cookie for this host and TLS alone (RFC 6265; the name has to begin with "__Host-"): Secure, HttpOnly, Path=/,
  // SameSite=Strict. Strict, for nothing outside has a reason to link into the API: links in mails lead to the page,
  // which needs no log-in to load, and asks for the rest from its own site. A `max_age` of 0 ends the cookie. A value
  // with other characters than RFC 6265 4.1.1 allows loses the cookie.
  Response& set_cookie(std::string_view name, std::string_view value, std::chrono::seconds max_age);

 private:
  int status_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string text_;
  std::optional<FileBody> file_;
  std::optional<std::uint64_t> omitted_;  // length of a body that is not sent
};

// `json` and `xml` are sent as they are: they come from a writer that keeps them valid.
Response json(int status, std::string json);
Response xml(std::string xml);  // 200 text/xml
Response text(int status, std::string_view plain);
Response empty(int status);
Response redirect(int status, std::string_view location);

// nginx sends the file at this path, which only an `internal` location serves. The path is percent-encoded here, but
// for its slashes. Content-Type, Content-Disposition and Cache-Control set here are kept by nginx, others are not.
Response accel_redirect(std::string_view internal_path);

// The file, or the one range that a GET asks for (RFC 9110 section 14): 200, 206, or 416 with the length and a problem. Several
// ranges, a broken Range, one whose If-Range is not exactly `etag`: 200, the whole. HEAD is told the length, no bytes.
// `disposition`: of text::content_disposition, or empty. `etag`: with its quotes, or empty.
// internal: not a regular file, or fstat(2) failed.
core::Result<Response> respond_with_file(const Request& request, core::UniqueFd fd, std::string_view content_type,
                                         std::string_view disposition, std::string_view etag);

// "Not Found" for 404 (RFC 9110 section 15; RFC 4918 for 507). "Unknown" for a number that we never use.
std::string_view reason_phrase(int status);

}  // namespace web
