// Private to this module: the few tools for bytes from outside that its parsers share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace form {

enum class Plus { itself, space };

// The bytes; nothing if a "%" is not followed by two hexadecimal digits.
std::optional<std::string> decode_percent(std::string_view text, Plus plus);

// The length in bytes of the character at the front, as RFC 3629 allows it; 0 if there is none, or a broken one.
std::size_t character_length(std::string_view text);

// C0 and DEL. Bytes above 0x7f are not looked at.
bool is_control(char byte);

std::string_view without_blanks(std::string_view text);  // spaces and tabs at both ends
std::string lower(std::string_view text);                // A to Z only

// "50 MB", "64 KB", "100 bytes": a limit for people, never more than it is.
std::string size_in_words(std::uint64_t bytes);

// bad_request: `text` for the log, `hint` for the person.
core::Error bad_request(std::string_view text, std::string_view hint);

}  // namespace form
