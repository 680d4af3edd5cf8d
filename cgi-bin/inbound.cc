#include "app/inbound.h"
#include "app/start.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("inbound", [](const config::Settings& settings) -> core::Result<int> {
    const core::SystemClock clock;
    CORE_TRY(database, sql::Database::open(settings.database_url()));
    CORE_TRY(faxes, store::Faxes::open(database));
    CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
    const auto line = app::line_of(settings, clock);
    const auto side = app::provider_side_of(settings);
    return fcgi::serve(app::inbound_routes(line, side, faxes, spool), {.program = "inbound"});
  }, fcgi::turn_away);
}
