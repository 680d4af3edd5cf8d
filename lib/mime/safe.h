// Values from outside made fit for a mail's header (peculiar to this module).
#pragma once

#include <string>
#include <string_view>

namespace mime {

// One line of valid UTF-8 for people: broken bytes become U+FFFD, control characters,
// line and paragraph separators and marks that turn the writing direction become spaces,
// "=?" (which would be read as an encoded word, RFC 2047) becomes "= ?", edges are
// trimmed, and it is cut after `limit` characters.
std::string safe_line(std::string_view text, std::size_t limit = 200);

// Text of a body: valid UTF-8, lines end with "\n", no control characters but tab,
// ends with a line feed.
std::string safe_text(std::string_view text);

// A token of visible ASCII: all else becomes "_"; cut after 128 characters.
std::string safe_token(std::string_view text);

// "local@domain" of the characters of a dot-atom (RFC 5322 3.2.3): all else becomes "_".
// The last "@" divides; without one, or with nothing after it, the domain is "localhost".
// Empty only if `address` is.
std::string safe_address(std::string_view address);

// A file name for any system: no "/", "\", ":", control or direction characters, no dot or
// space in front, at most 120 characters (its ending kept); "fax.pdf" if nothing is left.
std::string safe_file_name(std::string_view name);

}  // namespace mime
