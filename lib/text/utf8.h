// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <string>
#include <string_view>

namespace text {

bool valid_utf8(std::string_view bytes);

// The same text, each broken sequence replaced by one U+FFFD (the longest part that could have begun a character counts
// as one, as the Unicode Standard, section 3.9, recommends).
std::string to_valid_utf8(std::string_view bytes);

struct Character {
  char32_t code;  // U+FFFD if not valid
  bool valid;
};

// Takes one character, or one broken sequence, off the front of `rest`, which must not be empty.
Character take_character(std::string_view& rest);

// Appends the UTF-8 of `code`, which must be a character as RFC 3629 allows it.
void append_utf8(std::string& text, char32_t code);

}  // namespace text
