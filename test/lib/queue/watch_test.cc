#include "queue/watch.h"

#include "bench.h"

using namespace bench;

namespace {

struct Watched : Bench {
  Watched() {
    watched = true;
    provider.documents["https://media/1"] = "%PDF 2 as it came";
  }
  std::string mail() const { return folder + "/mail"; }
  void look() { queue::look_after(context(), looks); }
  std::vector<store::Trouble> troubles() { return watch->troubles().value(); }
  queue::Looks looks;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// One way in which a mailbox can be broken, and its cure.
struct Broken {
  const char* what;
  std::function<void(Watched&)> break_it;
  std::function<void(Watched&)> mend_it;
  const char* said;
};

void move(const std::string& from, const std::string& to) { std::filesystem::rename(from, to); }

const std::vector<Broken>& ways() {
  static const std::vector<Broken> ways{
      {"missing", [](Watched& it) { move(it.mail(), it.mail() + "-away"); }, [](Watched& it) { move(it.mail() + "-away", it.mail()); }, "There is no mailbox at"},
      {"new is missing", [](Watched& it) { move(it.mail() + "/new", it.mail() + "/old"); }, [](Watched& it) { move(it.mail() + "/old", it.mail() + "/new"); }, "There is no mailbox at"},
      {"not a folder",
       [](Watched& it) {
         move(it.mail(), it.mail() + "-away");
         std::ofstream(it.mail()) << "a file";
       },
       [](Watched& it) {
         std::filesystem::remove(it.mail());
         move(it.mail() + "-away", it.mail());
       },
       "There is no mailbox at"},
      {"faxline-deliver is down", [](Watched& it) { it.mailbox_is_away = true; }, [](Watched& it) { it.mailbox_is_away = false; }, "The mailbox cannot be reached"},
  };
  return ways;
}

}  // namespace

TEST_CASE("a broken mailbox: the fax waits here, people are told, and it is delivered when the mailbox is mended") {
  for (const auto& way : ways()) {
    CAPTURE(way.what);
    const core::LogCapture log;
    Watched line;
    way.break_it(line);
    const auto id = line.receive("FXin", "https://media/1", 2).fax.id;
    line.run_for(30min);
    CHECK(line.status(id) == Status::received);
    CHECK(line.fax(id).mail_due);
    CHECK(line.fax(id).mail_tries > 3);
    CHECK(line.story(id).find("Waiting for the mailbox") != std::string::npos);
    REQUIRE(line.troubles().size() == 1);
    CHECK(line.troubles()[0].kind == "mailbox");
    CHECK(has(line.troubles()[0].text, way.said));
    CHECK(line.troubles()[0].tries > 3);
    CHECK(line.troubles()[0].since < line.troubles()[0].last);
    CHECK(has(log.text(), "TROUBLE"));
    way.mend_it(line);
    // Not at its next try, which may be minutes away: at the next look.
    line.look();
    line.run();
    CHECK(line.troubles().empty());
    CHECK_FALSE(line.fax(id).mail_due);
    std::size_t mails = 0;
    for (const auto& mail : line.mails()) mails += has(mail, "X-Fax-Sid: FXin") ? 1U : 0U;
    CHECK(mails == 1);
    CHECK(has(log.text(), "the trouble is over"));
  }
}

TEST_CASE("a broken mailbox is found before a fax comes, and told once a minute") {
  Watched line;
  line.look();
  CHECK(line.troubles().empty());
  move(line.mail() + "/new", line.mail() + "/old");
  line.look();
  CHECK(line.troubles().empty());  // looked at a moment ago
  for (int i = 0; i < 25; ++i) {
    line.clock.advance(5s);
    line.look();
  }
  REQUIRE(line.troubles().size() == 1);
  CHECK(line.troubles()[0].tries == 2);
  move(line.mail() + "/old", line.mail() + "/new");
  line.clock.advance(5s);
  line.look();
  CHECK(line.troubles().empty());
  CHECK(std::filesystem::is_empty(line.mail() + "/tmp"));
}

TEST_CASE("the queue's sign of life, once a minute, and after a clock that was set back") {
  Watched line;
  CHECK_FALSE(line.watch->last_beat(store::Watch::kQueue).value());
  line.look();
  const auto first = line.clock.now();
  CHECK(line.watch->last_beat(store::Watch::kQueue).value() == first);
  line.clock.advance(59s);
  line.look();
  CHECK(line.watch->last_beat(store::Watch::kQueue).value() == first);
  line.clock.advance(1s);
  line.look();
  CHECK(line.watch->last_beat(store::Watch::kQueue).value() == first + 60s);
  line.clock.advance(-1h);
  line.look();
  CHECK(line.watch->last_beat(store::Watch::kQueue).value() == line.clock.now());
}

TEST_CASE("no room on the disk: a fax waits, says so once, and goes on by itself") {
  Watched line;
  const auto id = line.send();
  const auto with_room = *line.spool;
  line.spool.emplace(spool::Spool::existing(line.folder, {std::int64_t{1} << 60, std::int64_t{1} << 60}).value());
  line.look();
  line.run_for(5min);
  CHECK_FALSE(fax::is_final(line.status(id)));
  CHECK(line.cause(id) == "disk_full");
  const auto story = line.story(id);
  CHECK(has(story, "Waiting for room on the disk"));
  CHECK(story.find("Waiting for room", story.find("Waiting for room") + 1) == std::string::npos);
  CHECK(line.provider.count("submit") == 0);
  REQUIRE(line.troubles().size() == 1);
  CHECK(line.troubles()[0].kind == "disk");
  CHECK(has(line.troubles()[0].text, "Make room"));
  // Fetching waits, too.
  const auto received = line.receive("FXin", "https://media/1", 2).fax.id;
  line.run_for(1min);
  CHECK(line.status(received) == Status::fetching);
  CHECK(line.cause(received) == "disk_full");
  line.spool.emplace(with_room);
  line.look();
  line.run();
  CHECK(line.troubles().empty());
  CHECK(line.provider.count("submit") == 1);
  CHECK(line.status(received) == Status::received);
  CHECK(line.cause(received).empty());
  CHECK(line.mails().size() == 1);
}

TEST_CASE("durations are counted by length, over restarts") {
  Watched line;
  line.watch->measure("x", 1000ms);
  line.watch->measure("x", 1001ms);
  line.watch->measure("x", 100h);
  line.watch->measure("x", -5s);
  REQUIRE(line.watch->flush());
  line.start();
  line.watch->measure("x", 2s);
  REQUIRE(line.watch->flush());
  const auto histogram = line.watch->histogram("x").value();
  CHECK(histogram.counts.front() == 2);
  CHECK(histogram.counts.at(1) == 2);
  CHECK(histogram.counts.back() == 1);
  CHECK(histogram.sum_ms == 1000 + 1001 + 360'000'000 + 2000);
}

TEST_CASE("how long a received fax took to the mailbox is measured") {
  Watched line;
  (void)line.receive("FXin", "https://media/1", 2);
  line.run();
  line.look();
  std::int64_t counted = 0;
  const auto histogram = line.watch->histogram(store::Watch::kToMailbox).value();
  for (const auto count : histogram.counts) counted += count;
  CHECK(counted == 1);
}

TEST_CASE("a mailbox that takes a small file, but not this mail: the trouble lasts until the mail is there") {
  Watched line;
  line.mailbox_is_away = true;  // the check looks at the folder, and finds nothing wrong
  (void)line.receive("FXin", "https://media/1", 2);
  line.run();
  for (int i = 0; i < 30; ++i) {
    line.clock.advance(5s);
    line.look();
    line.run();
    REQUIRE(line.troubles().size() == 1);
  }
  CHECK(line.troubles()[0].since < line.troubles()[0].last);
  line.mailbox_is_away = false;
  line.run_for(15min);
  CHECK(line.troubles().empty());
}
