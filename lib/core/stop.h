// Being asked to stop.
#pragma once

#include <atomic>

namespace core {

// A flag that SIGTERM and SIGINT set from now on, for daemons that look at it between two things. Also
// ignores SIGPIPE: a peer that left is an error of write(2), not an end.
const std::atomic<bool>& stop_on_signals();

}  // namespace core
