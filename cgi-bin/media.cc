#include "app/media.h"
#include "app/start.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("media", [](const config::Settings& settings) -> core::Result<int> {
    const core::SystemClock clock;
    CORE_TRY(database, sql::Database::open(settings.database_url()));
    CORE_TRY(faxes, store::Faxes::open(database));
    const auto line = app::line_of(settings, clock);
    const auto side = app::gate_of(settings);
    app::warn_of(settings, "INBOUND_AUTH_MEDIA");
    return fcgi::serve(app::media_routes(line, side, faxes), {.program = "media"});
  }, fcgi::turn_away);
}
