// Reading JSON (RFC 8259) that somebody else wrote: strict, bounded, and exact where it counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace json {

struct Member;

// One JSON value, read-only, which owns everything in it. Questions of the wrong kind are answered by nothing, never
// by a conversion: a provider that sends "3" where a number belongs is noticed.
class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;

  Value() = default;  // null

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  // Valid UTF-8; may hold NUL ("\u0000"). Lives as long as this value.
  std::optional<std::string_view> as_string() const;
  // Only for a number written without "." and exponent that fits; exact. 1.0, 1e3 and 9223372036854775808 are not.
  std::optional<std::int64_t> as_int64() const;
  // Any number, to the nearest double.
  std::optional<double> as_double() const;
  std::optional<bool> as_bool() const;

  // The member of that name; nullptr if there is none, or if this is no object. Names compare byte by byte.
  const Value* find(std::string_view name) const;
  // The same for a chain, answer["data"]["id"]: what is not there reads as null.
  const Value& operator[](std::string_view name) const;

  // The elements in order; empty if this is no array.
  std::span<const Value> items() const;
  // The members in the order of the text; empty if this is no object.
  std::span<const Member> members() const;

 private:
  friend class Builder;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

struct Member {
  std::string name;
  Value value;
};

struct Limits {
  std::size_t max_bytes = std::size_t{1} << 20;  // of the text; memory is at most some 60 times as much ("[0,0,…")
  std::size_t max_depth = 32;                    // of arrays and objects in one another; "[]" is 1
  bool repeated_names = false;                   // a name twice in one object is taken: the last one counts
};

// The whole text as one value; white space around it, and a UTF-8 byte order mark before it, are allowed. Errors, each
// with a hint: too_large over max_bytes; bad_request for anything else: not JSON, text after the value, too deep,
// broken UTF-8, a lone surrogate, a number beyond a double, or a name twice in one object (RFC 8259 section 4 leaves
// that open: two readers could see two different things, so it is refused unless `repeated_names` is set).
core::Result<Value> parse(std::string_view text, Limits limits = {});

}  // namespace json
