#include "web/body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace web {

core::Result<std::size_t> Body::read_some(std::span<std::byte> buffer) {
  const core::Error cut_off{.code = core::Code::bad_request, .text = "the body ended before its length", .hint = "The upload was cut off. Try again."};
  if (broken_) return cut_off;
  if (length_) buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), *length_ - received_)));
  if (buffer.empty()) return std::size_t{0};
  core::Result<std::size_t> count = take(buffer);
  if (!count || (*count == 0 && length_)) {
    broken_ = true;
    return count ? cut_off : std::move(count).error();
  }
  received_ += *count;
  return count;
}

core::Result<std::string> Body::read_all(std::size_t limit_bytes) {
  const core::Error too_large{.code = core::Code::too_large, .text = "a body over " + std::to_string(limit_bytes) + " bytes",
                              .hint = "This is too large. The limit is " + std::to_string(limit_bytes) + " bytes."};
  if (length_ && *length_ - received_ > limit_bytes) return too_large;
  std::string text;
  std::array<std::byte, 4096> block;
  for (;;) {
    CORE_TRY(count, read_some(block));
    if (count == 0) return text;
    if (text.size() + count > limit_bytes) return too_large;
    text.append(reinterpret_cast<const char*>(block.data()), count);
  }
}

core::Result<std::size_t> TextBody::take(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), text_.size() - at_);
  if (count > 0) std::memcpy(buffer.data(), text_.data() + at_, count);
  at_ += count;
  return count;
}

}  // namespace web
