#include "bench.h"
#include "fax/cause.h"

using namespace bench;

namespace {

struct Incoming : Bench {
  explicit Incoming(std::optional<std::int64_t> pages = 2) {
    provider.documents["https://media/1"] = "%PDF 2 as it came";
    id = receive("FXin", "https://media/1", pages).fax.id;
  }
  std::string stored() { return content(spool->open(fax(id).document_id)->get()); }
  std::string id;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A clock that does something the n-th time it is asked.
class Interrupting final : public core::Clock {
 public:
  Interrupting(const core::Clock& clock, int at, std::function<void()> what) : clock_(clock), left_(at), what_(std::move(what)) {}
  core::Time now() const override {
    if (--left_ == 0) what_();
    return clock_.now();
  }
  bool is_over() const { return left_ <= 0; }

 private:
  const core::Clock& clock_;
  mutable int left_;
  std::function<void()> what_;
};

}  // namespace

TEST_CASE("a received fax: fetched, mailed byte for byte, then deleted at the provider") {
  Incoming line;
  line.run();
  CHECK(line.status(line.id) == Status::received);
  CHECK(line.stored() == "%PDF 2 as it came");
  CHECK(line.fax(line.id).pages == 2);
  REQUIRE(line.mails().size() == 1);
  CHECK(has(line.mails()[0], "X-Faxline: received"));
  CHECK(has(line.mails()[0], "X-Fax-Sid: FXin"));
  CHECK(line.provider.deleted == std::vector<std::string>{"FXin"});
  CHECK(line.provider.calls == std::vector<std::string>{"download https://media/1", "delete FXin"});
  CHECK(line.provider.most_bytes == line.options.max_fax_bytes);
  CHECK_FALSE(line.fax(line.id).next_at);
}

TEST_CASE("PROVIDER_DELETE_AFTER=never") {
  Incoming line;
  line.options.delete_media = false;
  line.run_for(1h);
  CHECK(line.status(line.id) == Status::received);
  CHECK(line.provider.deleted.empty());
}

TEST_CASE("a URL that is over is asked anew") {
  Incoming line;
  line.provider.documents.clear();
  line.provider.documents["https://media/fresh"] = "%PDF 2 as it came";
  line.provider.media_urls["FXin"] = "https://media/fresh";
  line.run();
  CHECK(line.status(line.id) == Status::received);
  CHECK(line.stored() == "%PDF 2 as it came");
}

TEST_CASE("what cannot be fetched stays fetching, is tried again, and ends at the deadline with a notice") {
  Incoming line;
  line.provider.documents.clear();
  const core::LogCapture log;
  line.run_for(1h);
  CHECK(line.status(line.id) == Status::fetching);
  CHECK(line.provider.count("download") >= 6);
  CHECK(has(log.text(), "document not fetched yet"));
  line.run_for(72h);
  CHECK(line.status(line.id) == Status::failed);
  CHECK(line.cause(line.id) == "deadline_passed");
  REQUIRE(line.mails().size() == 1);
  CHECK(has(line.mails()[0], "X-Faxline: notice"));
  CHECK(line.provider.deleted.empty());
}

TEST_CASE("a document that breaks off is fetched again from the start") {
  Incoming line;
  line.provider.download_errors = {lost(), lost()};
  line.run_for(5min);
  CHECK(line.status(line.id) == Status::received);
  CHECK(line.stored() == "%PDF 2 as it came");
  CHECK(line.mails().size() == 1);
}

TEST_CASE("too large: stays at the provider and is shown; fetched when the limit is raised; failed at the deadline") {
  for (const bool raised : {true, false}) {
    CAPTURE(raised);
    Incoming line;
    line.options.max_fax_bytes = 10;
    line.run_for(1h);
    CHECK(line.status(line.id) == Status::fetching);
    CHECK(line.cause(line.id) == "too_large");
    CHECK(line.provider.deleted.empty());
    if (raised) line.options.max_fax_bytes = 1000;
    line.run_for(80h);
    CHECK(line.status(line.id) == (raised ? Status::received : Status::failed));
    CHECK(line.cause(line.id) == (raised ? "" : "too_large"));
    CHECK(line.provider.deleted.size() == (raised ? 1 : 0));
    CHECK(line.mails().size() == 1);
  }
}

TEST_CASE("a host that MEDIA_HOSTS does not name: said so, with the host; fetched when it is named; failed at the deadline") {
  for (const bool named : {true, false}) {
    CAPTURE(named);
    Incoming line;
    const core::Error elsewhere{core::Code::forbidden, "not in MEDIA_HOSTS", "The provider keeps the document at files.example.org.", "MEDIA_HOSTS"};
    line.provider.download_errors.assign(named ? 3 : 10000, elsewhere);
    line.run();
    CHECK(line.status(line.id) == Status::fetching);
    CHECK(line.cause(line.id) == "media_host_not_allowed");
    CHECK(has(std::string(fax::find_cause(line.cause(line.id)).advice), "MEDIA_HOSTS"));
    CHECK(line.fax(line.id).cause_text == elsewhere.hint);
    CHECK(line.last_why(line.id) == elsewhere.hint);
    line.run_for(80h);
    CHECK(line.status(line.id) == (named ? Status::received : Status::failed));
    CHECK(line.cause(line.id) == (named ? "" : "media_host_not_allowed"));
    REQUIRE(line.mails().size() == 1);
    if (!named) CHECK(has(line.mails()[0], "files.example.org"));
  }
}

TEST_CASE("a fetch that is forbidden for another reason is no matter of settings") {
  Incoming line;
  line.provider.download_errors.assign(2, core::Error{core::Code::forbidden, "403"});
  line.run();
  CHECK(line.cause(line.id) == "provider_unreachable");
  CHECK(line.fax(line.id).cause_text.empty());
}

TEST_CASE("an answer that is no PDF is not the document at once; one that stays so is kept in both places") {
  Incoming line;
  line.provider.documents["https://media/1"] = "<html>One moment, please</html>";
  line.run();
  CHECK(line.status(line.id) == Status::fetching);
  SUBCASE("it was a passing trouble") {
    line.provider.documents["https://media/1"] = "%PDF 2";
    line.run_for(1h);
    CHECK(line.status(line.id) == Status::received);
    CHECK(line.stored() == "%PDF 2");
    CHECK(line.provider.deleted.size() == 1);
  }
  SUBCASE("it stays so") {
    line.run_for(3h);
    CHECK(line.status(line.id) == Status::received);
    CHECK(has(line.story(line.id), "Kept at the provider, too"));
    CHECK(line.provider.deleted.empty());
  }
  CHECK(line.mails().size() == 1);
}

TEST_CASE("other pages than the provider counted: kept at the provider, and the fax says so") {
  Incoming line(3);
  line.run_for(1h);
  CHECK(line.status(line.id) == Status::received);
  CHECK(has(line.story(line.id), "Kept at the provider, too"));
  CHECK(line.provider.deleted.empty());
  CHECK(line.mails().size() == 1);
}

TEST_CASE("without a box nothing is received yet, and nothing deleted") {
  Incoming line;
  line.box_is_away = true;
  line.run();
  CHECK(line.status(line.id) == Status::fetching);
  line.box_is_away = false;
  line.pass(15s);
  CHECK(line.status(line.id) == Status::received);
  CHECK(line.spool->list()->size() == 1);
}

TEST_CASE("a mailbox that is away: the mail waits, is told, and comes once") {
  Incoming line;
  line.mailbox_is_away = true;
  line.run_for(1h);
  CHECK(line.status(line.id) == Status::received);
  CHECK(has(line.story(line.id), "Waiting for the mailbox"));
  CHECK(line.provider.deleted.empty());
  line.mailbox_is_away = false;
  line.run_for(1h);
  CHECK(line.mails().size() == 1);
  CHECK(has(line.story(line.id), "Delivered to the mailbox"));
}

TEST_CASE("the mail's name is in the book before it is delivered, so that it is delivered once") {
  Incoming line;
  line.on_deliver = [&] {
    CHECK_FALSE(line.faxes->mails_due(line.id)->at(0).mail_name.empty());
    Power::the().cut_at(1, false);
  };
  line.run();
  Power::the().restore();
  line.on_deliver = nullptr;
  REQUIRE(line.mails().size() == 1);
  // A reader has taken it to `cur` meanwhile.
  REQUIRE(line.mailbox->set_flags(line.mailbox->list()->at(0).name, "S"));
  line.start();
  line.run_for(1h);
  CHECK(line.mails().size() == 1);
  CHECK_FALSE(line.fax(line.id).mail_due);
  CHECK(line.provider.deleted.size() == 1);
}

TEST_CASE("a second document for the same fax is mailed too, whenever it comes") {
  // Before the first moment it would come in place of the one that is fetched.
  for (int moment = 2; moment < 40; ++moment) {
    CAPTURE(moment);
    Incoming line;
    const Interrupting clock(line.clock, moment, [&] {
      store::Reception it;
      it.fax_sid = "FXin", it.provider = "twilio", it.lifetime = 72h;
      const auto document_id = line.upload("%PDF 1 another");
      it.document = line.faxes->document(document_id).value();
      it.document->id = core::new_id(line.clock.now());
      auto incoming = line.spool->begin(spool::Use::upload).value();
      REQUIRE(incoming.write(std::as_bytes(std::span(std::string_view("%PDF 1 another")))));
      REQUIRE(incoming.commit(it.document->id));
      REQUIRE(line.faxes->receive(it, line.clock.now()));
    });
    line.other_clock = &clock;
    line.run();
    const bool over = !clock.is_over();
    line.other_clock = nullptr;
    line.run_for(10min);
    CHECK(line.status(line.id) == Status::received);
    CHECK(line.mails().size() == (over ? 1 : 2));
    if (over) break;
  }
}

TEST_CASE("a reception that failed makes one notice") {
  Bench bench;
  const auto id = bench.receive("FXin", "").fax.id;
  bench.run_for(1h);
  CHECK(bench.status(id) == Status::failed);
  REQUIRE(bench.mails().size() == 1);
  CHECK(has(bench.mails()[0], "X-Faxline: notice"));
  CHECK(has(bench.mails()[0], "X-Fax-Sid: FXin"));
  // A document that comes late completes it, with a mail of its own.
  bench.provider.documents["https://media/1"] = "%PDF 2";
  bench.receive("FXin", "https://media/1");
  bench.run_for(1h);
  CHECK(bench.status(id) == Status::received);
  CHECK(bench.cause(id).empty());
  CHECK(bench.mails().size() == 2);
}

TEST_CASE("deleting at the provider: 404 counts as deleted, other trouble is tried again") {
  Incoming line;
  line.provider.delete_errors = {down(), {core::Code::not_found, "no such media"}};
  line.run_for(1h);
  CHECK(line.provider.count("delete") == 2);
  CHECK_FALSE(line.fax(line.id).media_delete_due);
  CHECK(line.mails().size() == 1);
}

TEST_CASE("receiving: ended at the provider without a document, and not here 15 minutes later: not_kept") {
  for (const auto state : {ProviderStatus::received, ProviderStatus::failed}) {
    CAPTURE(fax::name(state));
    Bench bench;
    REQUIRE(bench.faxes->note_receiving("FXin", "+12125550100", bench.options.own_number, "twilio", bench.clock.now(), 72h, 2min));
    const auto id = bench.faxes->fax_of_provider_id("FXin")->id;
    auto& word = bench.provider.fax("FXin", ProviderStatus::receiving);
    word.direction = fax::Direction::inbound;
    bench.run_for(30min);
    CHECK(bench.status(id) == Status::receiving);
    word.status = state;
    word.error_code = state == ProviderStatus::failed ? "34106" : "";
    bench.run_for(14min);
    CHECK(bench.status(id) == Status::receiving);
    CHECK(bench.mails().empty());
    bench.run_for(3min);
    CHECK(bench.status(id) == Status::failed);
    CHECK(bench.cause(id) == (state == ProviderStatus::received ? "not_kept" : "answer_refused"));
    CHECK(bench.mails().size() == 1);
  }
}

TEST_CASE("receiving: a document that the provider has is fetched, though its message never came") {
  Bench bench;
  REQUIRE(bench.faxes->note_receiving("FXin", "+12125550100", bench.options.own_number, "twilio", bench.clock.now(), 72h));
  const auto id = bench.faxes->fax_of_provider_id("FXin")->id;
  auto& word = bench.provider.fax("FXin", ProviderStatus::received);
  word.media_url = "https://media/1", word.pages = 2;
  bench.provider.documents["https://media/1"] = "%PDF 2";
  bench.run();
  CHECK(bench.provider.calls.empty());
  bench.pass(15min);
  CHECK(bench.status(id) == Status::received);
  CHECK(bench.provider.deleted.size() == 1);
}
