#include "app/health.h"

#include "core/log.h"

namespace app {

namespace {

using namespace std::chrono_literals;

constexpr auto kStart = 1min;
constexpr auto kSilence = 2min;
constexpr auto kPatience = 5min;

}  // namespace

std::vector<std::string> ailments(const Watched& watched) {
  std::vector<std::string> wrong;
  const auto now = watched.clock.now();
  const auto room = watched.spool.check_room(spool::Use::receive);
  if (!room) wrong.push_back(room.error().code == core::Code::no_space ? room.error().hint : std::string("The folder of the documents cannot be read."));
  const auto writable = watched.watch.check_writable();
  if (!writable) {
    core::log(core::Level::error, "not healthy: the book cannot be written", writable.error());
    wrong.emplace_back("The database of the faxes cannot be written.");
  }
  const auto beat = watched.watch.last_beat(store::Watch::kQueue);
  const auto troubles = watched.watch.troubles();
  if (!beat || !troubles || !watched.faxes.unread_count()) {
    wrong.emplace_back("The database of the faxes cannot be read.");
    return wrong;
  }
  const bool silent = !*beat || now - **beat > kSilence;
  if (silent && now - watched.started >= kStart)
    wrong.emplace_back("The queue has given no sign of life" + (*beat ? " since " + core::rfc3339(**beat) : std::string(" yet")) + ". Start faxline-queue again.");
  for (const auto& trouble : *troubles)
    if (trouble.kind == "mailbox" && now - trouble.since > kPatience) wrong.push_back(trouble.text);
  return wrong;
}

}  // namespace app
