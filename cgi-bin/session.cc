#include "app/session.h"
#include "app/start.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("session", [](const config::Settings& settings) -> core::Result<int> {
    const core::SystemClock clock;
    CORE_TRY(database, sql::Database::open(settings.people_database_url(), {.mode = 0600}));
    CORE_TRY(people, store::People::open(database));
    (void)people.purge(clock.now());
    return fcgi::serve(app::session_routes(people, clock), {.program = "session"});
  }, fcgi::turn_away);
}
