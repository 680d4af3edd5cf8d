#include "bench.h"

#include <thread>

using namespace bench;

TEST_CASE("a fax that is taken: intent first, fresh tokens, the provider's id in the book") {
  Bench bench;
  bench.options.auth_user = "fax line";
  bench.options.auth_password = core::SecretString("p@ss");
  const auto id = bench.send();
  std::optional<store::Attempt> during;
  bench.provider.on_submit = [&](const auto&) { during = bench.faxes->last_attempt(id).value(); };
  bench.run();
  REQUIRE(during);
  CHECK(during->provider_id.empty());
  CHECK(bench.status(id) == Status::sending);
  CHECK(bench.fax(id).provider_id == "FX1");
  CHECK(bench.fax(id).attempt == 1);
  const auto& request = bench.provider.requests.at(0);
  CHECK(request.from == "+15005550006");
  CHECK(request.to == "+12125551212");
  CHECK(request.media_url.starts_with("https://fax%20line:p%40ss@fax.example.org/fax/sending/"));
  CHECK(request.callback_url.starts_with("https://fax%20line:p%40ss@fax.example.org/fax/callback/"));
  CHECK(bench.copies() == 1);
}

TEST_CASE("a refusal ends the fax with the provider's words; its URL is over") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::not_taken, .error_code = "21211", .message = "Invalid To"}};
  const auto id = bench.send();
  bench.run();
  CHECK(bench.status(id) == Status::failed);
  CHECK(bench.cause(id) == "number_refused");
  CHECK(bench.fax(id).cause_text == "Invalid To");
  CHECK_FALSE(bench.get(bench.provider.requests[0].media_url));
  CHECK(bench.copies() == 0);
  bench.run_for(1h);
  CHECK(bench.provider.count("submit") == 1);
}

TEST_CASE("a refusal with a code that is in no table is shown with its code") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::not_taken, .error_code = "99999", .message = "Something new"}};
  const auto id = bench.send();
  bench.run();
  CHECK(bench.cause(id) == "refused_by_provider");
  CHECK(bench.fax(id).cause_text == "error 99999: Something new");
}

TEST_CASE("an answer with the id of another call says nothing of this one") {
  Bench bench;
  const auto first = bench.send_to("+12125551201");
  bench.run();
  REQUIRE(bench.fax(first).provider_id == "FX1");
  SUBCASE("nobody has fetched the document: void, and another call") {
    bench.provider.outcomes = {{.kind = Kind::taken, .provider_id = "FX1"}};
    const auto id = bench.send_to("+12125551202");
    const core::LogCapture log;
    bench.run();
    CHECK(bench.status(id) == Status::waiting);
    CHECK(bench.fax(id).provider_id.empty());
    CHECK(log.text().find("the provider answered with the id of another call") != std::string::npos);
    CHECK_FALSE(bench.get(bench.provider.requests[1].media_url));
    for (int i = 0; i < 6; ++i) bench.pass(30s);
    CHECK(bench.status(id) == Status::sending);
    CHECK(bench.fax(id).provider_id == "FX3");
  }
  SUBCASE("it was handed out: looked for, and found in the list") {
    bench.provider.on_submit = [&](const auto& request) { CHECK(bench.get(request.media_url)); };
    bench.provider.outcomes = {{.kind = Kind::taken, .provider_id = "FX1"}};
    const auto id = bench.send_to("+12125551202");
    bench.run();
    CHECK(bench.status(id) == Status::checking);
    bench.provider.listed = {bench.provider.fax("FXtrue", ProviderStatus::processing, "+12125551202")};
    bench.pass(10s);
    CHECK(bench.fax(id).provider_id == "FXtrue");
    CHECK(bench.provider.count("submit") == 2);
  }
  bench.provider.faxes["FX1"].status = ProviderStatus::delivered;
  bench.run_for(5min);
  CHECK(bench.status(first) == Status::delivered);
}

TEST_CASE("a provider that cannot be reached is tried again, with other tokens, and no retry is used up") {
  Bench bench;
  bench.options.retry_limit = 0;
  for (int i = 0; i < 3; ++i) bench.provider.outcomes.push_back({.kind = Kind::unreachable, .error = down()});
  const auto id = bench.send();
  bench.run();
  CHECK(bench.status(id) == Status::waiting);
  CHECK(bench.cause(id) == "provider_unreachable");
  for (int i = 0; i < 6; ++i) bench.pass(30s);
  CHECK(bench.status(id) == Status::sending);
  CHECK(bench.cause(id).empty());
  CHECK(bench.fax(id).ends_to_retry == 0);
  REQUIRE(bench.provider.requests.size() == 4);
  CHECK(bench.provider.requests[0].media_url != bench.provider.requests[1].media_url);
  CHECK(bench.provider.requests[0].callback_url != bench.provider.requests[1].callback_url);
  CHECK_FALSE(bench.get(bench.provider.requests[2].media_url));
  CHECK(bench.get(bench.provider.requests[3].media_url));
}

TEST_CASE("429 holds all faxes for the time that the provider asks for; one tries, and when it is taken all go") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 120s}};
  std::vector<std::string> ids;
  for (const auto* to : {"+12125551201", "+12125551202", "+12125551203"}) ids.push_back(bench.send_to(to));
  bench.run();
  CHECK(bench.provider.count("submit") == 1);
  for (const auto& id : ids) {
    CHECK(bench.status(id) == Status::waiting);
    CHECK(bench.cause(id) == "rate_limited");
  }
  bench.pass(119s);
  CHECK(bench.provider.count("submit") == 1);
  bench.provider.outcomes = {{.kind = Kind::rate_limited}};
  bench.pass(1s);
  CHECK(bench.provider.count("submit") == 2);
  bench.pass(119s);
  bench.pass(61s);
  CHECK(bench.provider.count("submit") == 5);
  for (const auto& id : ids) CHECK(bench.status(id) == Status::sending);
  CHECK_FALSE(bench.faxes->hold().value());
}

TEST_CASE("a held account whose trial is refused for its own sake: the next fax tries at once") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 10s}, {.kind = Kind::not_taken, .error_code = "21211"}};
  const auto bad = bench.send_to("+12125551201");
  const auto good = bench.send_to("+12125551202");
  bench.run();
  bench.pass(10s);
  bench.run();
  CHECK(bench.provider.count("submit") == 3);
  CHECK((bench.status(bad) == Status::failed) != (bench.status(good) == Status::failed));
  CHECK((bench.status(bad) == Status::sending) != (bench.status(good) == Status::sending));
  CHECK_FALSE(bench.faxes->hold().value());
}

TEST_CASE("429 without Retry-After: from 30 s, growing until one is taken") {
  Bench bench;
  for (int i = 0; i < 3; ++i) bench.provider.outcomes.push_back({.kind = Kind::rate_limited});
  const auto id = bench.send();
  bench.run();
  std::vector<core::Milliseconds> waits;
  for (int i = 0; i < 3; ++i) {
    const auto until = bench.faxes->hold().value()->until;
    waits.push_back(until - bench.clock.now());
    bench.pass(until - bench.clock.now());
  }
  CHECK(waits == std::vector<core::Milliseconds>{30s, 60s, 120s});
  CHECK(bench.status(id) == Status::sending);
}

TEST_CASE("401: shown at once, one fax tries every 5 minutes, nothing fails before the deadline") {
  Bench bench;
  bench.options.lifetime = std::chrono::hours(2);
  for (int i = 0; i < 100; ++i) bench.provider.outcomes.push_back({.kind = Kind::unauthorized});
  const auto one = bench.send_to("+12125551201");
  const auto two = bench.send_to("+12125551202");
  bench.run();
  CHECK(bench.cause(one) == "wrong_credentials");
  CHECK(bench.cause(two) == "wrong_credentials");
  bench.run_for(1h);
  CHECK(bench.provider.count("submit") == 13);
  CHECK(bench.status(one) == Status::waiting);
  bench.run_for(2h);
  CHECK(bench.status(one) == Status::failed);
  CHECK(bench.cause(one) == "never_submitted");
  CHECK(bench.status(two) == Status::failed);
}

TEST_CASE("two workers never try a held account both") {
  Bench bench;
  REQUIRE(bench.faxes->set_hold(store::Hold{"rate_limited", bench.clock.now(), bench.clock.now(), 1}));
  const auto now = bench.clock.now();
  int granted = 0;
  for (int i = 0; i < 3; ++i) granted += bench.faxes->take_probe(now, now + 60s).value() ? 1 : 0;
  CHECK(granted == 1);
  CHECK(bench.faxes->take_probe(now + 60s, now + 120s).value());
}

TEST_CASE("a start ends no hold, but tries at once") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 3600s}, {.kind = Kind::rate_limited, .retry_after = 3600s}};
  const auto id = bench.send();
  const auto other = bench.send_to("+12125551203");
  bench.run();
  bench.pass(10s);
  CHECK(bench.provider.count("submit") == 1);
  queue::begin(bench.context());
  bench.run();
  CHECK(bench.provider.count("submit") == 2);
  CHECK(bench.status(id) == Status::waiting);
  CHECK(bench.status(other) == Status::waiting);
  CHECK(bench.faxes->hold().value());
}

TEST_CASE("an unknown outcome whose document was never fetched: void, and a new attempt with other tokens") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  const auto id = bench.send();
  bench.run();
  CHECK(bench.status(id) == Status::waiting);
  CHECK(bench.cause(id) == "never_fetched");
  CHECK_FALSE(bench.get(bench.provider.requests[0].media_url));
  bench.pass(30s);
  CHECK(bench.status(id) == Status::sending);
  REQUIRE(bench.provider.requests.size() == 2);
  CHECK(bench.provider.requests[0].media_url != bench.provider.requests[1].media_url);
  CHECK(bench.fax(id).attempt == 2);
  CHECK(bench.fax(id).ends_to_retry == 0);
}

TEST_CASE("an answer that says 'not taken' of a document that was fetched is not believed") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 1s}};
  bench.provider.on_submit = [&](const auto& request) { CHECK(bench.get(request.media_url)); };
  const auto id = bench.send();
  bench.run();
  CHECK(bench.status(id) == Status::checking);
  bench.run_for(10min);
  CHECK(bench.provider.count("submit") == 1);
}

TEST_CASE("at most one call to a number is without the provider's id") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  bench.provider.on_submit = [&](const auto& request) { bench.get(request.media_url); };
  const auto one = bench.send();
  const auto two = bench.send();
  bench.run();
  CHECK(bench.status(one) == Status::checking);
  bench.run_for(5min);
  CHECK(bench.provider.count("submit") == 1);
  CHECK_FALSE(fax::is_final(bench.status(two)));
  bench.provider.on_submit = nullptr;
  bench.run_for(26min);
  CHECK(bench.status(one) == Status::unresolved);
  CHECK(bench.provider.count("submit") == 2);
}

namespace {

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A call to the number is open: its answer was lost, and its document was fetched.
struct Occupied : Bench {
  Occupied() {
    provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    provider.on_submit = [this](const auto& request) { get(request.media_url); };
    first = send();
    run();
    CHECK(status(first) == Status::checking);
    provider.on_submit = nullptr;
  }
  std::string first;
};

}  // namespace

TEST_CASE("a fax behind another one to its number says so, once, and is neither copied nor joined anew") {
  Occupied line;
  const auto single = line.send();
  const auto several = line.send({line.upload("%PDF 2 a"), line.upload("%PDF 3 b")});
  line.run();
  const auto files = line.spool->list()->size();
  const auto joined = line.fax(several).document_id;
  const auto copies = line.copies();
  for (int i = 0; i < 20; ++i) line.pass(5s);
  for (const auto& id : {single, several}) {
    CHECK(line.status(id) == Status::waiting);
    CHECK(line.cause(id) == "behind_another_fax");
    CHECK(times(line.story(id), "Waiting; ") == 1);
  }
  CHECK(line.spool->list()->size() == files);
  CHECK(line.fax(several).document_id == joined);
  CHECK(line.copies() == copies);
  // The other one is found.
  line.provider.fax("FXa", ProviderStatus::processing).created = line.faxes->last_attempt(line.first).value()->intent;
  line.provider.listed = {line.provider.faxes["FXa"]};
  line.run_for(1min);
  CHECK(line.status(single) == Status::sending);
  CHECK(line.status(several) == Status::sending);
  CHECK(line.cause(several).empty());
}

TEST_CASE("nothing is copied for a fax whose number is occupied") {
  Occupied line;
  const auto id = line.send();
  REQUIRE(queue::prepare(line.context(), line.fax(id)));
  // As if the disk were full: a copy would be an error.
  std::filesystem::remove(line.folder + "/spool/" + line.fax(id).document_id);
  CHECK(queue::submit(line.context(), line.fax(id)));
  CHECK(line.cause(id) == "behind_another_fax");
}

TEST_CASE("a fax that cannot call does not use up the account's one trial") {
  Occupied line;
  line.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 30s}};
  const auto other = line.send_to("+12125551209");
  line.run();
  REQUIRE(line.faxes->hold().value());
  const auto blocked = line.send();
  line.run();
  CHECK(line.cause(blocked) == "behind_another_fax");
  // The blocked one is due first.
  line.clock.advance(30s);
  REQUIRE(queue::submit(line.context(), line.fax(blocked)));
  line.run();
  CHECK(line.status(other) == Status::sending);
  CHECK_FALSE(line.faxes->hold().value());
}

TEST_CASE("a trial that another call to the number, begun in this moment, takes away is given back") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 30s}};
  const auto id = bench.send();
  bench.run();
  bench.clock.advance(30s);
  // It was changed since it was read: the intent is not written.
  auto stale = bench.fax(id);
  auto row = stale;
  REQUIRE(bench.faxes->save(row, bench.clock.now()));
  REQUIRE(queue::submit(bench.context(), stale));
  REQUIRE(bench.provider.count("submit") == 1);
  CHECK(bench.faxes->hold().value()->until <= bench.clock.now());
}

TEST_CASE("the words of an older failure go with it") {
  Bench bench;
  bench.provider.move = [](fax::ProviderFax& word, const auto&) { word.status = ProviderStatus::failed, word.error_code = "34002", word.error_message = "Busy here, said the PBX"; };
  const auto id = bench.send();
  bench.run_for(3s);
  REQUIRE(bench.cause(id) == "busy");
  REQUIRE(bench.fax(id).cause_text == "Busy here, said the PBX");
  SUBCASE("the account is held") {
    REQUIRE(bench.faxes->set_hold(store::Hold{"rate_limited", bench.clock.now(), bench.clock.now() + 24h, 1}));
    bench.pass(400s);
    CHECK(bench.cause(id) == "rate_limited");
  }
  SUBCASE("the next call's answer is lost, and nobody fetches") {
    bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    bench.pass(400s);
    CHECK(bench.cause(id) == "never_fetched");
  }
  SUBCASE("the next call's answer is lost, and it is looked for") {
    bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    bench.provider.on_submit = [&](const auto& request) { bench.get(request.media_url); };
    bench.pass(400s);
    CHECK(bench.cause(id) == "being_looked_for");
  }
  CHECK(bench.fax(id).cause_text.empty());
}

// A machine that slept in the call: its lease ran out, and another worker went on meanwhile.
TEST_CASE("what an old call says late moves its own attempt, not the fax") {
  for (const auto kind : {Kind::not_taken, Kind::taken, Kind::unreachable, Kind::unknown}) {
    CAPTURE(static_cast<int>(kind));
    Bench bench;
    const auto id = bench.send();
    bench.provider.outcomes = {{.kind = kind, .provider_id = kind == Kind::taken ? "FXold" : "", .error = lost()}};
    bench.provider.on_submit = [&](const auto&) {
      if (bench.provider.requests.size() > 1) return;
      const auto here = bench.context();
      bench.clock.advance(6min);
      for (int i = 0; i < 10; ++i) {
        REQUIRE(queue::run_one(here, "other worker"));
        if (bench.provider.requests.size() > 1) break;
        bench.clock.advance(15s);
      }
      bench.provider.fax("FX2", ProviderStatus::processing);
      bench.get(bench.provider.requests.at(1).media_url);
    };
    REQUIRE(queue::run_one(bench.context(), "worker"));
    CHECK(bench.fax(id).attempt == 2);
    CHECK(bench.status(id) == Status::sending);
    CHECK(bench.fax(id).provider_id == "FX2");
    bench.provider.on_submit = nullptr;
    bench.provider.fax("FX2", ProviderStatus::delivered).pages = 2;
    bench.run_for(10min);
    CHECK(bench.status(id) == Status::delivered);
    CHECK(bench.provider.count("submit") == 2);
  }
}
