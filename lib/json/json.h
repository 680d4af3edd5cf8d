// JSON (RFC 8259): reading with limits, writing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace json {

// A value that was read; cheap to copy, never changes. Of a value that is not of the kind that is
// asked for, or not there, all questions are answered with "no": v["a"]["b"].text() never fails.
class Value {
 public:
  Value() = default;
  explicit operator bool() const;               // there, and not null
  Value operator[](std::string_view name) const;  // member of an object; the last one if the name is there twice
  std::vector<Value> items() const;             // of an array
  std::vector<std::pair<std::string, Value>> members() const;  // of an object
  std::optional<std::string> text() const;
  std::optional<std::int64_t> int64() const;    // a whole number that fits
  std::optional<bool> flag() const;
  bool is_object() const;
  bool is_array() const;
  // Text as it is, a whole number in digits: for fields that some peers write as the one and some as the other.
  std::optional<std::string> text_or_number() const;

 private:
  friend core::Result<Value> parse(std::string_view, std::size_t);
  Value(std::shared_ptr<const void> owner, const void* node) : owner_(std::move(owner)), node_(node) {}
  std::shared_ptr<const void> owner_;
  const void* node_ = nullptr;
};

// The whole text as one value. bad_request: no JSON, not UTF-8, deeper than 32, or more than `max_bytes`.
core::Result<Value> parse(std::string_view text, std::size_t max_bytes = 1 << 20);

// Writes one value, in order; commas and escaping are its own. Broken UTF-8 becomes U+FFFD.
//   json::Writer w;  w.begin_object().key("id").value(id).key("pages").value(pages).end_object();
class Writer {
 public:
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(std::int64_t number);
  Writer& value(int number) { return value(std::int64_t{number}); }
  Writer& value(bool flag);
  Writer& null();
  template <typename T>
  Writer& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  // Null in place of an empty text.
  Writer& text_or_null(std::string_view text) { return text.empty() ? null() : value(text); }
  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace json
