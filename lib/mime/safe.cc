#include "mime/safe.h"

#include <algorithm>

namespace mime {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// The next code point of UTF-8, strictly by RFC 3629; a broken byte is one U+FFFD.
char32_t next(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 0;
  char32_t point = 0;
  if (first < 0x80) { length = 1; point = first; }
  else if (first >= 0xC2 && first < 0xE0) { length = 2; point = first & 0x1Fu; }
  else if (first >= 0xE0 && first < 0xF0) { length = 3; point = first & 0x0Fu; }
  else if (first >= 0xF0 && first < 0xF5) { length = 4; point = first & 0x07u; }
  bool good = length > 0 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xC0u) == 0x80;
    point = (point << 6) | (byte(i) & 0x3Fu);
  }
  if (good && ((length == 3 && point < 0x800) || (length == 4 && (point < 0x10000 || point > 0x10FFFF)) ||
               (point >= 0xD800 && point < 0xE000)))
    good = false;
  text.remove_prefix(good ? length : 1);
  return good ? point : kReplacement;
}

void append(std::string& text, char32_t point) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80) add(point);
  else if (point < 0x800) { add(0xC0 | (point >> 6)); add(0x80 | (point & 0x3F)); }
  else if (point < 0x10000) { add(0xE0 | (point >> 12)); add(0x80 | ((point >> 6) & 0x3F)); add(0x80 | (point & 0x3F)); }
  else { add(0xF0 | (point >> 18)); add(0x80 | ((point >> 12) & 0x3F)); add(0x80 | ((point >> 6) & 0x3F)); add(0x80 | (point & 0x3F)); }
}

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

bool turns_direction(char32_t point) {
  return point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

bool is_atom(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(letter) != std::string_view::npos;
}

std::string atoms(std::string_view text, std::size_t limit) {
  std::string safe;
  for (const char letter : text.substr(0, limit)) {
    const bool dot = letter == '.' && !safe.empty() && safe.back() != '.';
    safe += dot || is_atom(letter) ? letter : '_';
  }
  if (!safe.empty() && safe.back() == '.') safe.back() = '_';
  return safe;
}

}  // namespace

std::string safe_line(std::string_view text, std::size_t limit) {
  std::string safe;
  for (std::size_t count = 0; !text.empty() && count < limit; ++count) {
    char32_t point = next(text);
    if (is_control(point) || turns_direction(point)) point = ' ';
    if (point == '?' && safe.ends_with('=')) safe += ' ';
    append(safe, point);
  }
  while (safe.ends_with(' ')) safe.pop_back();
  safe.erase(0, safe.find_first_not_of(' ') == std::string::npos ? safe.size() : safe.find_first_not_of(' '));
  return safe;
}

std::string safe_text(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    char32_t point = next(text);
    if (point == '\r') {
      if (text.starts_with('\n')) continue;
      point = '\n';
    }
    if (is_control(point) && point != '\n' && point != '\t') point = ' ';
    append(safe, point);
  }
  if (!safe.ends_with('\n')) safe += '\n';
  return safe;
}

std::string safe_token(std::string_view text) {
  std::string safe(text.substr(0, 128));
  std::replace_if(safe.begin(), safe.end(), [](char letter) { return letter <= ' ' || letter > '~'; }, '_');
  return safe;
}

std::string safe_address(std::string_view address) {
  if (address.empty()) return {};
  const auto at = address.rfind('@');
  std::string local = atoms(address.substr(0, at), 160);
  std::string domain = at == std::string_view::npos ? std::string() : atoms(address.substr(at + 1), 160);
  if (local.empty()) local = "_";
  if (domain.empty()) domain = "localhost";
  return local + "@" + domain;
}

std::string safe_file_name(std::string_view name) {
  constexpr std::size_t kLimit = 120;
  std::u32string points;
  while (!name.empty() && points.size() < 4096) {
    const char32_t point = next(name);
    const bool bad = is_control(point) || turns_direction(point) || point == '/' || point == '\\' || point == ':';
    points += bad ? U'_' : point;
  }
  const auto start = points.find_first_not_of(U". ");
  points.erase(0, start == std::u32string::npos ? points.size() : start);
  if (points.empty()) return "fax.pdf";
  if (points.size() > kLimit) {
    const auto dot = points.rfind(U'.');
    const std::u32string ending = dot != std::u32string::npos && points.size() - dot <= 8 ? points.substr(dot) : U"";
    points = points.substr(0, kLimit - ending.size()) + ending;
  }
  std::string safe;
  for (const char32_t point : points) append(safe, point);
  return safe;
}

}  // namespace mime
