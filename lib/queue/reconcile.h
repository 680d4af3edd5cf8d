// Our book against the provider's own list, and what is over.
#pragma once

#include <optional>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

struct Differences {
  std::int64_t added = 0;      // received faxes that the provider has and we had not
  std::int64_t remaining = 0;  // that could not be put right now
};

// Reads the provider's list from `since` (nothing: from the last time it was read whole, but never
// from before the provider was configured) and takes up the received faxes to our number
// that the book does not know: their documents are fetched, what failed is shown. Never
// touches what other software sent, never brings back what was deleted here, nor what was rejected for its sender.
// Errors: of the provider's list and of the store; then the next run begins at the same time.
core::Result<Differences> reconcile(const Context& context, std::optional<core::Time> since);

// Documents whose time is over, documents that no fax ever used, copies that no attempt needs,
// temporary files of crashes. What cannot be removed now is left for the next time.
core::Result<void> purge(const Context& context);

}  // namespace queue
