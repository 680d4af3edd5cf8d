#include "notice/outbox.h"

#include <algorithm>
#include <set>
#include <thread>

#include "core/fail_point.h"
#include "core/log.h"

namespace notice {

namespace {

using namespace std::chrono_literals;

constexpr auto kLease = core::Milliseconds(10min);  // longer than any try
constexpr auto kLook = 1s;
constexpr auto kSweep = 5s;
constexpr auto kKept = 30 * 24h;
constexpr auto kHouseInterval = 1h;
constexpr auto kLongestPause = 300s;

bool is_unreachable(core::Code code) { return code == core::Code::provider_down || code == core::Code::unknown_outcome || code == core::Code::unavailable; }

void log_trouble(std::string_view event, const core::Result<std::int64_t>& done) {
  if (!done) core::log(core::Level::warning, event, done.error());
}

}  // namespace

std::chrono::seconds wait_after(std::int64_t tries) { return std::min<std::chrono::seconds>(1h, 10s * (std::int64_t{1} << std::clamp<std::int64_t>(tries, 0, 20))); }

std::vector<std::string> Outbox::ways_in(const std::string& family) const {
  auto ways = ways_of(ways_.options);
  std::erase_if(ways, [&](const std::string& way) { return family_of(way) != family; });
  return ways;
}

core::Result<std::int64_t> Outbox::share_out() {
  const auto shared = notices_.share_out(
      [&](const store::Notice& notice) {
        auto ways = ways_of(ways_.options);
        if (notice.event == "received" || notice.event == "another_document") std::erase(ways, "maildir");
        return ways;
      },
      ways_.clock.now());
  if (shared && *shared > 0) FAIL_POINT("notice.outbox.shared_out");
  return shared;
}

core::Result<Outbox::Step> Outbox::fail(const store::Errand& errand, const core::Error& error) {
  const auto now = ways_.clock.now();
  const auto& notice = errand.notice;
  const std::string words = error.hint.empty() ? error.text : error.hint;
  const bool over = errand.way != "maildir" && now - notice.at >= kGiveUpAfter && errand.tries + 1 >= kGiveUpTries;
  if (over) {
    core::log(core::Level::error, "notice given up", error, {{"notice", notice.id}, {"fax", notice.fax_id}, {"way", errand.way}});
    CORE_CHECK(notices_.give_up(errand, words, {now, "Notice not delivered, given up", "By " + errand.way + ". " + words}, now));
    FAIL_POINT("notice.outbox.given_up");
    return Step::put_off;
  }
  core::log(core::Level::warning, "notice not delivered yet", error, {{"notice", notice.id}, {"fax", notice.fax_id}, {"way", errand.way}});
  CORE_CHECK(notices_.put_off(errand, words, now, now + wait_after(errand.tries)));
  FAIL_POINT("notice.outbox.put_off");
  return is_unreachable(error.code) ? Step::unreachable : Step::put_off;
}

core::Result<Outbox::Step> Outbox::run_one(const std::string& family) {
  CORE_TRY(errand, notices_.claim(ways_in(family), worker_, ways_.clock.now(), kLease));
  if (!errand) return Step::nothing_due;
  FAIL_POINT("notice.outbox.claimed");
  const auto told = tell(ways_, *errand);
  if (!told) return fail(*errand, told.error());
  core::log(core::Level::info, "notice delivered", {{"notice", errand->notice.id}, {"fax", errand->notice.fax_id}, {"event", errand->notice.event}, {"way", errand->way}, {"answer", *told}});
  CORE_CHECK(notices_.done(*errand, ways_.clock.now()));
  FAIL_POINT("notice.outbox.noted");
  return Step::told;
}

// A way that cannot be reached is left alone for a while, whatever else is due there; when it is back, all that waited goes.
void Outbox::work(const std::string& family, const std::function<bool()>& stop, const std::atomic<std::uint64_t>& rings) {
  std::int64_t failures = 0;
  while (!stop()) {
    const auto seen = rings.load();
    const auto step = run_one(family);
    if (!step) core::log(core::Level::error, "notices", step.error(), {{"way", family}});
    auto wait = std::chrono::milliseconds(0);
    if (!step || *step == Step::nothing_due) wait = kSweep;
    if (step && *step == Step::unreachable) wait = std::min<std::chrono::seconds>(kLongestPause, wait_after(failures++) / 5);
    if (step && *step == Step::told && failures > 0) {
      failures = 0;
      if (const auto done = notices_.hasten(ways_in(family), ways_.clock.now()); !done) core::log(core::Level::warning, "notices not hastened", done.error());
      FAIL_POINT("notice.outbox.hastened");
    }
    const bool may_be_rung = step && *step == Step::nothing_due;
    const auto end = std::chrono::steady_clock::now() + wait;
    while (!stop() && std::chrono::steady_clock::now() < end && !(may_be_rung && rings != seen)) std::this_thread::sleep_for(100ms);
  }
}

void Outbox::run(const std::atomic<bool>& stopped, const std::atomic<bool>& over) {
  const std::function<bool()> stop = [&] { return stopped || over; };
  std::atomic<std::uint64_t> rings{0};
  const auto ways = ways_of(ways_.options);
  std::set<std::string> families;
  for (const auto& way : ways) families.insert(family_of(way));
  log_trouble("notices of ways that are not set any more", notices_.drop_other_ways(ways, ways_.clock.now()));
  FAIL_POINT("notice.outbox.other_ways_dropped");
  std::vector<std::thread> threads;
  for (const auto& family : families) threads.emplace_back([&, family] { work(family, stop, rings); });
  core::Time kept{};
  while (!stop()) {
    const auto shared = share_out();
    log_trouble("notices not shared out", shared);
    if (shared && *shared > 0) ++rings;
    const auto now = ways_.clock.now();
    if (now - kept >= kHouseInterval || now < kept) {
      kept = now;
      if (const auto done = notices_.forget(now - kKept); !done) core::log(core::Level::warning, "old notices", done.error());
      FAIL_POINT("notice.outbox.forgotten");
    }
    for (int i = 0; i < kLook / 100ms && !stop(); ++i) std::this_thread::sleep_for(100ms);
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace notice
