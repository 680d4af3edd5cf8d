#include "queue/timekeeper.h"

#include <cstdint>
#include <sstream>

#include "core/fail_point.h"
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
    CORE_CHECK(begin(now, since_boot));
  } else {
    const auto by = (now - *seen_) - (since_boot - seen_since_boot_);
    if (by > kJump || by < -kSlack) CORE_CHECK(was_set(now, since_boot, by));
  }
  seen_ = now;
  seen_since_boot_ = since_boot;
  return judge(now, since_boot);
}

std::string Timekeeper::seen_words(core::Time now, core::Milliseconds since_boot) const {
  return std::to_string(core::to_ms(now)) + " " + std::to_string(since_boot.count()) + " " + clock_.boot();
}

core::Result<void> Timekeeper::begin(core::Time now, core::Milliseconds since_boot) {
  CORE_TRY(newest_text, faxes_.fact(kNewestTime));
  if (const auto newest = core::parse_rfc3339(newest_text)) newest_ = *newest;
  CORE_TRY(seen_text, faxes_.fact(kSeenTime));
  std::istringstream words(seen_text);
  std::int64_t seen = 0, seen_since_boot = 0;
  std::string boot;
  if (words >> seen >> seen_since_boot >> boot && boot == clock_.boot() && seen_since_boot <= since_boot.count()) {
    const auto by = (now - core::from_ms(seen)) - (since_boot - core::Milliseconds(seen_since_boot));
    return by > kJump || by < -kSlackOfBook ? was_set(now, since_boot, by) : core::Result<void>();
  }
  // The machine was started since, or another one wrote last. What was written by a clock that was ahead of this one must not wait for it.
  const auto ahead = newest_ - now;
  if (ahead <= kSlackOfBook) return {};
  core::log(core::Level::warning, "this machine's clock is behind the newest time in the book", {{"seconds", seconds(ahead)}});
  return set_back(now, ahead, {});
}

core::Result<void> Timekeeper::was_set(core::Time now, core::Milliseconds since_boot, core::Milliseconds by) {
  just_set_ = true;
  core::log(core::Level::warning, by > 0ms ? "the clock was set forward: deadlines begin anew, and purge waits for a day" : "the clock was set back: what waits, waits no longer than was meant",
            {{"seconds", seconds(by)}});
  store::Facts facts{{kSeenTime, seen_words(now, since_boot)}};
  if (by > kJump || by < -kJump) facts.emplace_back(kRewind, "1");
  if (by > 0ms) {
    facts.emplace_back(kPurgeFrom, core::rfc3339(now + kPurgeDelay));
    CORE_CHECK(faxes_.restart_deadlines(now + lifetime_, facts));
    FAIL_POINT("queue.clock.set_forward");
    return {};
  }
  if (newest_ > now) {
    // Whoever set it knew better than the book.
    newest_ = now;
    facts.emplace_back(kNewestTime, core::rfc3339(now));
  }
  return set_back(now, -by, facts);
}

core::Result<void> Timekeeper::set_back(core::Time now, core::Milliseconds by, const store::Facts& facts) {
  CORE_CHECK(faxes_.set_back(now, by, lifetime_, facts));
  FAIL_POINT("queue.clock.set_back");
  return {};
}

core::Result<void> Timekeeper::judge(core::Time now, core::Milliseconds since_boot) {
  const bool synchronised = clock_.is_synchronised();
  const bool was_trusted = trusted_;
  trusted_ = synchronised || (since_boot >= kTrustedAfter && now + kSlack >= newest_);
  const std::string_view state = synchronised ? "synchronised" : trusted_ ? "unsynchronised" : "waiting";
  if (state != state_) {
    CORE_CHECK(faxes_.set_fact(kClockState, std::string(state)));
    FAIL_POINT("queue.clock.state_noted");
    state_ = state;
    if (state == "waiting") core::log(core::Level::warning, "the clock is not synchronised: deadlines and purge wait until it is, or until this machine has run for 10 minutes and is past the newest time in the book");
    if (state == "unsynchronised") core::log(core::Level::warning, "the clock is not synchronised, and believed all the same");
    if (state == "synchronised") core::log(core::Level::info, "the clock is synchronised");
  }
  // What came to its deadline while nobody believed the clock.
  if (trusted_ && !was_trusted) kept_.reset();
  return keep(now, since_boot);
}

core::Result<void> Timekeeper::keep(core::Time now, core::Milliseconds since_boot) {
  if (kept_ && since_boot - *kept_ < kKept) return {};
  store::Facts facts{{kSeenTime, seen_words(now, since_boot)}};
  if (trusted_) {
    CORE_CHECK(faxes_.wake_overdue(now));
    FAIL_POINT("queue.clock.overdue_woken");
    facts.emplace_back(kNewestTime, core::rfc3339(now));
  }
  CORE_CHECK(faxes_.set_facts(facts));
  FAIL_POINT("queue.clock.kept");
  if (trusted_) newest_ = now;
  kept_ = since_boot;
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
