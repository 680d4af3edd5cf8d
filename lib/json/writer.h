// Writing JSON (RFC 8259): what comes out is valid UTF-8 and valid JSON, whatever goes in.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace json {

// Appends `text` in quotes: broken UTF-8 becomes U+FFFD, and every control character (C0, DEL, C1) and the line
// separators U+2028 and U+2029 are escaped.
void append_quoted(std::string& to, std::string_view text);

//   json::Writer writer;
//   writer.begin_object().member("id", id).key("pages").begin_array().value(1).end_array().end_object();
//   send(writer.text());
//
// Compact, members in the order of the calls. A call that would make the text invalid (a value where a name belongs,
// an end without its beginning, a second value at the top) is a bug and ends the process.
class Writer {
 public:
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();

  // The name of the next value, in an object. Names are not checked for being there twice.
  Writer& key(std::string_view name);

  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(std::nullptr_t);
  Writer& value(std::same_as<bool> auto truth) { return truth ? literal("true") : literal("false"); }
  // Whole numbers to the last digit. (A browser's numbers are exact up to 2^53 only.)
  Writer& value(std::signed_integral auto number) { return integer(number); }
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  Writer& value(Number number) { return natural(number); }
  // The shortest text that reads back as the same double, 5 as 5.0; what is not finite becomes null.
  Writer& value(double number);
  // Nothing becomes null.
  template <typename T>
  Writer& value(const std::optional<T>& maybe) { return maybe ? value(*maybe) : value(nullptr); }

  // Puts a text that is JSON already in the place of a value. It is checked: what is no JSON is written as a string.
  Writer& raw(std::string_view json);

  // key() and value() in one.
  template <typename T>
  Writer& member(std::string_view name, const T& content) { return key(name).value(content); }

  // The whole text; valid as long as the writer and until its next call. Asking before the value is whole is a bug
  // and ends the process.
  const std::string& text() const;

 private:
  struct Level {
    bool object;
    bool empty = true;
    bool named = false;  // a key was written, and its value not yet
  };
  void before_value();
  Writer& begin(bool object);
  Writer& end(bool object);
  Writer& literal(std::string_view text);
  Writer& integer(std::int64_t number);
  Writer& natural(std::uint64_t number);

  std::string text_;
  std::vector<Level> levels_;
  bool done_ = false;
};

}  // namespace json
