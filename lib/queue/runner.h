// The daemon's inside: workers that lease due faxes, one that keeps house, and the
// socket that wakes them.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

struct Workers {
  int count = 3;
  std::string wake_socket;  // SOCKET_DIR/wake.sock
  std::string machine;      // machine_name()
};

// A name that no other machine has and that stays the same here: random, made once, kept in STATE_DIR/db/machine. Two
// machines may have one host name; one that is restarted knows by it what it had leased. Where it cannot be kept it is
// made anew each time (logged), and a lease of before ends by its time alone.
// Two daemons that start at the same moment get one name.
std::string machine_name(const std::string& state_folder);

// Under which name leases are taken: of this machine, of this daemon (two of one machine have two wake sockets), and of
// `part` of it. The same after a start: what was leased by it when it was killed is its own again, at once.
std::string worker_name(const Workers& workers, std::string_view part);

// Runs until `stop` is true: what is in progress is finished first (a call to the provider
// takes at most a minute and a half). A job that fails with an error is logged and done again
// after a while; nothing ends the daemon but `stop`. Errors: the wake socket cannot be bound.
core::Result<void> run(const Context& context, const Workers& workers, const std::atomic<bool>& stop);

// What a start does before anything else: it ends no hold of the account, but one fax tries at once.
void begin(const Context& context);

// One due fax, if there is one: leased, moved one step, released. False: nothing is due. Looks at the clock first.
core::Result<bool> run_one(const Context& context, const std::string& worker, store::Faxes::Take take = store::Faxes::Take::anything);

}  // namespace queue
