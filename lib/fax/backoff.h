// How long to wait before something is tried again. Pure arithmetic: the caller keeps counts and rolls the dice.
#pragma once

#include <chrono>

namespace fax {

// Before the next attempt to send: `base` (RETRY_SECONDS) after the first end of an attempt, doubled with each further
// one, 6 hours at most; then times 0.9 to 1.1 as `jitter` goes from 0 to 1, so that faxes do not all come back together.
// Never under a second.
std::chrono::seconds retry_wait(std::chrono::seconds base, int ends_so_far, double jitter);

// Before a document is fetched, or the provider asked, again after `tries` failures: 10 s, doubled, 10 minutes at most.
std::chrono::seconds fetch_wait(int tries);

// How long a 429 without Retry-After holds the account, after `holds` of them in a row: 30 s, doubled, 30 minutes at most.
std::chrono::seconds hold_wait(int holds);

}  // namespace fax
