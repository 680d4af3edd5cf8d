// Bytes as text: base 16 and base 64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace crypto {

// Two lower-case digits a byte.
std::string hex(std::string_view bytes);

// RFC 4648 section 4, with padding, in one line.
std::string base64_encode(std::string_view bytes);

// Exactly what base64_encode() writes, so that one value has one spelling: bad_request for missing padding, white space,
// characters of the other alphabet, bits that are not zero after the last byte.
core::Result<std::string> base64_decode(std::string_view encoded);

// RFC 4648 section 5 without padding: "-" and "_", safe in URLs and file names; just as strict.
std::string base64url_encode(std::string_view bytes);
core::Result<std::string> base64url_decode(std::string_view encoded);

}  // namespace crypto
