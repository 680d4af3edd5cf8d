// One request, as nginx hands it over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "form/fields.h"

namespace web {

// The body, read once, from the front.
class Body {
 public:
  virtual ~Body() = default;
  // At most that many bytes; 0: the end. Errors: as the connection gives.
  virtual core::Result<std::size_t> read_some(std::span<std::byte> buffer) = 0;
};

// A body that is in memory already: for tests and small answers.
class TextBody final : public Body {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  core::Result<std::size_t> read_some(std::span<std::byte> buffer) override;

 private:
  std::string text_;
  std::size_t offset_ = 0;
};

class Request {
 public:
  // FastCGI parameters (RFC 3875 names, and nginx's REQUEST_ID, AUTH_*), and the body, which may be null.
  Request(std::map<std::string, std::string, std::less<>> parameters, std::unique_ptr<Body> body);

  const std::string& method() const { return method_; }
  const std::string& path() const { return path_; }    // decoded; "/" if it cannot be
  const std::string& target() const { return target_; }  // path and query exactly as received
  std::string_view query() const;                      // as received, without "?"
  // The decoded query; bad_request if it is malformed.
  core::Result<form::Fields> query_fields() const;

  std::string_view header(std::string_view name) const;  // "Content-Type", in any case; empty: not there
  std::string_view parameter(std::string_view name) const;
  std::int64_t content_length() const { return content_length_; }  // 0: none

  // Who is logged in, by session's word; empty: nobody. `via` is cookie or key.
  std::string_view user() const { return parameter("AUTH_USER"); }
  std::string_view role() const { return parameter("AUTH_ROLE"); }
  std::string_view via() const { return parameter("AUTH_VIA"); }
  const std::string& id() const { return id_; }          // for the log and the person
  std::string_view remote_address() const { return parameter("REMOTE_ADDR"); }

  // The next bytes; 0 only when all of content_length() came: bad_request if the upload was cut off.
  core::Result<std::size_t> read_some(std::span<std::byte> buffer);
  // The whole body, if it has at most `limit_bytes`; else too_large.
  core::Result<std::string> read_all(std::size_t limit_bytes);

 private:
  std::map<std::string, std::string, std::less<>> parameters_;
  std::unique_ptr<Body> body_;
  std::string method_;
  std::string target_;
  std::string path_;
  std::string id_;
  std::int64_t content_length_ = 0;
  std::int64_t read_bytes_ = 0;
};

}  // namespace web
