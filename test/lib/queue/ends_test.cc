// Every fax ends, with a reason; and what we ended ourselves is corrected by what is known later.
#include "bench.h"

using namespace bench;

namespace {

fax::ProviderFax received(Bench& bench, const std::string& sid, const std::string& url) {
  fax::ProviderFax word{sid, ProviderStatus::received, fax::Direction::inbound, "+12125550100", bench.options.own_number};
  word.created = bench.clock.now() - 20min;
  word.pages = 2;
  word.media_url = url;
  return word;
}

}  // namespace

TEST_CASE("ends: a provider that is down for a day: all wait, nothing fails, and all go soon after") {
  Bench bench;
  bench.provider.outcomes.assign(5000, {.kind = Kind::unreachable, .error = down()});
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(bench.send_to("+1212555120" + std::to_string(i)));
  bench.run_for(24h);
  for (const auto& id : ids) {
    CHECK(bench.status(id) == Status::waiting);
    CHECK(bench.cause(id) == "provider_unreachable");
  }
  bench.provider.outcomes.clear();
  bench.run_for(11min);
  for (const auto& id : ids) CHECK(bench.status(id) == Status::sending);
}

TEST_CASE("ends: a queue that was down over the deadline asks once more before it ends a fax") {
  for (const bool arrived : {true, false}) {
    CAPTURE(arrived);
    Bench bench;
    const auto id = bench.send();
    bench.run();
    if (arrived) bench.provider.fax("FX1", ProviderStatus::delivered).pages = 2;
    bench.receive("FXin", "https://media/1");
    if (arrived) bench.provider.documents["https://media/1"] = "%PDF 2";
    bench.pass(200h);
    CHECK(bench.status(id) == (arrived ? Status::delivered : Status::unresolved));
    const auto fax = bench.faxes->fax_of_provider_id("FXin").value();
    CHECK(fax.status == (arrived ? Status::received : Status::failed));
    if (!arrived) CHECK(fax.cause_code == "deadline_passed");
    if (!arrived) CHECK(bench.mails().size() == 2);  // of each of the two ends
  }
}

TEST_CASE("ends: busy until its time is over is not 'never submitted'") {
  Bench bench;
  bench.options.retry_limit = 1000;
  bench.options.retry_wait = std::chrono::hours(6);
  bench.provider.move = [](fax::ProviderFax& fax, const auto&) { fax.status = ProviderStatus::busy; };
  const auto id = bench.send();
  bench.run_for(80h);
  CHECK(bench.status(id) == Status::failed);
  CHECK(bench.cause(id) == "deadline_passed");
  CHECK(bench.fax(id).cause_text == "The line was busy.");
}

TEST_CASE("ends: what our deadline ended is asked about ever more rarely, for a week, and corrected") {
  for (const bool ends : {true, false}) {
    CAPTURE(ends);
    Bench bench;
    const auto id = bench.send();
    bench.run();
    bench.pass(72h);
    REQUIRE(bench.status(id) == Status::unresolved);
    const auto asked = bench.provider.count("fetch");
    bench.run_for(5 * 24h);
    CHECK(bench.provider.count("fetch") > asked + 5);
    CHECK(bench.provider.count("fetch") < asked + 60);
    if (ends) bench.provider.fax("FX1", ProviderStatus::delivered).pages = 2;
    bench.run_for(6 * 24h);
    CHECK(bench.status(id) == (ends ? Status::delivered : Status::unresolved));
    CHECK_FALSE(bench.fax(id).next_at);
    if (ends) CHECK(bench.last_why(id).find("Corrected by what the provider said later") != std::string::npos);
    CHECK(bench.provider.count("submit") == 1);
  }
}

TEST_CASE("ends: without a box a received fax is kept unseen at its deadline, here and at the provider") {
  Bench bench;
  bench.provider.documents["https://media/1"] = "%PDF 2";
  bench.receive("FXin", "https://media/1");
  bench.box_is_away = true;
  bench.pass(1h);
  CHECK(bench.faxes->fax_of_provider_id("FXin")->status == Status::fetching);
  bench.pass(72h);
  CHECK(bench.faxes->fax_of_provider_id("FXin")->status == Status::received);
  CHECK(bench.mails().size() == 1);
  CHECK(bench.provider.deleted.empty());
}

TEST_CASE("ends: a step that the table of states does not have is refused, and logged") {
  Bench bench;
  const auto id = bench.send();
  auto row = bench.fax(id);
  row.status = Status::delivered;
  const core::LogCapture log;
  CHECK(bench.faxes->save(row, bench.clock.now()).error().code == core::Code::internal);
  CHECK(bench.status(id) == Status::queued);
  CHECK(log.text().find("a step that the table of states does not have, refused") != std::string::npos);
}

TEST_CASE("ends: a worker that slept in its question moves nothing of the next attempt") {
  Bench bench;
  const auto id = bench.send();
  bench.run();
  const auto stale = bench.fax(id);
  const auto old = *bench.faxes->last_attempt(id).value();
  auto word = bench.provider.fax("FX1", ProviderStatus::busy);
  bench.run_for(2h);
  REQUIRE(bench.fax(id).attempt == 2);
  REQUIRE(bench.status(id) == Status::sending);
  const auto ends = bench.fax(id).ends_to_retry;
  REQUIRE(queue::apply(bench.context(), stale, old, word));
  CHECK(bench.status(id) == Status::sending);
  CHECK(bench.fax(id).ends_to_retry == ends);
}

TEST_CASE("reconcile: a record that failed for want of its document is taken up again when the list has it, with time of its own") {
  Bench bench;
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  bench.clock.advance(1h);
  bench.provider.listed = {received(bench, "FXin", "")};
  bench.provider.faxes["FXin"] = bench.provider.listed[0];
  CHECK(queue::reconcile(bench.context(), std::nullopt)->added == 1);
  bench.run_for(20min);
  REQUIRE(bench.faxes->fax_of_provider_id("FXin")->cause_code == "not_kept");
  bench.run_for(10h);
  bench.pass(10h);
  // Its time is looked back to, since it may still get its document.
  bench.provider.listed[0].media_url = "https://media/1";
  const auto found = queue::reconcile(bench.context(), std::nullopt).value();
  CHECK(found.retaken == 1);
  CHECK(*bench.provider.asked.created_after <= *bench.provider.listed[0].created);
  const auto fax = bench.faxes->fax_of_provider_id("FXin").value();
  CHECK(fax.status == Status::fetching);
  CHECK(fax.deadline == bench.clock.now() + bench.options.lifetime);
  bench.provider.documents["https://media/1"] = "%PDF 2";
  bench.run_for(1h);
  CHECK(bench.status(fax.id) == Status::received);
  CHECK(queue::reconcile(bench.context(), std::nullopt)->retaken == 0);
  CHECK(bench.mails().size() == 2);  // the notice, and the fax
}

TEST_CASE("reconcile: by itself it takes a fax up again three times at most, and whenever a person asks") {
  Bench bench;
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  bench.provider.listed = {received(bench, "FXin", "https://media/none")};
  bench.receive("FXin", "https://media/none");
  for (int i = 0; i < 5; ++i) {
    bench.pass(73h);
    REQUIRE(bench.faxes->fax_of_provider_id("FXin")->status == Status::failed);
    CHECK(queue::reconcile(bench.context(), std::nullopt)->retaken == (i < 3 ? 1 : 0));
  }
  CHECK(queue::reconcile(bench.context(), core::from_ms(0), true)->retaken == 1);
}

TEST_CASE("reconcile: off for a week and back on: all that the provider has, in order, each with time of its own") {
  Bench bench;
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  const auto configured = bench.clock.now();
  bench.clock.advance(7 * 24h);
  for (int i = 0; i < 40; ++i) {
    auto word = received(bench, "FX" + std::to_string(1000 + i), "https://media/x");
    word.created = configured + i * 1h;
    bench.provider.listed.push_back(word);
  }
  bench.provider.documents["https://media/x"] = "%PDF 2";
  CHECK(queue::reconcile(bench.context(), std::nullopt)->added == 40);
  CHECK(bench.provider.asked.created_after == configured - 15min);
  for (const auto& word : bench.provider.listed) CHECK(bench.faxes->fax_of_provider_id(word.id)->deadline == bench.clock.now() + bench.options.lifetime);
  bench.run();
  CHECK(bench.mails().size() == 40);
  CHECK(queue::reconcile(bench.context(), std::nullopt)->remaining == 0);
}

TEST_CASE("received: its message after the reconciler, and the reconciler after its message: one fax, one mail") {
  for (const bool message_first : {true, false}) {
    CAPTURE(message_first);
    Bench bench;
    REQUIRE(queue::reconcile(bench.context(), std::nullopt));
    bench.clock.advance(1h);
    bench.provider.listed = {received(bench, "FXin", "https://media/1")};
    bench.provider.documents["https://media/1"] = "%PDF 2";
    if (message_first) bench.receive("FXin", "https://media/1");
    CHECK(queue::reconcile(bench.context(), std::nullopt)->added == (message_first ? 0 : 1));
    if (!message_first) CHECK(bench.receive("FXin", "https://media/1").how == store::Stored::repeated);
    bench.run_for(1h);
    bench.receive("FXin", "https://media/1");
    bench.run_for(1h);
    CHECK(bench.mails().size() == 1);
    CHECK(bench.faxes->list({})->size() == 1);
  }
}
