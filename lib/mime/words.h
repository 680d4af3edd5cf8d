// Headers that are not ASCII, as encoded words (RFC 2047; peculiar to this module). GMime makes words of up to 152
// characters of a text without spaces; 75 is the limit, and readers may show a longer one as it stands.
#pragma once

#include <string>
#include <string_view>

namespace mime {

bool is_ascii(std::string_view text);

// Of valid UTF-8: encoded words in base64, of at most 64 characters each, none of which ends within a character; each but
// the first on a line of its own ("\n "). Room is left for "Subject: " before the first.
std::string encoded_words(std::string_view text);

// The same for a text without structure, a subject: the words in front of the first that is not ASCII stay as they are,
// if they fit into the first line.
std::string encoded_text(std::string_view text);

}  // namespace mime
