#include <thread>

#include "app/practice.h"
#include "app/start.h"
#include "fcgi/serve.h"

int main() {
  fcgi::hold_signals();
  return app::start("sandbox", [](const config::Settings& settings) -> core::Result<int> {
    sandbox::Sandbox sandbox(app::sandbox_options(settings));
    CORE_CHECK(sandbox.open());
    std::jthread one([&](std::stop_token stop) { sandbox.run(stop); });
    std::jthread two([&](std::stop_token stop) { sandbox.run(stop); });
    // Some threads more than the others have: a fault may hold one for a while.
    return fcgi::serve([&](web::Request& request) { return app::answer(sandbox, request); }, {.program = "sandbox", .threads = 8});
  }, fcgi::turn_away);
}
