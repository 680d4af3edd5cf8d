#include "bench.h"

using namespace bench;

namespace {

struct Kept : Bench {
  std::string delivered(const std::string& document, const std::string& to = "+12125551212") {
    const auto id = send({document}, to);
    run();
    provider.faxes["FX" + std::to_string(provider.requests.size())].status = ProviderStatus::delivered;
    run_for(1min);
    REQUIRE(status(id) == Status::delivered);
    return id;
  }
  std::string received(const std::string& sid) {
    provider.documents["https://media/" + sid] = "%PDF 2" + sid;
    const auto id = receive(sid, "https://media/" + sid, 2).fax.id;
    run_for(1h);
    REQUIRE(status(id) == Status::received);
    return id;
  }
  queue::Purged purge() { return queue::purge(context()).value(); }
  std::size_t files() { return spool->list()->size(); }
};

}  // namespace

TEST_CASE("RETENTION_DAYS: the fax says when and why its document was removed, and the log counts") {
  Kept line;
  line.options.retention = 24h * 30;
  const auto id = line.delivered(line.upload());
  line.clock.advance(29 * 24h);
  CHECK(line.purge().documents == 0);
  line.clock.advance(25h);
  core::LogCapture log;
  CHECK(line.purge().documents == 1);
  CHECK(log.text().find("purged documents=1 records=0") != std::string::npos);
  CHECK(line.faxes->events(id)->back().what == "The document was removed");
  CHECK(line.last_why(id) == "After 30 days, as RETENTION_DAYS says.");
  CHECK(line.fax(id).document_id.empty());
  CHECK(line.purge().documents == 0);
}

TEST_CASE("RETENTION_DAYS=0: a document goes once it is delivered, not before") {
  Kept line;
  line.options.retention = 0h;
  line.provider.documents["https://media/1"] = "%PDF 2";
  line.mailbox_is_away = true;
  const auto in = line.receive("FXin", "https://media/1", 2).fax.id;
  line.run();
  line.clock.advance(1h);
  CHECK(line.purge().documents == 0);
  line.mailbox_is_away = false;
  line.provider.delete_errors = {down()};
  line.run();
  REQUIRE(line.mails().size() == 1);
  CHECK(line.purge().documents == 0);  // the provider's copy is still there
  line.run_for(1h);
  line.clock.advance(1s);
  CHECK(line.purge().documents == 1);
  CHECK(line.files() == 0);
  CHECK(line.last_why(in) == "It is kept until it is delivered, as RETENTION_DAYS says.");
  // Sent: while it is under way the provider may ask for it.
  const auto out = line.send();
  line.run();
  line.clock.advance(1h);
  CHECK(line.purge().documents == 0);
  line.provider.faxes["FX1"].status = ProviderStatus::delivered;
  line.run_for(1h);
  line.clock.advance(1s);
  CHECK(line.purge().documents == 1);
  CHECK(line.status(out) == Status::delivered);
}

TEST_CASE("nothing of a fax that nobody can say the end of is removed, until a person has") {
  Kept line;
  line.options.record_retention = 24h * 10;
  line.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  line.provider.on_submit = [&](const fax::SubmitRequest& request) { line.get(request.media_url); };
  const auto id = line.send();
  line.run_for(2h);
  REQUIRE(line.status(id) == Status::unresolved);
  line.clock.advance(400 * 24h);
  CHECK(line.purge().documents == 0);
  CHECK(line.files() == 1);
  REQUIRE(line.faxes->settle(id, Status::delivered, "anna", line.clock.now()));
  line.clock.advance(91 * 24h);
  CHECK(line.purge().documents == 1);
  CHECK(line.faxes->fax(id).error().code == core::Code::not_found);
}

TEST_CASE("RECORD_RETENTION_DAYS: records go after their documents, and a FaxSid stays known") {
  Kept line;
  line.options.retention = 24h * 20;
  const auto out = line.delivered(line.upload());
  const auto in = line.received("FXin");
  line.clock.advance(50 * 24h);
  CHECK(line.purge().documents == 2);
  CHECK(line.fax(in).status == Status::received);  // unset: for ever
  line.options.record_retention = 24h * 60;
  CHECK(line.purge().records == 0);
  line.clock.advance(11 * 24h);
  const auto younger = line.received("FXyounger");
  CHECK(line.purge().records == 2);
  CHECK(line.faxes->fax(out).error().code == core::Code::not_found);
  CHECK(line.faxes->fax(in).error().code == core::Code::not_found);
  CHECK(line.fax(younger).status == Status::received);
  CHECK(line.receive("FXin", "https://media/FXin").how == store::Stored::forgotten);
  // Shorter than the documents' time: the record waits for its document.
  line.options.record_retention = 24h;
  line.clock.advance(10 * 24h);
  CHECK(line.purge().records == 0);
  CHECK(line.fax(younger).status == Status::received);
}

TEST_CASE("what deleted faxes leave goes in its time: keys after 7 days, calls after 30") {
  Kept line;
  store::NewFax wanted{"anna", line.options.own_number, "+12125551212", "twilio", {line.upload()}, "", "key", "digest", line.options.lifetime};
  const auto id = line.faxes->create(wanted, line.clock.now()).value().fax.id;
  line.run();
  line.provider.faxes["FX1"].status = ProviderStatus::delivered;
  line.run_for(1min);
  REQUIRE(line.faxes->remove(id, line.clock.now()));
  line.clock.advance(6 * 24h);
  line.purge();
  wanted.document_ids = {line.upload()};
  CHECK(line.faxes->create(wanted, line.clock.now()).error().code == core::Code::conflict);
  line.clock.advance(25h);
  line.purge();
  CHECK(line.faxes->is_provider_id_known("FX1").value());
  wanted.document_ids = {line.upload()};
  CHECK(line.faxes->create(wanted, line.clock.now())->is_new);
  line.clock.advance(24 * 24h);
  line.purge();
  CHECK_FALSE(line.faxes->is_provider_id_known("FX1").value());
}

TEST_CASE("a purge does so much at once, and says that there is more") {
  Kept line;
  for (int i = 0; i < 1203; ++i) {
    store::Document document;
    document.id = core::new_id(line.clock.now());
    document.created = line.clock.now();
    REQUIRE(line.faxes->add_document(document));
  }
  line.clock.advance(25h);
  const auto first = line.purge();
  CHECK(first.more);
  CHECK(first.leftovers == queue::kPurgedAtOnce);
  const auto second = line.purge();
  CHECK_FALSE(second.more);
  CHECK(second.leftovers == 203);
}

TEST_CASE("a copy that a crash left unfinished goes after a day") {
  Kept line;
  std::ofstream(line.folder + "/handout/." + core::new_id(line.clock.now())) << "half";
  core::FixedClock later(core::SystemClock().now() + 25h);
  line.other_clock = &later;
  CHECK(line.purge().leftovers == 1);
  CHECK(std::filesystem::is_empty(line.folder + "/handout"));
}
