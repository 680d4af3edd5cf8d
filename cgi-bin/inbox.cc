#include "app/inbox.h"
#include "app/start.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("inbox", [](const config::Settings& settings) -> core::Result<int> {
    const core::SystemClock clock;
    CORE_TRY(database, sql::Database::open(settings.database_url()));
    CORE_TRY(faxes, store::Faxes::open(database));
    CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
    const auto line = app::line_of(settings, clock);
    return fcgi::serve(app::inbox_routes(line, faxes, spool), {.program = "inbox"});
  }, fcgi::turn_away);
}
