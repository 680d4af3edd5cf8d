// `faxline reconcile`: asks the queue, which holds the provider's secrets, and waits for its answer.
#include <poll.h>

#include <algorithm>

#include "command/command.h"
#include "core/id.h"
#include "store/faxes.h"
#include "text/words.h"
#include "wake/wake.h"

namespace command {

namespace {

constexpr int kDiffers = 1;
constexpr int kPollMilliseconds = 300;
constexpr std::chrono::seconds kPatience{180};

core::Time now() { return core::SystemClock().now(); }

// "7d", or a moment in RFC 3339, or a day.
std::optional<core::Time> read_since(const std::string& text) {
  if (text.ends_with('d')) {
    const auto days = text::parse_int64(text.substr(0, text.size() - 1));
    if (!days || *days < 1 || *days > 3650) return std::nullopt;
    return now() - std::chrono::hours(24 * *days);
  }
  const auto time = core::parse_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  return time ? std::optional(*time) : std::nullopt;
}

std::string faxes(std::string_view count, std::string_view what) { return std::string(count) + (count == "1" ? " fax " : " faxes ") + std::string(what); }

}  // namespace

core::Result<int> reconcile(const config::Settings& settings, const Words& words) {
  std::string since;
  if (!words.since.empty()) {
    const auto time = read_since(words.since);
    if (!time) {
      say("faxline reconcile: --since is a number of days, such as 7d, or a time, such as 2026-11-01 or 2026-11-01T08:00:00Z.");
      return 64;
    }
    since = core::rfc3339(*time);
  }
  CORE_CHECK(become_owner_of(settings.state_folder("db")));
  const wake::Sender queue(settings.socket("wake.sock"));
  if (!queue.is_heard()) return core::Error{core::Code::provider_down, "nobody listens at the queue's socket", "The line is down: the queue, which asks the provider, does not run. Start the line, then try again."};
  CORE_TRY(database, sql::Database::open(settings.database_url()));
  CORE_TRY(book, store::Faxes::open(database));
  const auto question = std::string(store::kReconcileAsked) + core::new_id(now());
  CORE_CHECK(book.set_fact(question, std::string(store::kSince) + since));
  queue.send();
  for (const auto end = std::chrono::steady_clock::now() + kPatience; std::chrono::steady_clock::now() < end; ::poll(nullptr, 0, kPollMilliseconds)) {
    CORE_TRY(answer, book.fact(question));
    if (answer.starts_with(store::kSince)) continue;
    CORE_CHECK(book.forget_fact(question));
    const auto rest = answer.substr(std::min(answer.find(' '), answer.size() - 1) + 1);  // after the time
    if (rest.starts_with("error ")) return core::Error{core::Code::provider_down, rest, "The provider's list could not be read: " + rest.substr(6)};
    const auto counts = text::split(rest, ' ');
    if (counts.size() != 4) break;
    print(faxes(counts[0], "found at the provider alone, and taken up"));
    print(faxes(counts[3], "failed here, and taken up again: the provider has the document after all"));
    print(faxes(counts[1], "ended there, and read anew"));
    print(faxes(counts[2], "differ still"));
    return counts[2] == "0" ? 0 : kDiffers;
  }
  (void)book.forget_fact(question);  // nobody waits for it any more
  return core::Error{core::Code::unavailable, "no answer of the queue", "The queue did not answer within three minutes. Its log says why; try again."};
}

}  // namespace command
