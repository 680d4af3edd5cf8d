#include "queue/timekeeper.h"

#include <algorithm>

#include "core/log.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

// Between two looks a clock may be slewed by as much, and two programs' times differ.
constexpr core::Milliseconds kSlack = 2s;
constexpr core::Milliseconds kSlackOfBook = 2min;
constexpr core::Milliseconds kKept = 1min;

std::string seconds(core::Milliseconds time) { return std::to_string(std::chrono::round<std::chrono::seconds>(time).count()); }

}  // namespace

core::Result<void> Timekeeper::look() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  const auto since_boot = clock_.since_boot();
  just_set_ = false;
  if (!seen_) {
    CORE_CHECK(begin(now));
  } else {
    const auto by = (now - *seen_) - (since_boot - seen_since_boot_);
    if (by > kJump || by < -kSlack) CORE_CHECK(was_set(now, by));
  }
  seen_ = now;
  seen_since_boot_ = since_boot;
  return judge(now);
}

// What was written by a clock that was ahead of this one must not wait for it.
core::Result<void> Timekeeper::begin(core::Time now) {
  CORE_TRY(text, faxes_.fact(kNewestTime));
  const auto newest = core::parse_rfc3339(text);
  if (!newest) return {};
  newest_ = *newest;
  const auto ahead = newest_ - now;
  if (ahead <= kSlackOfBook) return {};
  core::log(core::Level::warning, "this machine's clock is behind the newest time in the book", {{"seconds", seconds(ahead)}});
  return faxes_.set_back(now, ahead, lifetime_);
}

core::Result<void> Timekeeper::was_set(core::Time now, core::Milliseconds by) {
  just_set_ = true;
  core::log(core::Level::warning, by > 0ms ? "the clock was set forward: deadlines begin anew, and purge waits for a day" : "the clock was set back: what waits, waits no longer than was meant",
            {{"seconds", seconds(by)}});
  if (by > 0ms) {
    CORE_CHECK(faxes_.restart_deadlines(now + lifetime_));
    CORE_CHECK(faxes_.set_fact(kPurgeFrom, core::rfc3339(now + kPurgeDelay)));
  } else {
    CORE_CHECK(faxes_.set_back(now, -by, lifetime_));
    // Whoever set it knew better than the book.
    newest_ = std::min(newest_, now);
    kept_.reset();
  }
  return by > kJump || by < -kJump ? faxes_.set_fact(kRewind, "1") : core::Result<void>();
}

core::Result<void> Timekeeper::judge(core::Time now) {
  const bool synchronised = clock_.is_synchronised();
  const bool was_trusted = trusted_;
  trusted_ = synchronised || (clock_.since_boot() >= kTrustedAfter && now + kSlack >= newest_);
  const std::string_view state = synchronised ? "synchronised" : trusted_ ? "unsynchronised" : "waiting";
  if (state != state_) {
    CORE_CHECK(faxes_.set_fact(kClockState, std::string(state)));
    state_ = state;
    if (state == "waiting") core::log(core::Level::warning, "the clock is not synchronised: deadlines and purge wait until it is, or until this machine has run for 10 minutes and is past the newest time in the book");
    if (state == "unsynchronised") core::log(core::Level::warning, "the clock is not synchronised, and believed all the same");
    if (state == "synchronised") core::log(core::Level::info, "the clock is synchronised");
  }
  // What came to its deadline while nobody believed the clock.
  if (!trusted_) return {};
  if (!was_trusted) CORE_CHECK(faxes_.wake_overdue(now));
  return keep_newest(now);
}

core::Result<void> Timekeeper::keep_newest(core::Time now) {
  if (kept_ && clock_.since_boot() - *kept_ < kKept) return {};
  CORE_CHECK(faxes_.wake_overdue(now));
  CORE_CHECK(faxes_.set_fact(kNewestTime, core::rfc3339(now)));
  newest_ = now;
  kept_ = clock_.since_boot();
  return {};
}

bool Timekeeper::may_end() {
  if (const auto looked = look(); !looked) {
    core::log(core::Level::warning, "nothing ends by its time now: the book cannot be put right after the clock was set", looked.error());
    return false;
  }
  const std::lock_guard lock(mutex_);
  return trusted_ && !just_set_;
}

bool Timekeeper::may_purge() {
  if (!may_end()) return false;
  const auto text = faxes_.fact(kPurgeFrom);
  if (!text) return false;
  const auto from = core::parse_rfc3339(*text);
  const auto now = clock_.now();
  // One that lies further ahead than a day was written by a clock that was wrong.
  return !from || now >= *from || *from - now > kPurgeDelay;
}

}  // namespace queue
