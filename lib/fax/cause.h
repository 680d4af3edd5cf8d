// Why a fax failed, was refused or waits: what to tell people, what the queue does next by itself, and whether paper may
// already lie at the other end. The tables are in failures.cc.
#pragma once

#include <string>
#include <string_view>

#include "fax/provider.h"

namespace fax {

// Whether pages of a sent fax may have arrived.
enum class Pages {
  no,       // certainly none
  yes,      // certainly some
  unknown,
};

// What comes next. `retry_later` only where no page can have arrived, whatever a provider advises.
enum class Next {
  retry_later,  // the same again, by itself, after a while
  fix_first,    // ends; somebody has to change something, then it can be sent again
  give_up,      // ends; sending the same again is of no use
  ask_person,   // ends; only a person can find out what arrived
};

// Providers that number or name their errors alike. Numbers of different families mean different things.
enum class Family {
  twilio,  // Twilio, SignalWire, the sandbox: numbers of five digits
  telnyx,  // words: "user_busy"
  sinch,   // Sinch and its predecessor Phaxio: numbers up to 133
  any,     // in the tables: of every family
};

struct Cause {
  std::string code;         // "busy": what is stored, and what the API gives
  std::string_view text;    // a sentence for people: what happened
  std::string_view advice;  // a sentence for people: what to do next
  Pages pages = Pages::unknown;
  Next next = Next::ask_person;
};

// The row of a code. A code without a row (a newer version's, say) gets a general text, keeps its code, is never retried
// and may have brought pages. Texts live for ever.
Cause find_cause(std::string_view code);

// What a final answer of the provider about a fax that we send means. Code and message are the provider's; empty: none.
// A fax that did not fail (delivered, received, or still under way) has the cause "unknown_outcome"; do not ask.
// What is in no table is "unknown_reason", without code and message "failed_without_reason": both may have brought pages.
// Where code and message disagree about pages, pages may have arrived.
Cause cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message, Family family = Family::twilio);

// What a well-formed refusal of a call to send means: nothing was sent, whatever the code. Never "retry_later", but for
// rate_limited. What is in no table is "refused_by_provider".
Cause cause_of_refusal(std::string_view error_code, std::string_view message, Family family = Family::twilio);

// What a provider's failed reception means: "reception_failed", or a closer word where there is one.
Cause cause_of_reception(std::string_view error_code, std::string_view error_message, Family family = Family::twilio);

// The provider's own words, to be shown beside the cause. With a code that is in no table they begin with that code, so
// that it can be looked up: "error 99999: Something new".
std::string words_of_provider(std::string_view error_code, std::string_view message, Family family = Family::twilio);

// True if the fax ended because the provider could not fetch the document: it cannot be one whose document was fetched.
bool was_never_fetched(const Cause& cause);

}  // namespace fax
