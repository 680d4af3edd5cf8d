// Why a fax failed, was refused or waits: one table, with what to tell people, whether the queue may try again by
// itself, and whether paper may already lie at the other end.
#pragma once

#include <string>
#include <string_view>

#include "fax/provider.h"

namespace fax {

enum class PagesMayHaveArrived { no, maybe };

struct Cause {
  std::string code;         // "busy": what is stored, and what the API gives
  std::string_view text;    // a sentence for people: what happened
  std::string_view advice;  // a sentence for people: what to do next
  bool retry = false;       // trying the same again by itself is safe and may help
  PagesMayHaveArrived pages = PagesMayHaveArrived::maybe;
};

// The row of a code. A code without a row (a newer version's, say) gets a general text, keeps its code, is never retried
// and may have brought pages. Texts live for ever.
Cause find_cause(std::string_view code);

// What a final answer of the provider about a fax that we send means. Code and message are the provider's; empty: none.
// A fax that did not fail (delivered, received, or still under way) has the cause "unknown_outcome"; do not ask.
// What is in no table is "transmission_error", without code and message "failed_without_reason": both may have brought
// pages.
Cause cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message);

// What a well-formed refusal of a call to send means: nothing was sent, whatever the code. Never "retry", but for
// rate_limited. What is in no table is "refused_by_provider".
Cause cause_of_refusal(std::string_view error_code, std::string_view message);

// What a provider's failed reception means: "reception_failed", or a closer word where there is one.
Cause cause_of_reception(std::string_view error_code, std::string_view error_message);

}  // namespace fax
