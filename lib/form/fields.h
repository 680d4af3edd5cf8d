// Names and values, as a form, a query or a Cookie header brings them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace form {

struct Field {
  std::string name;
  std::string value;
};

// In the order they came, repeated names kept, names told apart byte by byte ("To" is not "to"): what a request's
// signature is made of. Names and values may hold any bytes.
class Fields {
 public:
  void add(std::string name, std::string value) { list_.push_back({std::move(name), std::move(value)}); }

  // The value of the first field of that name; lives as long as these fields are not changed.
  std::optional<std::string_view> first(std::string_view name) const&;
  std::optional<std::string_view> first(std::string_view name) const&& = delete;  // of a temporary: it would dangle
  std::vector<std::string_view> all(std::string_view name) const;

  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

  // False if any name or value is not UTF-8 (RFC 3629): to be asked before a value is shown or stored as text.
  bool valid_utf8() const;

 private:
  std::vector<Field> list_;
};

// NUL in a name or value. `keep` is for requests that must not be lost for the sake of one odd byte.
enum class Nul { refuse, keep };

struct Limits {
  std::size_t max_bytes = std::size_t{64} << 10;  // of the text as it came
  std::size_t max_fields = 200;
  Nul nul = Nul::refuse;
};

// application/x-www-form-urlencoded (WHATWG URL standard, section 5.1): "&" between fields, the first "=" ends the
// name, "+" is a space. A field without "=" has an empty value; empty pieces ("a=1&&b=2") are skipped. Serves queries
// too, without their "?". Errors, with a hint: too_large over a limit; bad_request for "%" without two hexadecimal
// digits, and for NUL unless it is to be kept.
core::Result<Fields> parse_urlencoded(std::string_view text, Limits limits = {});

// A Cookie header (RFC 6265 section 4.2.1), taken as it is: values not decoded, quotes kept, blanks around names and
// values dropped, pieces without "=" or without a name skipped. Of a name that comes twice the first value counts: that
// of the longest path (section 5.4). Never fails; a header over 16 KB has no cookies.
Fields parse_cookies(std::string_view header);

}  // namespace form
