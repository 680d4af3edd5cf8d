// A clock that is not synchronised, or is set while the line runs (README.md, "The clock").
#include "bench.h"

using namespace bench;

namespace {

constexpr auto kMonth = 30 * 24h;

struct Timed : Bench {
  Timed() { start_queue(); }
  // As when the daemon is started: nothing has been seen yet.
  void start_queue() { time.emplace(clock, *faxes, options.lifetime); }
  void sweep() { REQUIRE(time->look()); }
  // Somebody sets the clock.
  void set_by(core::Milliseconds by) {
    clock.set(clock.now() + by);
    provider.now = clock.now();
  }
  void run() {
    sweep();
    const auto here = with_time();
    for (int i = 0; i < 200; ++i) {
      const auto done = queue::run_one(here, "worker");
      REQUIRE(done);
      if (!*done) return;
    }
    FAIL("the queue does not come to rest");
  }
  void pass(core::Milliseconds by) {
    clock.advance(by);
    provider.now = clock.now();
    run();
  }
  queue::Context with_time() {
    auto here = context();
    here.time = &*time;
    return here;
  }
  std::string fact(const char* name) { return faxes->fact(name).value(); }
  std::optional<queue::Timekeeper> time;
};

}  // namespace

TEST_CASE("clock: a deadline waits for a synchronised clock; the log and the book say so, once") {
  Timed line;
  line.provider.outcomes.assign(200, {.kind = Kind::unreachable, .error = down()});
  const auto id = line.send();
  line.run();
  // The power fails; a week later the machine boots, and nobody has told it the time.
  line.set_by(7 * 24h);
  line.clock.start_machine(false);
  line.start_queue();
  const core::LogCapture log;
  line.run();
  line.pass(5min);
  CHECK(line.status(id) == Status::waiting);
  CHECK(line.fact(queue::kClockState) == "waiting");
  CHECK_FALSE(line.time->may_purge());
  const auto text = log.text();
  CHECK(text.find("the clock is not synchronised: deadlines and purge wait") != std::string::npos);
  CHECK(text.find("the clock is not synchronised: deadlines and purge wait") == text.rfind("the clock is not synchronised: deadlines and purge wait"));
  line.clock.synchronise();
  line.run();
  CHECK(line.fact(queue::kClockState) == "synchronised");
  CHECK(line.status(id) == Status::failed);
  CHECK(line.cause(id) == "never_submitted");
  CHECK(line.time->may_purge());
}

TEST_CASE("clock: a machine that nobody synchronises is believed after 10 minutes, but not before the newest time in the book") {
  Timed line;
  line.run();
  const auto newest = line.clock.now();
  line.clock.start_machine(false);
  line.start_queue();
  line.pass(9min);
  CHECK_FALSE(line.time->may_end());
  line.pass(1min);
  CHECK(line.time->may_end());
  CHECK(line.fact(queue::kClockState) == "unsynchronised");
  CHECK(line.fact(queue::kNewestTime) == core::rfc3339(newest + 10min));
  // Without a battery it boots with an old time.
  line.set_by(-kMonth);
  line.clock.start_machine(false);
  line.start_queue();
  line.pass(1h);
  CHECK(line.fact(queue::kClockState) == "waiting");
  CHECK(line.fact(queue::kNewestTime) == core::rfc3339(newest + 10min));
  line.set_by(kMonth);
  line.run();
  CHECK(line.fact(queue::kClockState) == "unsynchronised");
}

TEST_CASE("clock: forward by an hour and more: deadlines begin anew, purge waits for a day") {
  for (const core::Milliseconds by : {core::Milliseconds(61min), core::Milliseconds(kMonth)}) {
    CAPTURE(by.count());
    Timed line;
    line.provider.outcomes.assign(2000, {.kind = Kind::unreachable, .error = down()});
    const auto id = line.send();
    line.receive("FXin", "https://media/none");
    line.run();
    line.pass(71h + 30min);
    REQUIRE(line.status(id) == Status::waiting);
    line.set_by(by);
    const core::LogCapture log;
    line.run();
    CHECK(line.status(id) == Status::waiting);
    CHECK(line.faxes->fax_of_provider_id("FXin")->status == Status::fetching);
    CHECK(line.fax(id).deadline == line.clock.now() + line.options.lifetime);
    CHECK(log.text().find("the clock was set forward") != std::string::npos);
    CHECK_FALSE(line.time->may_purge());
    line.pass(23h);
    CHECK_FALSE(line.time->may_purge());
    line.start_queue();  // a restart forgets nothing
    CHECK_FALSE(line.time->may_purge());
    line.pass(1h);
    CHECK(line.time->may_purge());
    line.pass(48h);
    CHECK(line.status(id) == Status::failed);
    CHECK(line.faxes->fax_of_provider_id("FXin")->status == Status::failed);
  }
}

TEST_CASE("clock: a worker that holds a fax while the clock jumps does not end it, nor one whose deadline began anew meanwhile") {
  Timed line;
  line.provider.outcomes.assign(20, {.kind = Kind::unreachable, .error = down()});
  const auto id = line.send();
  line.run();
  const auto stale = line.fax(id);
  line.set_by(kMonth);
  // No sweep has been: the step itself sees that the clock was set.
  REQUIRE(queue::step_outbound(line.with_time(), stale));
  CHECK_FALSE(fax::is_final(line.status(id)));
  CHECK(line.fax(id).deadline > line.clock.now());
  REQUIRE(queue::end_in_time(line.with_time(), stale));
  CHECK_FALSE(fax::is_final(line.status(id)));
}

TEST_CASE("clock: forward by less than an hour changes nothing") {
  Timed line;
  const auto id = line.send();
  line.run();
  const auto deadline = line.fax(id).deadline;
  line.set_by(59min);
  line.run();
  CHECK(line.fax(id).deadline == deadline);
  CHECK(line.time->may_purge());
}

TEST_CASE("clock: back: what waits, waits no longer than was meant") {
  for (const core::Milliseconds by : {core::Milliseconds(1h), core::Milliseconds(kMonth)})
    for (const bool while_down : {false, true}) {
      CAPTURE(by.count());
      CAPTURE(while_down);
      Timed line;
      line.provider.outcomes = {{.kind = Kind::unreachable, .error = down()}, {.kind = Kind::rate_limited, .retry_after = 600s}};
      const auto id = line.send();
      line.receive("FXin", "https://media/late");
      line.run();
      const auto held = line.send_to("+12125550002");
      line.run();
      REQUIRE(line.faxes->hold().value());
      // Another machine died with a fax in its hands.
      const auto dead = line.send_to("+12125550003");
      REQUIRE(line.faxes->claim("dead", line.clock.now(), 5min).value()->id == dead);
      line.provider.documents["https://media/late"] = "%PDF 2";
      line.sweep();
      line.set_by(-by);
      if (while_down) line.start_queue();
      line.run();
      for (const auto& one : {id, held, dead}) CHECK(line.fax(one).deadline <= line.clock.now() + line.options.lifetime);
      CHECK(line.faxes->hold().value()->until <= line.clock.now() + 600s);
      for (int i = 0; i < 12; ++i) line.pass(1min);
      for (const auto& one : {id, held, dead}) CHECK(line.status(one) == Status::sending);
      CHECK(line.faxes->fax_of_provider_id("FXin")->status == Status::received);
    }
}

TEST_CASE("clock: forward while the daemon was down is seen at the start, and dealt with once") {
  Timed line;
  line.provider.outcomes.assign(2000, {.kind = Kind::unreachable, .error = down()});
  const auto id = line.send();
  line.run();
  line.clock.advance(1h);  // down
  line.set_by(kMonth);
  line.start_queue();
  // The first thing that is done: nothing has swept yet.
  REQUIRE(queue::step_outbound(line.with_time(), line.fax(id)));
  CHECK(line.status(id) == Status::waiting);
  const auto deadline = line.fax(id).deadline;
  CHECK(deadline == line.clock.now() + line.options.lifetime);
  CHECK_FALSE(line.time->may_purge());
  line.pass(10min);
  line.start_queue();
  const core::LogCapture log;
  line.run();
  CHECK(log.text().find("the clock was set") == std::string::npos);
  CHECK(line.fax(id).deadline == deadline);
  CHECK(line.fact(queue::kRewind) == "1");
}

TEST_CASE("clock: a machine that was off for a month is no clock that was set") {
  Timed line;
  line.provider.outcomes.assign(2000, {.kind = Kind::unreachable, .error = down()});
  const auto id = line.send();
  line.run();
  line.set_by(kMonth);
  line.clock.start_machine(true);
  line.start_queue();
  line.run();
  CHECK(line.status(id) == Status::failed);
  CHECK(line.cause(id) == "never_submitted");
  CHECK(line.time->may_purge());
}

TEST_CASE("clock: back: killed and started again in the middle of it, what waits comes nearer once alone") {
  for (const bool killed : {false, true}) {
    CAPTURE(killed);
    Timed line;
    line.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 3 * 3600s}};
    line.send();
    line.run();
    const auto until = line.faxes->hold().value()->until;
    line.set_by(-1h);
    line.run();
    if (killed) {
      line.start_queue();
      line.run();
    }
    CHECK(line.faxes->hold().value()->until == until - 1h);
  }
}

TEST_CASE("clock: back, and a fax is taken before any sweep: nobody else takes it in the middle of its call") {
  for (const bool while_down : {false, true}) {
    CAPTURE(while_down);
    Timed line;
    line.sweep();
    const auto id = line.send();
    line.set_by(-kMonth);
    if (while_down) line.start_queue();
    int calls = 0;
    line.provider.on_submit = [&](const auto&) {
      ++calls;
      line.sweep();
      CHECK_FALSE(line.faxes->claim("another", line.clock.now(), 5min).value());
    };
    const auto here = line.with_time();
    for (int i = 0; i < 5; ++i) REQUIRE(queue::run_one(here, "worker"));
    CHECK(calls == 1);
    CHECK(line.status(id) == Status::sending);
  }
}

TEST_CASE("clock: back while a notice is put off, and another is in the hands of a daemon that is gone") {
  Timed line;
  for (int i = 0; i < 2; ++i) line.cancel(line.send());
  line.run();
  auto notices = line.faxes->notices();
  const std::vector<std::string> ways{"webhook"};
  REQUIRE(notices.share_out([&](const store::Notice&) { return ways; }, line.clock.now()).value() == 2);
  const auto put_off = notices.claim(ways, "worker", line.clock.now(), 10min).value();
  REQUIRE(put_off);
  REQUIRE(notices.put_off(*put_off, "away", line.clock.now(), line.clock.now() + 1h));
  REQUIRE(notices.claim(ways, "gone", line.clock.now(), 10min).value());
  line.set_by(-kMonth);
  line.run();
  CHECK_FALSE(notices.claim(ways, "worker", line.clock.now(), 10min).value());
  line.pass(10min);
  CHECK(notices.claim(ways, "worker", line.clock.now(), 2h).value());
  line.pass(50min);
  CHECK(notices.claim(ways, "worker of another name", line.clock.now(), 2h).value());
}

TEST_CASE("clock: back while a fax is seen final without a reason: the reason is not waited for until then") {
  Timed line;
  const auto id = line.send();
  line.run();
  line.provider.fax("FX1", ProviderStatus::failed);
  line.pass(2s);
  REQUIRE(line.status(id) == Status::sending);
  line.set_by(-kMonth);
  line.run();
  for (int i = 0; i < 5; ++i) line.pass(2s);
  CHECK(line.status(id) == Status::failed);
}

TEST_CASE("clock: back while it is looked for at the provider: no longer than CHECK_SECONDS") {
  Timed line;
  line.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  line.provider.on_submit = [&](const auto& request) { CHECK(line.get(request.media_url)); };
  const auto id = line.send();
  line.run();
  REQUIRE(line.status(id) == Status::checking);
  line.set_by(-kMonth);
  line.run();
  for (int i = 0; i < 185; ++i) line.pass(10s);
  CHECK(line.status(id) == Status::unresolved);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("clock: what came while it was wrong is found by the list afterwards, and nothing from before this provider was configured") {
  Timed line;
  REQUIRE(queue::reconcile(line.with_time(), std::nullopt));
  const auto configured = line.clock.now();
  line.pass(1h);
  line.set_by(kMonth);
  line.run();
  REQUIRE(queue::reconcile(line.with_time(), std::nullopt));
  line.pass(10h);
  REQUIRE(queue::reconcile(line.with_time(), std::nullopt));
  line.set_by(-kMonth);
  line.run();
  REQUIRE(queue::reconcile(line.with_time(), std::nullopt));
  CHECK(line.provider.asked.created_after == configured - 15min);
  REQUIRE(queue::reconcile(line.with_time(), std::nullopt));
  CHECK(line.provider.asked.created_after == line.clock.now() - 15min);
}
