#include "app/start.h"
#include "core/stop.h"
#include "queue/daemon.h"

int main() {
  const auto& stop = core::stop_on_signals();
  return app::start("faxline-queue", [&](const config::Settings& settings) -> core::Result<int> {
    CORE_CHECK(queue::run_daemon(settings, stop));
    return 0;
  });
}
