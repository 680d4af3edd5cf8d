#include "core/stop.h"

#include <csignal>

namespace core {

namespace {
std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);
void note(int) { stop = true; }
}  // namespace

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = note;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return stop;
}

}  // namespace core
