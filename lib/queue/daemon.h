// The daemon, from its settings.
#pragma once

#include <atomic>

#include "config/settings.h"
#include "core/result.h"

namespace queue {

// Opens book and spool, and runs the workers until `stop`. Errors: what keeps it from starting.
core::Result<void> run_daemon(const config::Settings& settings, const std::atomic<bool>& stop);

}  // namespace queue
