#include "web/request.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "core/clock.h"
#include "core/id.h"
#include "text/percent.h"
#include "text/words.h"

namespace web {

core::Result<std::size_t> TextBody::read_some(std::span<std::byte> buffer) {
  const auto count = std::min(buffer.size(), text_.size() - offset_);
  std::memcpy(buffer.data(), text_.data() + offset_, count);
  offset_ += count;
  return count;
}

Request::Request(std::map<std::string, std::string, std::less<>> parameters, std::unique_ptr<Body> body)
    : parameters_(std::move(parameters)), body_(std::move(body)), method_(parameter("REQUEST_METHOD")), target_(parameter("REQUEST_URI")), id_(parameter("REQUEST_ID")) {
  const auto raw_path = std::string_view(target_).substr(0, target_.find('?'));
  auto decoded = text::percent_decode(raw_path, text::PlusMeans::plus);
  path_ = decoded && !decoded->empty() && decoded->find('\0') == std::string::npos ? std::move(*decoded) : std::string("/");
  content_length_ = std::max<std::int64_t>(0, text::parse_int64(parameter("CONTENT_LENGTH")).value_or(0));
  if (id_.empty()) id_ = core::new_id(core::SystemClock().now());
}

std::string_view Request::query() const {
  const auto mark = target_.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target_).substr(mark + 1);
}

core::Result<form::Fields> Request::query_fields() const { return form::parse_urlencoded(query()); }

std::string_view Request::parameter(std::string_view name) const {
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view Request::header(std::string_view name) const {
  std::string key;
  for (const char c : name) key += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (key != "CONTENT_TYPE" && key != "CONTENT_LENGTH") key.insert(0, "HTTP_");
  return parameter(key);
}

core::Result<std::size_t> Request::read_some(std::span<std::byte> buffer) {
  const auto left = content_length_ - read_bytes_;
  if (left <= 0 || body_ == nullptr) return left <= 0 ? core::Result<std::size_t>(std::size_t{0}) : core::Result<std::size_t>(core::Error{core::Code::bad_request, "no body"});
  CORE_TRY(count, body_->read_some(buffer.first(std::min(buffer.size(), static_cast<std::size_t>(left)))));
  if (count == 0) return core::Error{core::Code::bad_request, "the body was cut off", "The upload was cut off before its end. Try again."};
  read_bytes_ += static_cast<std::int64_t>(count);
  return count;
}

core::Result<std::string> Request::read_all(std::size_t limit_bytes) {
  if (content_length_ > static_cast<std::int64_t>(limit_bytes))
    return core::Error{core::Code::too_large, "body over the limit", "The request is too large: at most " + std::to_string(limit_bytes / 1024) + " KB are taken here."};
  std::string text(static_cast<std::size_t>(content_length_), '\0');
  for (std::size_t filled = 0; filled < text.size();) {
    CORE_TRY(count, read_some(std::as_writable_bytes(std::span(text)).subspan(filled)));
    filled += count;
  }
  return text;
}

}  // namespace web
