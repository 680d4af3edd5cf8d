// `faxline replay`: the queue does it; here it is written into the book, with who asked.
#include "command/command.h"
#include "core/fail_point.h"
#include "json/writer.h"
#include "store/faxes.h"
#include "wake/wake.h"

namespace command {

core::Result<int> replay(const config::Settings& settings, const Words& words) {
  const auto person = who_asks();
  CORE_CHECK(become_owner_of(settings.state_folder("db")));
  CORE_TRY(database, sql::Database::open(settings.database_url()));
  CORE_TRY(faxes, store::Faxes::open(database));
  const auto& id = words.words[0];
  CORE_TRY(how, faxes.replay(id, person, core::SystemClock().now(), settings.duration("FAX_DEADLINE")));
  FAIL_POINT("command.replay.committed");
  wake::Sender(settings.socket("wake.sock")).send();
  FAIL_POINT("command.replay.woken");
  const bool fetches = how == store::Faxes::Replay::fetch;
  if (words.json) print(json::Writer().begin_object().member("id", id).member("what", fetches ? "fetch" : "mail").end_object().text());
  else print(id + "\t" + (fetches ? "fetch" : "mail"));
  say(fetches ? "It is fetched again from the provider." : how == store::Faxes::Replay::mail_due ? "It is not all in the mailbox yet: that is tried at once." : "It goes to the mailbox again, as a new mail.");
  return 0;
}

}  // namespace command
