// Whether this machine's clock may be believed, and what is to be done when somebody sets it. A small computer boots
// without the time and gets it from the network a while later; nothing may end, and nothing be removed, by a wrong clock.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "store/faxes.h"

namespace queue {

// Facts in the book that it keeps, for `faxline doctor`, the metrics and itself.
inline constexpr const char* kClockState = "clock.state";    // synchronised, unsynchronised (and trusted), waiting
inline constexpr const char* kNewestTime = "clock.newest";   // the newest time that was believed, to the minute; RFC 3339
inline constexpr const char* kSeenTime = "clock.seen";       // the newest time that was looked at, and the machine's since its start: seen_words()
inline constexpr const char* kPurgeFrom = "purge.from";      // no purge before; RFC 3339
inline constexpr const char* kRewind = "reconcile.rewind";   // "1": the provider's list was asked for by a wrong clock

class Timekeeper {
 public:
  static constexpr std::chrono::minutes kTrustedAfter{10};  // of a machine that nobody synchronises
  static constexpr std::chrono::hours kJump{1};             // forward, that restarts deadlines
  static constexpr std::chrono::hours kPurgeDelay{24};

  // `lifetime`: FAX_DEADLINE. Both references outlive it.
  Timekeeper(const core::Clock& clock, store::Faxes& faxes, std::chrono::seconds lifetime) : clock_(clock), faxes_(faxes), lifetime_(lifetime) {}

  // Compares the clock with the time since the machine's start, and puts the book right when somebody has set it:
  // forward by over an hour: deadlines begin anew, purge waits for a day; back: what waits, waits no longer than was
  // meant. The first look compares with what is in the book, so that a clock that was set while the daemon was down is
  // seen too. Called by every sweep, before a fax is leased, and before anything ends by its time; from several threads at once. Errors: of the
  // store; then the next call does the same again. What is put right is one transaction with the note of it: a daemon
  // that is killed does it once, whenever that was.
  core::Result<void> look();

  // Looks; true if a deadline that has passed by this clock really has: it is synchronised, or the machine has run for
  // 10 minutes and its time is not before the newest one in the book, and it was not set just now.
  bool may_end();

  // The same, and no jump forward was seen for a day.
  bool may_purge();

 private:
  core::Result<void> begin(core::Time now, core::Milliseconds since_boot);
  core::Result<void> was_set(core::Time now, core::Milliseconds since_boot, core::Milliseconds by);
  core::Result<void> set_back(core::Time now, core::Milliseconds by, const store::Facts& facts);
  core::Result<void> judge(core::Time now, core::Milliseconds since_boot);
  core::Result<void> keep(core::Time now, core::Milliseconds since_boot);
  std::string seen_words(core::Time now, core::Milliseconds since_boot) const;

  const core::Clock& clock_;
  store::Faxes& faxes_;
  std::chrono::seconds lifetime_;
  std::mutex mutex_;
  std::optional<core::Time> seen_;          // at the last look; nothing: no look yet
  core::Milliseconds seen_since_boot_{0};
  core::Time newest_{};
  std::optional<core::Milliseconds> kept_;  // since boot, when the times were written down
  bool trusted_ = false;
  bool just_set_ = false;
  std::string_view state_;
};

}  // namespace queue
