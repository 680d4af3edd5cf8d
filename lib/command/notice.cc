// `faxline notice test`.
#include "command/command.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/stop.h"
#include "json/writer.h"
#include "maildir/name.h"
#include "maildir/remote.h"
#include "notice/ways.h"

namespace command {

namespace {

constexpr int kNotReachable = 69;

store::Notice test_notice(core::Time now) {
  store::Notice notice;
  notice.id = core::new_id(now);
  notice.event = "test";
  notice.at = notice.created = now;
  return notice;
}

}  // namespace

core::Result<int> notice_test(const config::Settings& settings, const Words& words) {
  const auto& stop = core::stop_on_signals();
  // The Maildir's daemon answers the line's own account.
  CORE_CHECK(become_owner_of(settings.state_folder("db")));
  const core::SystemClock clock;
  const auto options = notice::options_of(settings);
  http::Client client({.ca_file = settings.text("NOTICE_CA_FILE"), .user_agent = "faxline"});
  const maildir::Remote mailbox(settings.socket("deliver.sock"));
  const notice::Ways ways{options, clock, client,
                          [](const std::string&) -> core::Result<core::UniqueFd> { return core::Error{core::Code::not_found, "a test has no document"}; },
                          [&](const std::string& name, int fd) { return mailbox.deliver(name, fd); }, [](core::Time now, int fd) { return maildir::new_name(now, fd); },
                          [](const store::Errand&, const std::string&) { return core::Result<void>(); }, &stop};
  int status = 0;
  json::Writer writer;
  writer.begin_array();
  const auto notice = test_notice(clock.now());
  for (const auto& way : notice::ways_of(options)) {
    const auto told = notice::tell(ways, {notice, way, 0, ""});
    if (!told) status = kNotReachable;
    const std::string text = told ? *told : told.error().hint.empty() ? told.error().text : told.error().hint;
    if (words.json) writer.begin_object().member("way", way).member("right", told.has_value()).member("text", text).end_object();
    else print(way + "\t" + (told ? "right" : "wrong") + "\t" + text);
  }
  writer.end_array();
  if (words.json) print(writer.text());
  return status;
}

}  // namespace command
