#include "crypto/encoding.h"

#include <algorithm>
#include <cstdint>

namespace crypto {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Without padding.
std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string encoded;
  encoded.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    const std::size_t digits = std::min<std::size_t>(3, bytes.size()) + 1;
    for (std::size_t i = 0; i < digits; ++i) encoded += alphabet[group >> (18 - 6 * i) & 63];
  }
  return encoded;
}

// Without padding.
core::Result<std::string> decode(std::string_view encoded, std::string_view alphabet) {
  const core::Error broken{.code = core::Code::bad_request, .text = "base 64: malformed"};
  if (encoded.size() % 4 == 1) return broken;
  std::string bytes;
  bytes.reserve(encoded.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char digit : encoded) {
    const std::size_t value = alphabet.find(digit);
    if (value == std::string_view::npos) return broken;
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
    held &= (1U << bits) - 1;
  }
  if (held != 0) return broken;
  return bytes;
}

}  // namespace

std::string hex(std::string_view bytes) {
  std::string digits;
  digits.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    digits += {kHex[value >> 4], kHex[value & 15]};
  }
  return digits;
}

std::string base64_encode(std::string_view bytes) {
  std::string encoded = encode(bytes, kPlain);
  encoded.append((4 - encoded.size() % 4) % 4, '=');
  return encoded;
}

core::Result<std::string> base64_decode(std::string_view encoded) {
  if (encoded.size() % 4 != 0) return core::Error{.code = core::Code::bad_request, .text = "base 64: padding is missing"};
  // Two at most: a third stays, and is no digit.
  for (int i = 0; i < 2 && encoded.ends_with('='); ++i) encoded.remove_suffix(1);
  return decode(encoded, kPlain);
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, kUrl); }

core::Result<std::string> base64url_decode(std::string_view encoded) { return decode(encoded, kUrl); }

}  // namespace crypto
