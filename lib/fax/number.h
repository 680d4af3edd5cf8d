// Numbers as people type them, by libphonenumber.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fax {

struct PhoneNumber {
  std::string e164;       // "+12125551212"
  std::string region;     // "US"; empty: none that libphonenumber knows (our own practice numbers)
  std::string country;    // "United States"; empty with the region
  std::string formatted;  // "+1 212-555-1212"
};

// "+" and 2 to 15 digits, the first not 0 (ITU-T E.164). Nothing is said about anybody answering there.
bool is_e164(std::string_view text);

// The number that was meant. Any notation: blanks, brackets, hyphens, 00 or 011 in place of +, other scripts'
// digits; without a + it is of `default_region` ("US"). `always_legal` are taken as they are, if given as E.164 or with
// such separators: our own number, and the practice numbers, which no telephone company has.
// Errors: invalid, field "to", with a hint that says what is wrong: nonsense; too short or too long; an emergency, a short or
// a premium number, by name; a number that does not exist. A number typed with + that does not exist so, but does without the + in
// the default region ("+2125551212"), is never called: the hint suggests the other, and Error.text ends with " suggestion=" and it.
core::Result<PhoneNumber> parse_number(std::string_view typed, std::string_view default_region, const std::vector<std::string>& always_legal);

// The E.164 form that an error of parse_number() suggests; empty: none.
std::string suggestion_of(const core::Error& error);

}  // namespace fax
