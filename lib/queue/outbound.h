// The steps of a fax that goes out; each is safe to do twice (README.md of this folder).
#pragma once

#include <string_view>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

// The next step of one sent fax, whatever its state. What it leaves, and when to come
// back (`next_at`), is in the book. Errors are those of store, spool and box: the fax
// stands where it stood and is tried again.
core::Result<void> step_outbound(const Context& context, const store::Fax& fax);

// The single steps, for step_outbound() and the tests.
core::Result<void> prepare(const Context& context, const store::Fax& fax);  // queued, preparing
core::Result<void> submit(const Context& context, const store::Fax& fax);   // documents ready, nothing of an earlier attempt left
core::Result<void> follow(const Context& context, const store::Fax& fax);   // sending
core::Result<void> look_for(const Context& context, const store::Fax& fax); // checking
core::Result<void> cancel(const Context& context, const store::Fax& fax);   // cancel_requested
core::Result<void> end_in_time(const Context& context, const store::Fax& fax);  // deadline reached
core::Result<void> take_late_evidence(const Context& context, const store::Fax& fax);  // final already

// When a fax that is over for us, not by the provider's word, is asked about next: ever more rarely, for a week after its
// deadline; then never.
std::optional<core::Time> next_late_look(const store::Fax& fax, core::Time now);

// What an event says of a cancel that had no effect.
inline constexpr std::string_view kTooLateToCancel = "Too late to cancel";

// Whether no other call to the fax's number is open. If one is, the fax waits for it, and says so. Asked before anything
// is copied or used up for a call; the book asks once more when the call is begun.
core::Result<bool> is_number_free(const Context& context, const store::Fax& fax);

// Whether an earlier attempt failed because its resolution was too high for the other machine: from then on, the
// standard one is asked for. It is in the book as an event, since causes come and go between attempts.
core::Result<bool> was_lowered(const Context& context, const store::Fax& fax);

// What the provider says of the attempt's fax, by its id. Errors: of the API; bad_request too where it tells of a fax that
// cannot be this one.
core::Result<fax::ProviderFax> fetch_own(const Context& context, const store::Fax& fax, const store::Attempt& attempt);

// Whether the provider's word is a final one after which the line may call again: certainly without a page, and with a
// cause to try again.
bool lets_another_follow(const store::Attempt& attempt, const fax::ProviderFax& word);

// Moves the fax by what the provider's API says of the attempt: goes on following, ends it, or
// lets it wait for another attempt.
core::Result<void> apply(const Context& context, const store::Fax& fax, const store::Attempt& attempt, const fax::ProviderFax& word);

}  // namespace queue
