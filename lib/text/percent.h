// Percent-encoding (RFC 3986 section 2.1).
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace text {

// Every byte but the unreserved ones (letters, digits, "-", ".", "_", "~": RFC 3986 2.3) becomes "%XX" with upper-case
// digits. Right for a path segment, a query's name or value, user and password in a URL, and RFC 8187's values.
std::string percent_encode(std::string_view bytes);

// What a "+" stands for: itself in paths and user information, a space in forms and their queries.
enum class PlusMeans { plus, space };

// The bytes that were encoded: any bytes, NUL and broken UTF-8 too. bad_request if a "%" is not followed by two
// hexadecimal digits of either case.
core::Result<std::string> percent_decode(std::string_view encoded, PlusMeans plus);

}  // namespace text
