// Small tools for ASCII text. None looks at the locale; bytes above 0x7f are never touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace text {

// Without white space (space, \t, \n, \v, \f, \r) at both ends. A view into `text`.
std::string_view trim(std::string_view text);

// A to Z as a to z.
std::string lower(std::string_view text);

// Equal but for the case of A to Z: names of headers, schemes, hosts.
bool equal_ignoring_case(std::string_view left, std::string_view right);

// The parts between separators: one more than there are separators, so "" gives one empty part. Views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

// A decimal number that is the whole text: digits, "-" allowed in front; no "+", no white space, nothing out of range.
std::optional<std::int64_t> parse_int64(std::string_view text);

// True if not empty and every byte is 0x21 to 0x7e (VCHAR of RFC 5234): no space, no control character.
bool is_visible_ascii(std::string_view text);

}  // namespace text
