// Ids of our own things: faxes, documents, attempts, requests.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"

namespace core {

// 26 characters of Crockford's base 32, lower case: 48 bits of time in
// milliseconds, then 80 random bits, so that ids sort by age ("ULID"). Safe in
// file names, URLs, mail headers. Not a secret: never a capability.
// Ends the process if the kernel has no random bytes to give.
std::string new_id(Time now);

// True for exactly 26 characters of that alphabet: to be asked before an id
// from outside becomes part of a path.
bool is_id(std::string_view text);

}  // namespace core
