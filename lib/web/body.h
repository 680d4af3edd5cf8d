// The body of a request, as a stream: memory does not grow with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/result.h"

namespace web {

class Body {
 public:
  // `length`: what Content-Length says; nothing if nobody said, then the body ends where its stream does.
  explicit Body(std::optional<std::uint64_t> length) : length_(length) {}
  virtual ~Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // The next bytes, at most `buffer.size()`; 0 is the end, and the body is whole. Never reads past `length`.
  // bad_request: the stream ended before `length` bytes, or broke (an upload that was cut off); and so again on each
  // later call.
  core::Result<std::size_t> read_some(std::span<std::byte> buffer);

  // What is left of the body, if that is at most `limit_bytes`. Else too_large: at once if `length` says so, then
  // nothing was read; or after `limit_bytes` and one. bad_request as above.
  core::Result<std::string> read_all(std::size_t limit_bytes);

  std::optional<std::uint64_t> length() const { return length_; }
  std::uint64_t received() const { return received_; }  // bytes read so far

 private:
  // Bytes of the stream; 0 is its end, an error says that it broke.
  virtual core::Result<std::size_t> take(std::span<std::byte> buffer) = 0;

  std::optional<std::uint64_t> length_;
  std::uint64_t received_ = 0;
  bool broken_ = false;
};

// A body that is in memory already: for tests, and for requests that were made up.
class TextBody final : public Body {
 public:
  explicit TextBody(std::string text) : Body(text.size()), text_(std::move(text)) {}
  // Says another length than it has: an upload that was cut off.
  TextBody(std::string text, std::optional<std::uint64_t> length) : Body(length), text_(std::move(text)) {}

 private:
  core::Result<std::size_t> take(std::span<std::byte> buffer) override;

  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace web
