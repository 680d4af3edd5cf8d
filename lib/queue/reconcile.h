// Our book against the provider's own list.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

struct Differences {
  std::int64_t added = 0;      // received faxes that the provider has and we had not
  std::int64_t settled = 0;    // sent ones whose end it knows and we did not: they are read anew at once
  std::int64_t retaken = 0;    // received faxes that had failed for want of their document, which the provider has after all
  std::int64_t remaining = 0;  // that are not put right yet, those above included
};

// Reads the provider's list from `since` (nothing: from the last time it was read whole, but never from before the
// provider was configured), both directions. Received faxes to our number that the book does not know are taken up: their
// documents are fetched, what failed is shown; one that had failed is taken up again when the list has its document (by
// itself 3 times at most; whenever a person asks). Sent ones that ended there and not here become due. Never touches what
// other software sent, never brings back what was deleted here, nor what was rejected for its sender. What just came in (2 minutes) is left to its own message,
// unless a person asked, or named `since`.
// Errors: of the provider's list and of the store; then the next run begins at the same time.
core::Result<Differences> reconcile(const Context& context, std::optional<core::Time> since, bool asked = false);

// `faxline reconcile` asks by a fact in the book, named `store::kReconcileAsked` and an id of its own: `store::kSince`, and a time (RFC 3339) or
// nothing. The answer replaces it: when it was given (RFC 3339), and with blanks between how many were added, were settled,
// remain, were taken up again; or that time, "error", and why. Several may ask at once; those since the same time get the
// same answer. Who asked takes the fact away; an answer that nobody took goes after an hour. Compares once, and again every
// few seconds until nothing remains, for at most `kLongestComparison` in all; `pause` waits. Nothing asked: does nothing.
// Errors: of the store.
constexpr std::chrono::seconds kLongestComparison{30};
core::Result<void> answer_reconcile(const Context& context, const std::function<void(std::chrono::seconds)>& pause);

}  // namespace queue
