// application/x-www-form-urlencoded (WHATWG URL, section 5.1) and cookies (RFC 6265 section 5.4).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace form {

// Names and values, decoded, in the order they came; names repeated as they were.
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Limits {
  std::size_t bytes = 64 * 1024;
  std::size_t fields = 200;
};

// bad_request: a "%" without two hex digits, a NUL, more fields than allowed; too_large: more bytes.
core::Result<Fields> parse_urlencoded(std::string_view text, const Limits& limits = {});

// The first value of that name.
std::optional<std::string_view> first(const Fields& fields, std::string_view name);

// The value of the first cookie of that name in a Cookie header; what is no cookie is passed over.
std::optional<std::string> cookie(std::string_view header, std::string_view name);

}  // namespace form
