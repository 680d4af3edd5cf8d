#include "bench.h"

using namespace bench;

namespace {

struct List : Bench {
  List() {
    // The first run of all writes down since when this provider is configured.
    REQUIRE(queue::reconcile(context(), std::nullopt));
    clock.advance(1h);
  }
  fax::ProviderFax& inbound(const std::string& sid, ProviderStatus state = ProviderStatus::received) {
    fax::ProviderFax word{sid, state, fax::Direction::inbound, "+12125550100", options.own_number};
    word.created = clock.now() - 10min;
    word.pages = 2;
    if (state == ProviderStatus::received) word.media_url = "https://media/" + sid;
    provider.documents["https://media/" + sid] = "%PDF 2";
    provider.faxes[sid] = word;
    provider.listed.push_back(word);
    return provider.listed.back();
  }
  queue::Differences compare(std::optional<core::Time> since = {}) { return queue::reconcile(context(), since).value(); }
  std::size_t received() { return faxes->list({})->size(); }
};

}  // namespace

TEST_CASE("a received fax that the provider alone has is taken up, fetched, mailed, once") {
  List line;
  line.inbound("FXin");
  CHECK(line.compare().added == 1);
  CHECK(line.compare().added == 0);
  line.run();
  const auto fax = line.faxes->fax_of_provider_id("FXin").value();
  CHECK(fax.status == Status::received);
  CHECK(line.story(fax.id).find("Found at the provider") != std::string::npos);
  CHECK(line.mails().size() == 1);
  CHECK(line.provider.asked.to == line.options.own_number);
}

TEST_CASE("the list is read from the last time on, and not from before the provider was configured") {
  List line;
  const auto configured = line.clock.now() - 1h;
  CHECK(line.provider.asked.created_after == configured - 15min);
  line.compare();
  CHECK(line.provider.asked.created_after == configured - 15min);
  line.compare();
  CHECK(line.provider.asked.created_after == line.clock.now() - 15min);
  line.compare(core::from_ms(1'700'000'000'000));
  CHECK(line.provider.asked.created_after == core::from_ms(1'700'000'000'000));
  const auto last = line.clock.now();
  line.clock.advance(1h);
  line.provider.list_errors = {down()};
  CHECK_FALSE(queue::reconcile(line.context(), std::nullopt));
  line.compare();
  CHECK(line.provider.asked.created_after == last - 15min);
}

TEST_CASE("what was deleted here never comes back") {
  List line;
  line.inbound("FXin");
  line.compare();
  line.run();
  const auto id = line.faxes->fax_of_provider_id("FXin")->id;
  REQUIRE(line.faxes->remove(id, line.clock.now()));
  CHECK(line.compare().added == 0);
  CHECK(line.compare(core::from_ms(0)).added == 0);
  CHECK(line.received() == 0);
}

TEST_CASE("others' faxes are left alone") {
  List line;
  line.inbound("FXother").to = "+12125550999";
  line.inbound("FXsent").direction = fax::Direction::outbound;
  CHECK(line.compare().added == 0);
  line.run_for(1h);
  CHECK(line.received() == 0);
  CHECK(line.provider.count("delete") == 0);
  CHECK(line.provider.count("download") == 0);
}

TEST_CASE("a fax that was rejected for its sender is no failed reception; with a document it is taken all the same") {
  List line;
  line.inbound("FXrejected", ProviderStatus::canceled);
  CHECK(line.compare().added == 1);  // the sender is not blocked: it is shown
  line.options.blocked_senders = {"+12125550199", "+12125550100"};
  line.inbound("FXblocked", ProviderStatus::canceled);
  CHECK(line.compare().added == 0);
  CHECK(line.compare(core::from_ms(0)).added == 0);
  line.inbound("FXbroken", ProviderStatus::failed);
  line.inbound("FXwhole", ProviderStatus::canceled).media_url = "https://media/FXwhole";
  CHECK(line.compare().added == 2);
  line.run();
  CHECK(line.faxes->fax_of_provider_id("FXwhole")->status == Status::received);
  CHECK(line.faxes->fax_of_provider_id("FXblocked").error().code == core::Code::not_found);
}

TEST_CASE("a sent fax that ended at the provider while we were away is read anew") {
  List line;
  const auto id = line.send();
  line.run();
  REQUIRE(line.status(id) == Status::sending);
  const auto sid = line.fax(id).provider_id;
  CHECK(line.compare().settled == 0);
  // Nobody would look for a while.
  auto row = line.fax(id);
  row.next_at = line.clock.now() + 1h;
  REQUIRE(line.faxes->save(row, line.clock.now()));
  line.provider.faxes.at(sid).status = ProviderStatus::delivered;
  const auto found = line.compare();
  CHECK(found.settled == 1);
  CHECK(found.remaining == 1);
  line.run();
  CHECK(line.status(id) == Status::delivered);
  CHECK(line.compare().remaining == 0);
  CHECK(line.provider.count("submit") == 1);
}

// Thousands of looks: on SQLite alone.
TEST_CASE("what a person said of a fax is corrected by the provider's list, too" * doctest::skip(databases::on_server())) {
  for (const auto as : {Status::failed, Status::delivered}) {
    List line;
    const auto id = line.send();
    line.run();
    const auto sid = line.fax(id).provider_id;
    line.run_for(line.options.lifetime + 1h);
    REQUIRE(line.status(id) == Status::unresolved);
    REQUIRE(line.faxes->settle(id, as, "anna", line.clock.now()));
    line.provider.faxes.at(sid).status = ProviderStatus::delivered;
    line.provider.faxes.at(sid).pages = 2;
    CHECK(line.compare(core::from_ms(0)).settled == 1);
    line.run();
    CHECK(line.status(id) == Status::delivered);
    CHECK(line.cause(id).empty());
    CHECK(line.compare(core::from_ms(0)).remaining == 0);
  }
}

TEST_CASE("faxline reconcile: asked by a fact, answered by a fact, once") {
  List line;
  line.inbound("FXin").created = line.clock.now() - 1min;
  int pauses = 0;
  const auto ask = [&](const std::string& name, const std::string& since) { REQUIRE(line.faxes->set_fact(std::string(store::kReconcileAsked) + name, "since " + since)); };
  const auto told = [&](const std::string& name) { return line.faxes->fact(std::string(store::kReconcileAsked) + name).value(); };
  const auto answer = [&](const std::string& name) {
    REQUIRE(queue::answer_reconcile(line.context(), [&](std::chrono::seconds) { ++pauses, line.run(); }));
    const auto text = told(name);
    return text.substr(std::min(text.find(' '), text.size() - 1) + 1);
  };
  const auto before = line.provider.count("list");
  REQUIRE(queue::answer_reconcile(line.context(), [](std::chrono::seconds) {}));
  CHECK(line.provider.count("list") == before);
  ask("one", "");
  CHECK(answer("one") == "1 0 0 0");
  CHECK(told("one").starts_with(core::rfc3339(line.clock.now()) + " "));
  CHECK(pauses == 1);
  const auto lists = line.provider.count("list");
  CHECK(answer("one") == "1 0 0 0");
  CHECK(line.provider.count("list") == lists);
  line.provider.list_errors = {down()};
  ask("two", "2026-11-01T00:00:00Z");
  CHECK(answer("two") == "error no connection");
  ask("three", "2026-11-01T00:00:00Z");
  CHECK(answer("three") == "0 0 0 0");
  CHECK(line.provider.asked.created_after == core::parse_rfc3339("2026-11-01T00:00:00Z").value());
  line.inbound("FXlarge");
  line.provider.documents.clear();  // what cannot be fetched remains
  pauses = 0;
  ask("four", "");
  CHECK(answer("four") == "1 0 1 0");
  CHECK(pauses == 10);
}

TEST_CASE("faxline reconcile: several ask at once, and each is answered; an answer that nobody takes goes") {
  List line;
  const auto ask = [&](const std::string& name, const std::string& since) { REQUIRE(line.faxes->set_fact(std::string(store::kReconcileAsked) + name, "since " + since)); };
  const auto answer_all = [&] { REQUIRE(queue::answer_reconcile(line.context(), [&](std::chrono::seconds) { line.run(); })); };
  const auto told = [&](const std::string& name) { return line.faxes->fact(std::string(store::kReconcileAsked) + name).value(); };
  line.inbound("FXin").created = line.clock.now() - 1min;
  ask("one", "");
  ask("two", "");
  ask("three", "2026-11-01T00:00:00Z");
  answer_all();
  CHECK(told("one").ends_with(" 1 0 0 0"));
  CHECK(told("two") == told("one"));
  CHECK(told("three").ends_with("Z 0 0 0 0"));
  line.clock.advance(59min);
  answer_all();
  CHECK(line.faxes->facts(std::string(store::kReconcileAsked)).value().size() == 3);
  line.clock.advance(2min);
  answer_all();
  CHECK(line.faxes->facts(std::string(store::kReconcileAsked)).value().empty());
}

TEST_CASE("one that has just come in is left to its own message, unless somebody asks") {
  List line;
  line.inbound("FXin").created = line.clock.now() - 1min;
  CHECK(line.compare().added == 0);
  CHECK(line.compare(line.clock.now() - 1h).added == 1);
}

TEST_CASE("a long reception that has not ended is seen again, however long it takes") {
  List line;
  line.inbound("FXin", ProviderStatus::receiving).created = line.clock.now() - 20min;
  CHECK(line.compare().remaining == 1);
  line.clock.advance(1h);
  CHECK(line.compare().remaining == 1);
  CHECK(*line.provider.asked.created_after <= *line.provider.listed[0].created);
  line.provider.listed[0].status = ProviderStatus::received;
  line.provider.listed[0].media_url = "https://media/FXin";
  CHECK(line.compare().added == 1);
}

TEST_CASE("one that ended without a document is shown, after 15 minutes in which its message may come") {
  List line;
  line.inbound("FXin", ProviderStatus::received).media_url.clear();
  line.provider.faxes["FXin"].media_url.clear();
  line.inbound("FXbroken", ProviderStatus::failed);
  CHECK(line.compare().added == 2);
  line.run_for(14min);
  CHECK(line.mails().empty());
  line.run_for(2min);
  CHECK(line.faxes->fax_of_provider_id("FXin")->cause_code == "not_kept");
  CHECK(line.faxes->fax_of_provider_id("FXbroken")->cause_code == "reception_failed");
  CHECK(line.mails().size() == 2);
  CHECK(line.compare().added == 0);
}

TEST_CASE("purge: documents whose time is over, and those alone") {
  Bench bench;
  const auto sent = bench.upload();
  const auto id = bench.send({sent});
  const auto unused = bench.upload();
  bench.run();
  bench.provider.faxes["FX1"].status = ProviderStatus::delivered;
  bench.run_for(1min);
  REQUIRE(bench.status(id) == Status::delivered);
  bench.clock.advance(23h);
  REQUIRE(queue::purge(bench.context()));
  CHECK(bench.spool->open(unused));
  bench.clock.advance(2h);
  REQUIRE(queue::purge(bench.context()));
  CHECK_FALSE(bench.spool->open(unused));
  CHECK(bench.spool->open(sent));
  bench.clock.advance(89 * 24h);
  // Somebody sends it again: it is wanted until that one is over too.
  const auto again = bench.send({sent}, "+12125550009");
  bench.run();
  bench.clock.advance(2 * 24h);
  REQUIRE(queue::purge(bench.context()));
  CHECK(bench.spool->open(sent));
  bench.provider.faxes["FX2"].status = ProviderStatus::delivered;
  bench.run_for(1min);
  REQUIRE(fax::is_final(bench.status(again)));
  bench.clock.advance(91 * 24h);
  REQUIRE(queue::purge(bench.context()));
  CHECK_FALSE(bench.spool->open(sent));
  CHECK(bench.status(id) == Status::delivered);
  CHECK(bench.faxes->documents_of(id)->empty());
}

TEST_CASE("purge: a received document whose mail has not come yet is kept") {
  Bench bench;
  bench.provider.documents["https://media/1"] = "%PDF 2";
  bench.receive("FXin", "https://media/1");
  bench.mailbox_is_away = true;
  bench.run();
  bench.clock.advance(100 * 24h);
  REQUIRE(queue::purge(bench.context()));
  CHECK(bench.spool->list()->size() == 1);
  bench.mailbox_is_away = false;
  bench.run_for(1h);
  CHECK(bench.mails().size() == 1);
}

TEST_CASE("a document that a fax takes up while it is purged stays") {
  Bench bench;
  const auto document = bench.upload();
  bench.send({document});
  CHECK(bench.faxes->forget_document(document).error().code == core::Code::conflict);
  CHECK(bench.faxes->document(document));
}

TEST_CASE("purge: copies that no attempt needs, and files that no row names") {
  Bench bench;
  bench.send();
  bench.run();
  const auto document = bench.upload();
  REQUIRE(bench.spool->hand_out(document, core::new_id(bench.clock.now())));
  auto incoming = bench.spool->begin(spool::Use::upload).value();
  REQUIRE(incoming.commit(core::new_id(bench.clock.now())));
  REQUIRE(bench.copies() == 2);
  REQUIRE(bench.spool->list()->size() == 3);
  bench.clock.advance(2h);
  REQUIRE(queue::purge(bench.context()));
  CHECK(bench.copies() == 1);
  CHECK(bench.spool->list()->size() == 2);
  CHECK(bench.get(bench.provider.requests[0].media_url));
}

TEST_CASE("an entry of the list that cannot be read hides no other fax, and is read again") {
  Bench bench;
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  const auto configured = bench.clock.now();
  bench.clock.advance(1h);
  fax::ProviderFax word{"FXin", ProviderStatus::received, fax::Direction::inbound, "+12125550100", bench.options.own_number};
  word.created = bench.clock.now() - 20min;
  word.media_url = "https://media/1";
  bench.provider.listed = {word};
  bench.provider.unreadable = 1;
  CHECK(queue::reconcile(bench.context(), std::nullopt)->added == 1);
  CHECK(bench.faxes->fax_of_provider_id("FXin"));
  bench.clock.advance(1h);
  bench.provider.unreadable = 0;
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  CHECK(*bench.provider.asked.created_after <= configured);
  bench.clock.advance(1h);
  REQUIRE(queue::reconcile(bench.context(), std::nullopt));
  CHECK(*bench.provider.asked.created_after > configured);
}
