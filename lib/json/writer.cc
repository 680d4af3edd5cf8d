#include "json/writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace json {

namespace {

template <typename Number>
std::string number_text(Number number) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

bool is_plain(std::string_view text) {
  for (const char byte : text)
    if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\') return false;
  return true;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

void append_quoted(std::string& to, std::string_view text) {
  if (is_plain(text)) {
    to.append("\"").append(text).append("\"");
    return;
  }
  const std::string quoted = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // nlohmann escapes what RFC 8259 asks for; DEL, C1 and the line separators are left, as bytes of valid UTF-8.
  const auto byte = [&](std::size_t at) { return at < quoted.size() ? static_cast<unsigned char>(quoted[at]) : 0U; };
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (byte(i) == 0x7f) {
      to += "\\u007f";
    } else if (byte(i) == 0xc2 && byte(i + 1) < 0xa0) {
      const unsigned code = byte(++i);
      to.append("\\u00").append({kDigits[code >> 4], kDigits[code & 15]});
    } else if (byte(i) == 0xe2 && byte(i + 1) == 0x80 && (byte(i + 2) == 0xa8 || byte(i + 2) == 0xa9)) {
      to += byte(i + 2) == 0xa8 ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      to += quoted[i];
    }
  }
}

void Writer::before_value() {
  require(!done_);
  if (levels_.empty()) return;
  Level& level = levels_.back();
  require(!level.object || level.named);
  if (!level.object && !level.empty) text_ += ',';
  level.empty = false;
  level.named = false;
}

Writer& Writer::begin(bool object) {
  before_value();
  levels_.push_back({.object = object});
  text_ += object ? '{' : '[';
  return *this;
}

Writer& Writer::end(bool object) {
  require(!levels_.empty() && levels_.back().object == object && !levels_.back().named);
  levels_.pop_back();
  done_ = levels_.empty();
  text_ += object ? '}' : ']';
  return *this;
}

Writer& Writer::begin_object() { return begin(true); }
Writer& Writer::end_object() { return end(true); }
Writer& Writer::begin_array() { return begin(false); }
Writer& Writer::end_array() { return end(false); }

Writer& Writer::key(std::string_view name) {
  require(!levels_.empty() && levels_.back().object && !levels_.back().named);
  Level& level = levels_.back();
  if (!level.empty) text_ += ',';
  level.empty = false;
  level.named = true;
  append_quoted(text_, name);
  text_ += ':';
  return *this;
}

Writer& Writer::literal(std::string_view text) {
  before_value();
  text_ += text;
  done_ = levels_.empty();
  return *this;
}

Writer& Writer::value(std::string_view text) {
  before_value();
  append_quoted(text_, text);
  done_ = levels_.empty();
  return *this;
}

Writer& Writer::value(std::nullptr_t) { return literal("null"); }
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return value(nullptr);
  std::string text = number_text(number);
  // Else it would read back as a whole number, and -0 lose its sign.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return literal(text);
}
Writer& Writer::integer(std::int64_t number) { return literal(number_text(number)); }
Writer& Writer::natural(std::uint64_t number) { return literal(number_text(number)); }

Writer& Writer::raw(std::string_view json) {
  // The check passes over a byte order mark, and takes a NUL for the end: neither may stand inside a text.
  const bool sound = !json.starts_with("\xef\xbb\xbf") && json.find('\0') == std::string_view::npos && nlohmann::json::accept(json);
  return sound ? literal(json) : value(json);
}

const std::string& Writer::text() const {
  require(done_);
  return text_;
}

}  // namespace json
