// What is over is removed: documents after RETENTION_DAYS, records after RECORD_RETENTION_DAYS, and what crashes leave.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

struct Purged {
  std::int64_t documents = 0;  // of faxes that are over
  std::int64_t records = 0;    // faxes taken out of the book; a received one leaves its FaxSid as a tombstone
  std::int64_t leftovers = 0;  // uploads that no fax used for a day, copies that no attempt needs, files that no row names, temporary files
  std::int64_t journal = 0;    // entries of the journal
  bool more = false;           // there was more than is done at once
};

// At most so many documents and so many records in one call: others wait for whoever keeps house.
constexpr std::int64_t kPurgedAtOnce = 1000;

// A document goes when all its faxes are final and were not changed for `options.retention`; never while a mail of theirs is
// due, the provider's copy is still to be deleted, or one of them is unresolved. Each fax gets an event that says so. A
// record goes after its document alone, and by the same rules. Reads 200 rows at a time. What cannot be removed now is
// left for the next time. Errors: of store and spool.
core::Result<Purged> purge(const Context& context);

// How often: hourly; where documents go as soon as they are delivered, every 10 s.
std::chrono::seconds purge_interval(const Options& options);

}  // namespace queue
