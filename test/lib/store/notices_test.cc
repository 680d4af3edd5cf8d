#include <doctest/doctest.h>

#include <filesystem>

#include "core/id.h"
#include "store/faxes.h"
#include "store/notices.h"

using namespace std::chrono_literals;
using fax::Status;

namespace {

struct Book {
  Book() {
    folder = "/tmp/notices-test-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    database = sql::Database::open("sqlite://" + folder + "/faxline.db").value();
    faxes.emplace(store::Faxes::open(database).value());
    notices.emplace(database);
  }
  ~Book() { std::filesystem::remove_all(folder); }
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  store::Fax fax() {
    store::Document document;
    document.id = core::new_id(now);
    document.owner = "anna";
    document.file_name = "letter.pdf";
    document.created = now;
    REQUIRE(faxes->add_document(document));
    return faxes->create({"anna", "+15005550006", "+12125551212", "twilio", {document.id}, "", "", "", 72h}, now).value().fax;
  }
  void end(store::Fax& fax, Status status, const std::string& cause = "") {
    now += 1ms;
    fax.status = status;
    fax.cause_code = cause;
    REQUIRE(faxes->save(fax, now));
  }
  store::Faxes::StoredFax receive(const std::string& sid, bool document, const std::string& sha = "aa") {
    now += 1ms;
    store::Reception it;
    it.fax_sid = sid, it.from = "+12125550100", it.to = "+15005550006", it.provider = "twilio", it.lifetime = 72h;
    if (document) {
      store::Document paper;
      paper.id = core::new_id(now);
      paper.sha256 = sha;
      paper.created = now;
      it.document = paper;
    } else {
      it.cause_code = "reception_failed";
    }
    return faxes->receive(it, now).value();
  }
  // What is told by one way, in order: the event and what it corrects.
  std::vector<std::string> told() {
    std::vector<std::string> words;
    REQUIRE(notices->share_out([](const store::Notice&) { return std::vector<std::string>{"webhook"}; }, now));
    while (const auto errand = claim("webhook")) {
      words.push_back(errand->notice.event + (errand->notice.before.empty() ? "" : " after " + errand->notice.before));
      REQUIRE(notices->done(*errand, now));
    }
    return words;
  }
  std::optional<store::Errand> claim(const std::string& way, const std::string& worker = "w", core::Milliseconds later = 0ms) {
    return notices->claim(std::vector{way}, worker, now + later, 2min).value();
  }
  void share(std::vector<std::string> ways) {
    REQUIRE(notices->share_out([&](const store::Notice&) { return ways; }, now));
  }

  std::string folder;
  core::Time now = core::from_ms(1'800'000'000'000);
  std::shared_ptr<sql::Database> database;
  std::optional<store::Faxes> faxes;
  std::optional<store::Notices> notices;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("every end of a sent fax is told, once, and what is under way is not") {
  Book book;
  auto fax = book.fax();
  book.end(fax, Status::preparing);
  CHECK(book.told().empty());
  book.end(fax, Status::failed, "document_encrypted");
  REQUIRE(book.faxes->save(fax, book.now));  // the same state again is no news
  CHECK(book.told() == Words{"failed"});
  CHECK(book.told().empty());
}

TEST_CASE("a correction says what it corrects; a person's word is told too") {
  Book book;
  auto fax = book.fax();
  for (const auto status : {Status::preparing, Status::submitting, Status::checking, Status::unresolved}) book.end(fax, status);
  book.now += 1ms;
  REQUIRE(book.faxes->settle(fax.id, Status::failed, "anna", book.now));
  fax = book.faxes->fax(fax.id).value();
  book.end(fax, Status::delivered);
  CHECK(book.told() == Words{"unresolved", "failed after unresolved", "delivered after failed"});
}

TEST_CASE("what came, what did not, and what came after all") {
  Book book;
  book.receive("FX1", true);
  book.receive("FX1", true);        // the same again
  book.receive("FX1", true, "bb");  // another document
  book.receive("FX2", false);
  book.receive("FX2", true);
  CHECK(book.told() == Words{"received", "another_document", "failed", "received after failed"});
}

TEST_CASE("a wrong token is told once in all the time that it is refused") {
  Book book;
  for (int i = 0; i < 3; ++i) REQUIRE(book.faxes->set_hold(store::Hold{"unauthorized", book.now, book.now + 5min, i}));
  REQUIRE(book.faxes->set_hold(store::Hold{"rate_limited", book.now, book.now + 5min, 0}));
  CHECK(book.told() == Words{"account_held"});
  REQUIRE(book.faxes->set_hold(std::nullopt));
  REQUIRE(book.faxes->set_hold(store::Hold{"unauthorized", book.now, book.now + 5min, 0}));
  CHECK(book.told() == Words{"account_held"});
}

TEST_CASE("refused webhooks are told when the first is, and again after one was taken") {
  Book book;
  for (int i = 0; i < 3; ++i) REQUIRE(book.faxes->note_refused({"webhook_other_key", "", "FX1", "", 1, {}, {}}, book.now));
  CHECK(book.told() == Words{"webhooks_refused"});
  REQUIRE(book.faxes->note_taken(true, "", book.now));
  REQUIRE(book.faxes->note_refused({"webhook_other_key", "", "FX1", "", 1, {}, {}}, book.now));
  CHECK(book.told() == Words{"webhooks_refused"});
}

TEST_CASE("a notice keeps what was true, whatever becomes of the fax") {
  Book book;
  auto fax = book.fax();
  book.end(fax, Status::canceled, "canceled_by_user");
  REQUIRE(book.faxes->remove(fax.id, book.now));
  book.share({"webhook"});
  const auto errand = book.claim("webhook").value();
  CHECK(errand.notice.to == "+12125551212");
  CHECK(errand.notice.owner == "anna");
  CHECK(errand.notice.cause_code == "canceled_by_user");
  REQUIRE(book.notices->give_up(errand, "no answer", {book.now, "Not told", ""}, book.now));
  CHECK(book.faxes->events(fax.id)->empty());
}

TEST_CASE("an errand is leased, put off, hastened, given up; each way on its own") {
  Book book;
  auto fax = book.fax();
  book.end(fax, Status::canceled);
  book.share({"webhook", "command"});
  const auto errand = book.claim("webhook").value();
  CHECK_FALSE(book.claim("webhook", "other"));
  CHECK(book.claim("webhook", "w"));                // it was killed, and is back
  CHECK(book.claim("webhook", "other", 3min));      // its lease is over
  REQUIRE(book.notices->put_off(errand, "no answer", book.now, book.now + 1h));
  CHECK_FALSE(book.claim("webhook"));
  const auto troubles = book.notices->troubles(book.now).value();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].way == "webhook");
  CHECK(troubles[0].waiting == 1);
  CHECK(troubles[0].text == "no answer");
  REQUIRE(book.notices->hasten(std::vector<std::string>{"webhook"}, book.now));
  const auto again = book.claim("webhook").value();
  CHECK(again.tries == 1);
  CHECK(again.notice.id == errand.notice.id);
  REQUIRE(book.notices->give_up(again, "no answer", {book.now, "Not told by webhook", "no answer"}, book.now));
  CHECK(book.faxes->events(fax.id)->back().what == "Not told by webhook");
  CHECK(book.notices->troubles(book.now - 1s)->at(0).given_up == 1);
  CHECK(book.notices->troubles(book.now)->empty());
  const auto other = book.claim("command").value();
  REQUIRE(book.notices->done(other, book.now));
  CHECK_FALSE(book.claim("command", "w", 24h));
}

TEST_CASE("ways that are not set any more end; what is over is forgotten") {
  Book book;
  auto fax = book.fax();
  book.end(fax, Status::canceled);
  book.share({"webhook", "smtp:anna@example.org"});
  REQUIRE(book.notices->forget(book.now + 1s));
  CHECK(book.claim("webhook"));
  CHECK(book.notices->drop_other_ways(std::vector<std::string>{"webhook"}, book.now).value() == 1);
  CHECK_FALSE(book.claim("smtp:anna@example.org"));
  REQUIRE(book.notices->done(*book.claim("webhook"), book.now));
  REQUIRE(book.notices->forget(book.now + 1s));
  CHECK(book.notices->share_out([](const store::Notice&) { return Words{}; }, book.now).value() == 0);
  const auto left = book.database->lease()->query("SELECT id FROM notices");
  CHECK(left->empty());
}
