// Telephone numbers as people type them, and as the network wants them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fax {

struct PhoneNumber {
  std::string e164;     // "+12125551212"
  std::string region;   // ISO 3166-1, "US"; empty where a number belongs to no country
  std::string country;  // its name in English; empty as above
  std::string text;     // for people: "+1 212-555-1212"
  std::string note;     // to be shown before sending, e.g. that the number is abroad and meant perhaps otherwise; may be empty
};

// True for "+", a digit from 1 to 9, and up to 14 more: the form alone (ITU-T E.164), not whether it is in use.
bool is_e164(std::string_view text);

// Reads what a person typed: spaces, brackets, dots, dashes, letters for digits (1-800-FLOWERS), digits and plus signs of
// other scripts; "+", "00" or the region's own prefix in front of a number abroad. `default_region` (ISO 3166-1, "US")
// counts where there is none. Numbers in `always_legal` (E.164) are taken as they are, written with or without "+" and
// with any punctuation: our own number, which need not be one of the public network.
//
// Error: invalid, field "to", with a hint that says what is wrong and, where one can be made, suggests the number meant:
// nothing that could be a number, too short, too long, in no numbering plan, an extension (which a fax cannot dial),
// emergency, short and premium-rate numbers.
core::Result<PhoneNumber> parse_number(std::string_view typed, std::string_view default_region, std::span<const std::string> always_legal = {});

// The refusal, if these digits call for help in `region`, or anywhere where nothing else has them.
std::optional<core::Error> refused_as_emergency(const std::string& digits, const std::string& region);

}  // namespace fax
