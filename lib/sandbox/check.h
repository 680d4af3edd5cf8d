// Holds the parameters of a request to what the documentation has: strict where a provider may be lenient, so that what
// this line sends is right by the letter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "form/fields.h"
#include "sandbox/dialect.h"

namespace sandbox {

struct Complaint {
  int code = 0;         // of the error; the status is 400
  std::string message;  // names the parameter, never its value
};

// What is wrong: a parameter that is not in the list, one there twice (but an event), one that is missing, a value that
// is not of its kind, a page beyond the first without its token where the dialect wants one. `own_number`: the one that
// faxes are sent from.
std::optional<Complaint> complaint(const Dialect& dialect, std::span<const Parameter> known, const form::Fields& given, std::string_view own_number);

// "sip:…" or "sips:…", whatever the rest is.
bool is_sip(std::string_view text);

// A moment in ISO 8601, or a day, in milliseconds; empty for anything else.
std::optional<std::int64_t> moment(std::string_view text);

}  // namespace sandbox
