#include "text/percent.h"

namespace text {

namespace {

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kDigits = "0123456789ABCDEF";

// 0 to 15; npos for what is no hexadecimal digit.
std::size_t digit_value(char digit) {
  return kDigits.find(digit >= 'a' && digit <= 'f' ? static_cast<char>(digit - 'a' + 'A') : digit);
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
  std::string encoded;
  encoded.reserve(bytes.size());
  for (const char byte : bytes) {
    if (kUnreserved.find(byte) != std::string_view::npos) {
      encoded += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    encoded += {'%', kDigits[value >> 4], kDigits[value & 15]};
  }
  return encoded;
}

core::Result<std::string> percent_decode(std::string_view encoded, PlusMeans plus) {
  std::string bytes;
  bytes.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      bytes += encoded[i] == '+' && plus == PlusMeans::space ? ' ' : encoded[i];
      continue;
    }
    const std::size_t high = i + 1 < encoded.size() ? digit_value(encoded[i + 1]) : std::string_view::npos;
    const std::size_t low = i + 2 < encoded.size() ? digit_value(encoded[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos)
      return core::Error{.code = core::Code::bad_request, .text = "percent-encoding: '%' without two hexadecimal digits"};
    bytes += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return bytes;
}

}  // namespace text
