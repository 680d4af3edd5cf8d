#include "queue/runner.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/fail_point.h"
#include "core/fd.h"
#include "core/log.h"
#include "crypto/random.h"
#include "queue/inbound.h"
#include "queue/other_provider.h"
#include "queue/outbound.h"
#include "queue/purge.h"
#include "queue/reconcile.h"
#include "queue/watch.h"
#include "text/words.h"
#include "wake/wake.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kSweep = 5s;
constexpr auto kAfterError = 15s;
constexpr auto kFirstLook = 2min;  // at a fax that comes in, should its payload not come

// Workers sleep here until there may be something to do.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rings_;
    }
    changed_.notify_all();
  }
  void wait(std::uint64_t& seen, std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [&] { return rings_ != seen; });
    seen = rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t rings_ = 0;
};

// Until the next fax is due, at least a little and at most a sweep.
std::chrono::milliseconds until_due(const Context& context) {
  const auto next = context.faxes.next_due();
  if (!next || !*next) return kSweep;
  const auto wait = **next - context.clock.now();
  return std::clamp<std::chrono::milliseconds>(wait, 20ms, kSweep);
}

void work(const Context& context, const std::string& worker, store::Faxes::Take take, Bell& bell, const std::atomic<bool>& stop) {
  std::uint64_t seen = 0;
  while (!stop) {
    const auto done = run_one(context, worker, take);
    if (!done) core::log(core::Level::error, "queue", done.error());
    if (!done) bell.wait(seen, kSweep);
    else if (!*done) bell.wait(seen, until_due(context));
  }
}

// Less, when all is to stop.
void pause(std::chrono::seconds wait, const std::atomic<bool>& stop) {
  const auto end = std::chrono::steady_clock::now() + wait;
  while (!stop && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(100ms);
}

void examine_uploads(const Context& context, const std::atomic<bool>& stop) {
  while (!stop) {
    const auto next = context.faxes.next_queued_document();
    if (!next || !*next) return;
    const auto done = examine_document(context, **next);
    if (!done) return core::log(core::Level::warning, "document not examined yet", done.error(), {{"document", (*next)->id}});
  }
}

// What no single fax asks for: uploads that no fax has named yet, the provider's list, what is over.
void keep_house(const Context& context, Bell& bell, const std::atomic<bool>& stop) {
  std::uint64_t seen = 0;
  core::Time reconciled{};
  core::Time purged{};
  while (!stop) {
    if (context.time != nullptr) {
      if (const auto done = context.time->look(); !done) core::log(core::Level::warning, "the clock could not be looked after", done.error());
    }
    examine_uploads(context, stop);
    const auto asked = answer_reconcile(context, [&](std::chrono::seconds wait) {
      bell.ring();
      pause(wait, stop);
    });
    if (!asked) core::log(core::Level::warning, "the question of `faxline reconcile` could not be read or answered", asked.error());
    const auto now = context.clock.now();
    if (now - reconciled >= context.options.reconcile_interval || now < reconciled) {
      reconciled = now;
      const auto done = reconcile(context, std::nullopt);
      if (!done) core::log(core::Level::warning, "the provider's list could not be compared", done.error());
      else if (done->remaining > 0) bell.ring();
      if (done && context.watch != nullptr)
        if (const auto noted = context.watch->beat(store::Watch::kReconciled, now); !noted) core::log(core::Level::warning, "comparison not noted", noted.error());
    }
    if ((now - purged >= purge_interval(context.options) || now < purged) && (context.time == nullptr || context.time->may_purge())) {
      purged = now;
      const auto done = purge(context);
      if (!done) core::log(core::Level::warning, "purge", done.error());
      else if (done->more) purged = {};
    }
    bell.wait(seen, kSweep);
  }
}

void watch(const Context& context, Bell& bell, const std::atomic<bool>& stop) {
  Looks looks;
  while (!stop) {
    look_after(context, looks);
    pause(kSweep, stop);
    bell.ring();
  }
  look_after(context, looks);
}

// "receiving", FaxSid, From and To with tabs between: a first webhook, which stores nothing by itself. True if it was
// one: it makes no work that is due now, and whoever sends many of them wakes no worker.
bool take_receiving(const Context& context, std::string_view hint) {
  const auto parts = text::split(hint, '\t');
  if (parts.size() != 4 || parts[0] != "receiving") return false;
  const auto noted = context.faxes.note_receiving(std::string(parts[1]), std::string(parts[2]), std::string(parts[3]), context.options.provider, context.clock.now(), context.options.lifetime, kFirstLook);
  FAIL_POINT("queue.hint.noted");
  if (!noted) core::log(core::Level::warning, "fax that is coming in not noted", noted.error(), {{"provider_id", parts[1]}});
  return true;
}

}  // namespace

std::string machine_name(const std::string& state_folder) {
  const auto folder = state_folder + "/db";
  const auto path = folder + "/machine";
  // Held while the name is looked for and made. Where it cannot be had, neither can the name be kept.
  const auto held = core::open_file(folder, O_RDONLY | O_DIRECTORY);
  while (held && ::flock(held->get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  if (const auto known = core::read_file(path, 200); known && !known->empty()) return *known;
  const auto name = crypto::new_token();
  if (const auto kept = core::replace_file(path, name, 0600); !kept) core::log(core::Level::warning, "the machine's name cannot be kept", kept.error());
  return name;
}

std::string worker_name(const Workers& workers, std::string_view part) { return workers.machine + ":" + workers.wake_socket + ":" + std::string(part); }

void begin(const Context& context) {
  if (const auto done = context.faxes.shorten_hold(context.clock.now()); !done) core::log(core::Level::warning, "hold not shortened", done.error());
}

core::Result<bool> run_one(const Context& context, const std::string& worker, store::Faxes::Take take) {
  // A lease that was taken by a clock that had been set, unseen, would be cut short when that is seen.
  if (context.time != nullptr) CORE_CHECK(context.time->look());
  CORE_TRY(claimed, context.faxes.claim(worker, context.clock.now(), context.options.lease, take));
  if (!claimed) return false;
  FAIL_POINT("queue.run.claimed");
  if (context.watch != nullptr && claimed->next_at) context.watch->measure(store::Watch::kQueueDelay, context.clock.now() - *claimed->next_at);
  auto mine = context;
  mine.worker = worker;
  const auto done = is_with_other_provider(mine, *claimed) ? step_with_other_provider(mine, *claimed)
                    : claimed->direction == fax::Direction::outbound ? step_outbound(mine, *claimed) : step_inbound(mine, *claimed);
  if (!done && is_lease_lost(done.error())) {
    core::log(core::Level::warning, "slept past the lease: another worker has the fax", done.error(), {{"fax", claimed->id}});
  } else if (!done) {
    core::log(core::Level::error, "step not done", done.error(), {{"fax", claimed->id}, {"state", fax::name(claimed->status)}});
    const auto later = done.error().code == core::Code::no_space ? wait_for_disk(mine, *claimed, done.error()) : come_back(mine, claimed->id, kAfterError);
    if (!later) core::log(core::Level::error, "fax not put off", later.error(), {{"fax", claimed->id}});
  }
  FAIL_POINT("queue.run.stepped");
  CORE_CHECK(context.faxes.release(claimed->id, worker));
  FAIL_POINT("queue.run.released");
  return true;
}

core::Result<void> run(const Context& context, const Workers& workers, const std::atomic<bool>& stop) {
  CORE_TRY(receiver, wake::Receiver::bind(workers.wake_socket));
  begin(context);
  Bell bell;
  std::vector<std::thread> threads;
  for (int i = 0; i < workers.count; ++i) {
    // Downloads that take long never keep all workers from the other faxes.
    const auto take = i == 0 && workers.count > 1 ? store::Faxes::Take::without_fetching : store::Faxes::Take::anything;
    threads.emplace_back([&, take, worker = worker_name(workers, std::to_string(i))] { work(context, worker, take, bell, stop); });
  }
  threads.emplace_back([&] { keep_house(context, bell, stop); });
  threads.emplace_back([&] { watch(context, bell, stop); });
  core::log(core::Level::info, "ready", {{"workers", std::to_string(workers.count)}, {"provider", context.options.provider}});
  while (!stop) {
    bool work_came = false;
    for (const auto& hint : receiver.wait(200ms)) work_came |= !take_receiving(context, hint);
    if (work_came) bell.ring();
  }
  bell.ring();
  for (auto& thread : threads) thread.join();
  return {};
}

}  // namespace queue
