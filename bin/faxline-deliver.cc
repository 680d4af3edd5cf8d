#include <unistd.h>

#include "app/start.h"
#include "core/log.h"
#include "core/stop.h"
#include "maildir/remote.h"

int main() {
  const auto& stop = core::stop_on_signals();
  return app::start("faxline-deliver", [&](const config::Settings& settings) -> core::Result<int> {
    CORE_TRY(service, maildir::Service::bind(settings.socket("deliver.sock"), settings.text("MAILDIR_ROOT_DIR"), ::geteuid()));
    core::log(core::Level::info, "ready", {{"maildir", settings.text("MAILDIR_ROOT_DIR")}});
    service.run(stop);
    return 0;
  });
}
