#include "bench.h"

using namespace bench;

namespace {

// A fax whose call's answer was lost, and whose document somebody has fetched.
struct Lost : Bench {
  Lost() {
    provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    provider.on_submit = [this](const auto& request) { CHECK(get(request.media_url)); };
    id = send();
    run();
    CHECK(status(id) == Status::checking);
    provider.on_submit = nullptr;
  }
  fax::ProviderFax candidate(const std::string& sid, ProviderStatus state = ProviderStatus::processing) {
    fax::ProviderFax word{sid, state, fax::Direction::outbound, "+15005550006", "+12125551212"};
    word.created = began;
    provider.faxes[sid] = word;
    return word;
  }
  const fax::SubmitRequest& request() { return provider.requests.at(0); }
  core::Time began{clock.now()};
  std::string id;
};

}  // namespace

TEST_CASE("a callback on the attempt's token is read from the API before it is adopted") {
  Lost line;
  line.candidate("FXa");
  CHECK(line.call_back(line.request().callback_url, "FXa"));
  line.run();
  CHECK(line.provider.count("fetch FXa") == 1);
  CHECK(line.status(line.id) == Status::sending);
  CHECK(line.fax(line.id).provider_id == "FXa");
  CHECK(line.story(line.id).find("Found at the provider") != std::string::npos);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("a callback that names a fax to another number is not adopted") {
  Lost line;
  auto& other = line.provider.fax("FXother", ProviderStatus::delivered, "+12125559999");
  CHECK(other.to != "+12125551212");
  CHECK(line.call_back(line.request().callback_url, "FXother"));
  const core::LogCapture log;
  line.run();
  CHECK(line.status(line.id) == Status::checking);
  CHECK(log.text().find("a callback named a fax that is not this one") != std::string::npos);
}

TEST_CASE("a callback that names another call's fax is not adopted, and does not keep the true one out") {
  Lost line;
  const auto other = line.send_to("+12125559999");
  line.run();
  const auto known = line.fax(other).provider_id;
  REQUIRE(!known.empty());
  CHECK_FALSE(line.call_back(line.request().callback_url, known));
  // Named before that id was known to be another's.
  CHECK(line.call_back(line.request().callback_url, "FXtwice"));
  line.candidate("FXtwice", ProviderStatus::delivered);
  const auto third = line.send_to("+12125558888");
  line.provider.outcomes = {{.kind = Kind::taken, .provider_id = "FXtwice"}};
  const core::LogCapture log;
  {
    // The other call is answered before this fax is looked for.
    auto row = line.fax(line.id);
    row.next_at = line.clock.now() + 5s;
    REQUIRE(line.faxes->save(row, line.clock.now()));
  }
  line.run();
  CHECK(line.fax(third).provider_id == "FXtwice");
  line.pass(5s);
  CHECK(line.status(line.id) == Status::checking);
  CHECK(log.text().find("a callback named a fax that is not this one") != std::string::npos);
  line.candidate("FXtrue");
  CHECK(line.call_back(line.request().callback_url, "FXtrue"));
  line.run();
  CHECK(line.fax(line.id).provider_id == "FXtrue");
  CHECK(line.status(line.id) == Status::sending);
}

TEST_CASE("late evidence that names another call's fax decides nothing") {
  Lost line;
  line.run_for(31min);
  REQUIRE(line.status(line.id) == Status::unresolved);
  CHECK(line.call_back(line.request().callback_url, "FXtwice"));
  auto row = line.fax(line.id);
  row.next_at = line.clock.now() + 5s;
  REQUIRE(line.faxes->save(row, line.clock.now()));
  line.candidate("FXtwice", ProviderStatus::delivered);
  const auto other = line.send_to("+12125559999");
  line.provider.outcomes = {{.kind = Kind::taken, .provider_id = "FXtwice"}};
  line.run();
  REQUIRE(line.fax(other).provider_id == "FXtwice");
  line.pass(5s);
  CHECK(line.status(line.id) == Status::unresolved);
  CHECK(line.fax(line.id).provider_id.empty());
  line.candidate("FXtrue", ProviderStatus::delivered);
  line.provider.faxes["FXtrue"].pages = 2;
  CHECK(line.call_back(line.request().callback_url, "FXtrue"));
  line.run();
  CHECK(line.status(line.id) == Status::delivered);
}

TEST_CASE("while a hint cannot be read, the list decides nothing") {
  Lost line;
  line.candidate("FXhinted");
  line.provider.listed = {line.candidate("FXanother")};
  CHECK(line.call_back(line.request().callback_url, "FXhinted"));
  line.provider.fetch_errors = {down()};
  line.run();
  CHECK(line.status(line.id) == Status::checking);
  line.pass(10s);
  CHECK(line.fax(line.id).provider_id == "FXhinted");
}

TEST_CASE("exactly one candidate in the provider's list is ours") {
  Lost line;
  line.provider.listed = {line.candidate("FXa", ProviderStatus::delivered)};
  line.provider.faxes["FXa"].pages = 2;
  line.pass(10s);
  CHECK(line.provider.asked.from == "+15005550006");
  CHECK(line.provider.asked.to == "+12125551212");
  CHECK(line.provider.asked.created_after == line.began - 5min);
  CHECK(line.status(line.id) == Status::delivered);
  CHECK(line.provider.count("submit") == 1);
  CHECK(line.copies() == 0);
}

TEST_CASE("what cannot be ours is no candidate, and two candidates decide nothing") {
  struct Case {
    std::string what;
    std::function<void(Lost&, fax::ProviderFax&)> change;
  };
  const std::vector<Case> cases{
      {"inbound", [](Lost&, fax::ProviderFax& word) { word.direction = fax::Direction::inbound; }},
      {"from another number", [](Lost&, fax::ProviderFax& word) { word.from = "+12125550001"; }},
      {"to another number", [](Lost&, fax::ProviderFax& word) { word.to = "+12125550001"; }},
      {"made before", [](Lost& line, fax::ProviderFax& word) { word.created = line.began - 5min - 1s; }},
      {"made after the document was fetched", [](Lost& line, fax::ProviderFax& word) { word.created = line.began + 5min + 1s; }},
      {"of unknown age", [](Lost&, fax::ProviderFax& word) { word.created.reset(); }},
      {"failed to fetch", [](Lost&, fax::ProviderFax& word) { word.status = ProviderStatus::failed, word.error_code = "11200"; }},
      {"failed to fetch, by TLS", [](Lost&, fax::ProviderFax& word) { word.status = ProviderStatus::failed, word.error_code = "11220"; }},
      {"known already", [](Lost& line, fax::ProviderFax& word) {
         line.provider.outcomes = {{.kind = Kind::taken, .provider_id = "FXknown"}};
         line.send_to("+12125550009");
         line.run();
         word.id = "FXknown";
       }},
      {"one of two", [](Lost& line, fax::ProviderFax&) { line.provider.listed.push_back(line.candidate("FXsecond")); }},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    Lost line;
    auto word = line.candidate("FXa");
    one.change(line, word);
    line.provider.listed.push_back(word);
    line.pass(10s);
    CHECK(line.status(line.id) == Status::checking);
    CHECK(line.provider.count("list") >= 2);
    line.run_for(31min);
    CHECK(line.status(line.id) == Status::unresolved);
    CHECK(line.cause(line.id) == "unknown_outcome");
  }
}

TEST_CASE("a list with an entry that cannot be read decides nothing, and is no reason to look for ever") {
  Lost line;
  line.provider.listed = {line.candidate("FXa")};
  line.provider.unreadable = 1;
  line.pass(10s);
  CHECK(line.status(line.id) == Status::checking);
  line.run_for(31min);
  CHECK(line.status(line.id) == Status::unresolved);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("after a voided call to the number, the list decides nothing for a day") {
  for (const auto& [age, decides] : {std::pair<core::Milliseconds, bool>{23h, false}, {25h, true}}) {
    CAPTURE(decides);
    Bench bench;
    bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    const auto first = bench.send();
    bench.run();
    bench.cancel(first);
    bench.run();
    REQUIRE(bench.status(first) == Status::canceled);
    bench.pass(age);
    bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    bench.provider.on_submit = [&](const auto& request) { CHECK(bench.get(request.media_url)); };
    const auto second = bench.send();
    bench.run();
    bench.provider.listed = {bench.provider.fax("FXa", ProviderStatus::processing)};
    bench.pass(10s);
    CHECK(bench.status(second) == (decides ? Status::sending : Status::checking));
  }
}

TEST_CASE("an unresolved call to the number keeps the list from deciding, deleted or not") {
  for (const bool deleted : {false, true}) {
    CAPTURE(deleted);
    Lost line;
    line.run_for(31min);
    REQUIRE(line.status(line.id) == Status::unresolved);
    if (deleted) REQUIRE(line.faxes->remove(line.id, line.clock.now()));
    line.provider.now = line.clock.now();
    line.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
    line.provider.on_submit = [&](const auto& request) { CHECK(line.get(request.media_url)); };
    const auto second = line.send();
    line.run();
    REQUIRE(line.provider.count("submit") == 2);
    line.provider.listed = {line.provider.fax("FXa", ProviderStatus::processing)};
    line.pass(10s);
    CHECK(line.status(second) == Status::checking);
  }
}

TEST_CASE("CHECK_SECONDS of successful looks, and not before") {
  Lost line;
  line.run_for(29min);
  CHECK(line.status(line.id) == Status::checking);
  // Nothing that a person could do would help now.
  CHECK(line.cause(line.id) == "being_looked_for");
  line.run_for(2min);
  CHECK(line.status(line.id) == Status::unresolved);
  CHECK(line.cause(line.id) == "unknown_outcome");
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("looks that failed do not count") {
  Lost line;
  for (int i = 0; i < 1000; ++i) line.provider.list_errors.push_back(down());
  const core::LogCapture log;
  line.run_for(2h);
  CHECK(line.status(line.id) == Status::checking);
  CHECK(log.text().find("the provider's list could not be read") != std::string::npos);
  line.provider.list_errors.clear();
  line.run_for(29min);
  CHECK(line.status(line.id) == Status::checking);
  line.run_for(2min);
  CHECK(line.status(line.id) == Status::unresolved);
}

TEST_CASE("late evidence corrects unresolved, after it is read from the API") {
  for (const auto state : {ProviderStatus::delivered, ProviderStatus::busy}) {
    CAPTURE(fax::name(state));
    Lost line;
    line.run_for(31min);
    REQUIRE(line.status(line.id) == Status::unresolved);
    line.candidate("FXa");
    CHECK(line.call_back(line.request().callback_url, "FXa"));
    line.run();
    CHECK(line.status(line.id) == Status::unresolved);
    line.provider.faxes["FXa"].status = state;
    line.pass(30s);
    CHECK(line.status(line.id) == (state == ProviderStatus::delivered ? Status::delivered : Status::failed));
    CHECK(line.last_why(line.id).find("Corrected by what the provider said later") != std::string::npos);
    CHECK(line.fax(line.id).provider_id == "FXa");
    CHECK(line.provider.count("submit") == 1);
    CHECK_FALSE(line.fax(line.id).next_at);
  }
}

TEST_CASE("what the provider says later corrects a person's word, and stays") {
  for (const auto as : {Status::delivered, Status::failed}) {
    CAPTURE(fax::name(as));
    Lost line;
    line.run_for(31min);
    REQUIRE(line.faxes->settle(line.id, as, "anna", line.clock.now()));
    CHECK(line.status(line.id) == as);
    CHECK_FALSE(line.faxes->settle(line.id, as, "anna", line.clock.now()));
    line.run_for(1h);
    CHECK(line.status(line.id) == as);
    line.candidate("FXa", as == Status::delivered ? ProviderStatus::busy : ProviderStatus::delivered);
    CHECK(line.call_back(line.request().callback_url, "FXa"));
    line.run();
    CHECK(line.status(line.id) == (as == Status::delivered ? Status::failed : Status::delivered));
    CHECK(line.last_why(line.id).find("Corrected by what the provider said later") != std::string::npos);
    line.provider.faxes["FXa"].status = ProviderStatus::failed;
    line.call_back(line.request().callback_url, "FXa");
    line.run_for(1h);
    CHECK(line.status(line.id) == (as == Status::delivered ? Status::failed : Status::delivered));
    CHECK(line.provider.count("submit") == 1);
  }
}

TEST_CASE("a late callback that the provider does not know moves nothing, and is not asked for ever") {
  Lost line;
  line.run_for(31min);
  CHECK(line.call_back(line.request().callback_url, "FXnone"));
  line.run_for(10h);
  CHECK(line.status(line.id) == Status::unresolved);
  CHECK(line.provider.count("fetch FXnone") <= 3);
}

TEST_CASE("the copy of an unresolved fax is kept as long as its document, and no longer than the fax") {
  for (const bool deleted : {false, true}) {
    CAPTURE(deleted);
    Lost line;
    line.run_for(31min);
    REQUIRE(line.status(line.id) == Status::unresolved);
    line.clock.advance(80 * 24h);
    REQUIRE(queue::purge(line.context()));
    CHECK(line.spool->handed_out()->size() == 1);
    if (deleted) REQUIRE(line.faxes->remove(line.id, line.clock.now()));
    else line.clock.advance(11 * 24h);
    REQUIRE(queue::purge(line.context()));
    CHECK(line.spool->handed_out()->empty());
  }
}
