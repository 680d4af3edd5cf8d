#include "text/utf8.h"

namespace text {

namespace {
constexpr Character kBroken{.code = 0xfffd, .valid = false};
}  // namespace

Character take_character(std::string_view& rest) {
  const auto lead = static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  if (lead < 0x80) return {.code = lead, .valid = true};
  if (lead < 0xc2 || lead > 0xf4) return kBroken;
  const int following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  // The second byte's range is what excludes overlong forms, surrogates and everything above U+10FFFF.
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  char32_t code = lead & (0x3fU >> following);
  for (int i = 0; i < following; ++i) {
    const auto next = static_cast<unsigned char>(rest.empty() ? '\0' : rest.front());
    if (next < low || next > high) return kBroken;
    code = code << 6 | (next & 0x3fU);
    rest.remove_prefix(1);
    low = 0x80;
    high = 0xbf;
  }
  return {.code = code, .valid = true};
}

void append_utf8(std::string& text, char32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80U | (code >> shift & 0x3fU)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    text += static_cast<char>(0xc0U | code >> 6);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0U | code >> 12);
    tail(6);
  } else {
    text += static_cast<char>(0xf0U | code >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
}

bool valid_utf8(std::string_view bytes) {
  while (!bytes.empty())
    if (!take_character(bytes).valid) return false;
  return true;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) append_utf8(text, take_character(bytes).code);
  return text;
}

}  // namespace text
