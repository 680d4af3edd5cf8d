// Whether the line does its work: what /healthz says, and what a program that watches can count.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/watch.h"

namespace app {

// All that is looked at. References: whoever makes it keeps them alive.
struct Watched {
  store::Faxes& faxes;
  store::Watch& watch;
  const spool::Spool& spool;
  const core::Clock& clock;
  core::Time started;  // of this program
};

// What is wrong, a sentence each; none: healthy. Book readable and writable, spool there with room for what comes in, the
// queue's sign of life not older than two minutes (not asked in the first minute after a start), no trouble with the
// mailbox for longer than five minutes. Writes nothing.
std::vector<std::string> ailments(const Watched& watched);

// The numbers, in Prometheus' text format ("Exposition formats", version 0.0.4). Errors: of the book.
core::Result<std::string> metrics(const Watched& watched);

}  // namespace app
