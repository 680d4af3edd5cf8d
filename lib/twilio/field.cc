#include "twilio/field.h"

#include <algorithm>
#include <array>

#include "text/utf8.h"
#include "text/words.h"

namespace twilio {

namespace {
constexpr std::int64_t kMaxPages = 1'000'000;
constexpr std::array<std::string_view, 7> kWithheldWords{"anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"};
// ANONYMOUS, BLOCKED, RESTRICTED, UNAVAILABLE, UNKNOWN.
constexpr std::array<std::string_view, 5> kWithheldDigits{"266696687", "2562533", "7378742833", "86282452253", "8656696"};
}  // namespace

std::string fit(std::string_view value) {
  // Back to a character's edge: what was whole must not end broken.
  auto length = std::min(kMaxFieldBytes, value.size());
  for (int i = 0; i < 3 && length > 0 && length < value.size() && (static_cast<unsigned char>(value[length]) & 0xC0) == 0x80; ++i) --length;
  std::string text = text::to_valid_utf8(value.substr(0, length));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') c = ' ';
  return std::string(text::trim(text));
}

std::string fit_words(std::string_view value) {
  std::string words;
  for (auto mark = value.find("://"); mark != std::string_view::npos; mark = value.find("://")) {
    auto begin = mark;
    while (begin > 0 && ((value[begin - 1] | 0x20) >= 'a' && (value[begin - 1] | 0x20) <= 'z')) --begin;
    words.append(value.substr(0, begin)).append("(address)");
    const auto end = value.find_first_of(std::string_view(" \t\r\n\"'<>`\0", 10), mark);
    value.remove_prefix(std::min(end, value.size()));
    if (words.size() > kMaxFieldBytes) break;
  }
  return fit(words.append(value));
}

std::string fit_caller(std::string_view value) {
  auto caller = fit(value);
  const auto is_word = [&](std::string_view word) { return text::equal_ignoring_case(caller, word); };
  const auto is_digits = [&](std::string_view digits) { return caller == digits || (caller.size() == digits.size() + 1 && caller.front() == '+' && caller.substr(1) == digits); };
  const bool withheld = std::any_of(kWithheldWords.begin(), kWithheldWords.end(), is_word) || std::any_of(kWithheldDigits.begin(), kWithheldDigits.end(), is_digits);
  return withheld ? std::string() : caller;
}

std::string fit_url(std::string_view value) {
  return value.size() <= kMaxUrlBytes && text::is_visible_ascii(value) ? std::string(value) : std::string();
}

std::optional<std::int64_t> read_count(std::string_view text) {
  const auto count = text::parse_int64(text);
  return count && *count >= 0 && *count <= kMaxPages ? count : std::nullopt;
}

}  // namespace twilio
