// Random bytes of the kernel, and the tokens made of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace crypto {

// `count` raw bytes; ends the process if the kernel has none to give.
std::string random_bytes(std::size_t count);

// A capability that nobody can guess: 32 random bytes as 43 characters of base64url. Given away once, never stored.
std::string new_token();

// What is stored in its place: hexadecimal SHA-256, 64 characters. Looked up by equality: a token needs no salt and no
// slow hash, for it has 256 random bits.
std::string token_hash(std::string_view token);

}  // namespace crypto
