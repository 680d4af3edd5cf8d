// Why a fax failed, or waits: in words, with what to do, whether another attempt follows by itself, and whether pages may
// have arrived (then nothing is sent again by itself).
#pragma once

#include <string_view>

#include "fax/provider.h"

namespace fax {

enum class PagesMayHaveArrived { no, maybe };

struct Cause {
  std::string_view code;    // ours: a string of an open list
  std::string_view text;    // a sentence
  std::string_view advice;  // what a person does next; may be empty
  bool retry = false;       // another attempt may help
  PagesMayHaveArrived pages = PagesMayHaveArrived::no;
};

// The row with that code of ours; for an unknown code a general one.
const Cause& find_cause(std::string_view code);

// The cause of a final state that is no success: the provider's code where it gave one, else its words, else the status alone.
const Cause& cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message);

// The cause of a call that was refused.
const Cause& cause_of_refusal(std::string_view error_code, std::string_view error_message);

}  // namespace fax
