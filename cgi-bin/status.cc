#include "app/start.h"
#include "app/status.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("status", [](const config::Settings& settings) -> core::Result<int> {
    const core::SystemClock clock;
    CORE_TRY(database, sql::Database::open(settings.database_url()));
    CORE_TRY(faxes, store::Faxes::open(database));
    CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
    store::Watch watch(database);
    const auto line = app::line_of(settings, clock);
    return fcgi::serve(app::status_routes(line, faxes, {faxes, watch, spool, clock, clock.now()}), {.program = "status"});
  }, fcgi::turn_away);
}
