#include "store/faxes.h"

#include <atomic>
#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "../../support/databases.h"
#include "core/id.h"
#include "store/faxes_schema.h"

namespace {

using namespace std::chrono_literals;
using fax::Status;
using store::Stored;

struct Book {
  Book() {
    char name[] = "/tmp/store-test-XXXXXX";
    folder = ::mkdtemp(name);
    place.emplace(folder + "/faxline.db");
    faxes.emplace(store::Faxes::open(sql::Database::open(place->url()).value()).value());
  }
  ~Book() { std::filesystem::remove_all(folder); }

  std::string document(const std::string& sha = "aa") {
    store::Document it;
    it.id = core::new_id(now);
    it.owner = "anna";
    it.sha256 = sha;
    it.created = now;
    REQUIRE(faxes->add_document(it));
    return it.id;
  }
  store::NewFax wanted(const std::string& to = "+12125551212") { return {"anna", "+15005550006", to, "sandbox", {document()}, "", "", "", 72h}; }
  store::Fax fax(const std::string& to = "+12125551212") { return faxes->create(wanted(to), now).value().fax; }
  store::Attempt attempt(store::Fax& fax) {
    fax.status = Status::preparing;
    REQUIRE(faxes->save(fax, now));
    fax.status = Status::submitting;
    fax.attempt += 1;
    const auto id = core::new_id(now);
    return faxes->begin_attempt(fax, id, "m" + id, "c" + id, now).value();
  }
  store::Reception reception(const std::string& sid, const std::string& sha = "") {
    store::Reception it;
    it.fax_sid = sid;
    it.from = "+12125550100";
    it.to = "+15005550006";
    it.lifetime = 72h;
    if (!sha.empty()) {
      it.document.emplace();
      it.document->id = core::new_id(now);
      it.document->sha256 = sha;
      it.document->created = now;
    }
    return it;
  }

  std::string folder;
  std::optional<databases::Place> place;
  core::Time now = core::from_ms(1'800'000'000'000);
  std::optional<store::Faxes> faxes;
};

}  // namespace

TEST_CASE("a new fax is in the book with its event, and due") {
  Book book;
  const auto fax = book.fax();
  const auto read = book.faxes->fax(fax.id).value();
  CHECK(read.status == Status::queued);
  CHECK(read.to == "+12125551212");
  CHECK(read.deadline == book.now + 72h);
  CHECK(book.faxes->events(fax.id).value().size() == 1);
  CHECK(book.faxes->claim("w", book.now, 5min).value()->id == fax.id);
  CHECK_FALSE(book.faxes->claim("other", book.now, 5min).value());
  CHECK(book.faxes->claim("w", book.now + 1s, 5min).value()->id == fax.id);  // it was killed, and is back
  CHECK(book.faxes->claim("other", book.now + 6min, 5min).value()->id == fax.id);
  CHECK(book.faxes->fax("01hzzzzzzzzzzzzzzzzzzzzzzz").error().code == core::Code::not_found);
  auto unknown = book.wanted();
  unknown.document_ids = {"01hzzzzzzzzzzzzzzzzzzzzzzz"};
  CHECK(book.faxes->create(unknown, book.now).error().code == core::Code::not_found);
}

TEST_CASE("an Idempotency-Key makes one fax, at the same moment too") {
  Book book;
  auto wanted = book.wanted();
  wanted.idempotency_key = "k";
  wanted.idempotency_digest = "d";
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  for (auto& id : ids) threads.emplace_back([&] { id = book.faxes->create(wanted, book.now).value().fax.id; });
  for (auto& thread : threads) thread.join();
  for (const auto& id : ids) CHECK(id == ids[0]);
  CHECK_FALSE(book.faxes->create(wanted, book.now)->is_new);
  wanted.idempotency_digest = "other";
  CHECK(book.faxes->create(wanted, book.now).error().code == core::Code::invalid);
  wanted.owner = "berta";
  CHECK(book.faxes->create(wanted, book.now)->is_new);
}

TEST_CASE("the Idempotency-Key of a deleted fax makes no other one, until it is forgotten") {
  Book book;
  auto wanted = book.wanted();
  wanted.idempotency_key = "k";
  auto fax = book.faxes->create(wanted, book.now).value().fax;
  fax.status = Status::canceled;
  fax.cause_code = "canceled_by_user";
  REQUIRE(book.faxes->save(fax, book.now));
  REQUIRE(book.faxes->remove(fax.id, book.now));
  wanted.document_ids = book.wanted().document_ids;
  const auto repeated = book.faxes->create(wanted, book.now);
  CHECK(repeated.error().code == core::Code::conflict);
  CHECK(repeated.error().field == "Idempotency-Key");
  wanted.owner = "berta";
  CHECK(book.faxes->create(wanted, book.now)->is_new);
  wanted.owner = fax.owner;
  REQUIRE(book.faxes->forget_keys(book.now));
  CHECK(book.faxes->create(wanted, book.now).error().code == core::Code::conflict);
  REQUIRE(book.faxes->forget_keys(book.now + 1s));
  CHECK(book.faxes->create(wanted, book.now)->is_new);
}

TEST_CASE("a change names its version, and legal states alone follow") {
  Book book;
  auto mine = book.fax();
  auto theirs = book.faxes->fax(mine.id).value();
  theirs.status = Status::preparing;
  REQUIRE(book.faxes->save(theirs, book.now));
  mine.status = Status::canceled;
  CHECK(book.faxes->save(mine, book.now).error().code == core::Code::conflict);
  theirs.status = Status::delivered;
  CHECK(book.faxes->save(theirs, book.now).error().code == core::Code::internal);
  CHECK(book.faxes->fax(mine.id)->status == Status::preparing);
}

TEST_CASE("a deleted fax's document is given to nobody, and its call still counts") {
  Book book;
  auto fax = book.fax();
  const auto attempt = book.attempt(fax);
  REQUIRE(book.faxes->hand_out(attempt.id, book.now).value());
  fax.status = Status::checking;
  REQUIRE(book.faxes->save(fax, book.now));
  fax.status = Status::unresolved;
  REQUIRE(book.faxes->save(fax, book.now));
  REQUIRE(book.faxes->settle(fax.id, Status::delivered, "anna", book.now));
  // A person's word ends no call: the provider's may still come.
  CHECK(book.faxes->attempt_of_media_token("m" + attempt.id)->id == attempt.id);
  REQUIRE(book.faxes->remove(fax.id, book.now));
  CHECK(book.faxes->attempt_of_media_token("m" + attempt.id).error().code == core::Code::not_found);
  CHECK_FALSE(book.faxes->hand_out(attempt.id, book.now).value());
  CHECK(book.faxes->open_attempts(book.now - 24h).value().empty());
  CHECK(book.faxes->attempt_of_callback_token("c" + attempt.id)->id == attempt.id);
  auto next = book.fax();
  CHECK_FALSE(book.faxes->list_may_decide(book.attempt(next), book.now).value());
}

TEST_CASE("the fence: handed out or void, never both") {
  Book book;
  auto fax = book.fax();
  const auto one = book.attempt(fax);
  CHECK(book.faxes->attempt_of_media_token("m" + one.id)->id == one.id);
  CHECK(book.faxes->void_attempt(one.id, book.now).value());
  CHECK_FALSE(book.faxes->hand_out(one.id, book.now).value());
  CHECK(book.faxes->attempt_of_media_token("m" + one.id).error().code == core::Code::not_found);
  CHECK(book.faxes->attempt_of_callback_token("c" + one.id).has_value());

  auto other = book.fax("+12125551213");
  const auto two = book.attempt(other);
  CHECK(book.faxes->hand_out(two.id, book.now).value());
  CHECK(book.faxes->hand_out(two.id, book.now + 1s).value());
  CHECK(book.faxes->last_attempt(other.id).value()->handed_out == book.now);
  CHECK_FALSE(book.faxes->void_attempt(two.id, book.now).value());
  REQUIRE(book.faxes->end_attempt(two.id, false, book.now));
  CHECK_FALSE(book.faxes->hand_out(two.id, book.now).value());
}

TEST_CASE("at most one call to a number is without a provider's id") {
  Book book;
  auto one = book.fax();
  const auto attempt = book.attempt(one);
  auto two = book.fax();
  two.status = Status::preparing;
  REQUIRE(book.faxes->save(two, book.now));
  two.status = Status::submitting;
  two.attempt = 1;
  const auto refused = book.faxes->begin_attempt(two, core::new_id(book.now), "m", "c", book.now);
  CHECK(refused.error().field == "to");
  REQUIRE(book.faxes->record_provider_id(attempt.id, "FX1"));
  CHECK(book.faxes->begin_attempt(two, core::new_id(book.now), "m", "c", book.now));
  CHECK(book.faxes->record_provider_id(attempt.id, "FX2").error().code == core::Code::conflict);
  CHECK(book.faxes->is_provider_id_known("FX1").value());
  CHECK(book.faxes->fax_of_provider_id("FX1")->id == one.id);
}

TEST_CASE("a callback is noted in its own attempt, and another FaxSid is ignored") {
  Book book;
  auto fax = book.fax();
  const auto attempt = book.attempt(fax);
  CHECK(book.faxes->note_callback(attempt.id, "FX1", "34002", "busy", book.now).value());
  CHECK_FALSE(book.faxes->note_callback(attempt.id, "FX2", "", "", book.now).value());
  const auto noted = book.faxes->last_attempt(fax.id).value();
  CHECK(noted->hinted_id == "FX1");
  CHECK(noted->error_code == "34002");
  CHECK(noted->provider_id.empty());
}

TEST_CASE("a provider's id is one call's alone, its fax deleted or not") {
  Book book;
  auto one = book.fax();
  const auto first = book.attempt(one);
  auto two = book.fax("+12125551213");
  const auto second = book.attempt(two);
  REQUIRE(book.faxes->record_provider_id(first.id, "FX1"));
  REQUIRE(book.faxes->record_provider_id(first.id, "FX1"));  // written again after a crash
  const auto taken = book.faxes->record_provider_id(second.id, "FX1");
  CHECK(taken.error().code == core::Code::conflict);
  CHECK(taken.error().field == "provider_id");
  CHECK(book.faxes->fax_of_provider_id("FX1")->id == one.id);
  CHECK_FALSE(book.faxes->note_callback(second.id, "FX1", "34002", "busy", book.now).value());
  const auto noted = book.faxes->last_attempt(two.id).value();
  CHECK(noted->hinted_id.empty());
  CHECK(noted->error_code.empty());

  one.status = Status::failed;
  one.cause_code = "busy";
  REQUIRE(book.faxes->save(one, book.now));
  REQUIRE(book.faxes->remove(one.id, book.now));
  CHECK(book.faxes->record_provider_id(second.id, "FX1").error().field == "provider_id");
  CHECK(book.faxes->record_provider_id(second.id, "FX2"));
}

TEST_CASE("a book in which two calls have the same id is migrated: it stays the first one's") {
  Book book;
  const databases::Place old(book.folder + "/old.db");
  const auto database = sql::Database::open(old.url()).value();
  {
    auto connection = database->lease().value();
    REQUIRE(sql::migrate(connection, "faxes", store::fax_migrations().first(5)));
    for (const auto* id : {"01a", "01b"})
      REQUIRE(connection.execute("INSERT INTO attempts (id, fax_id, number, to_number, media_token_hash, callback_token_hash, intent_ms, provider_id, hinted_id, error_code, error_message, refused, polls, looked_ms) "
                                 "VALUES (:1, :1, 1, '+12125551212', :1, :1, 1, 'FX1', '', '', '', 0, 0, 0)",
                                 {id}));
  }
  auto faxes = store::Faxes::open(database).value();
  CHECK(faxes.last_attempt("01a").value()->provider_id == "FX1");
  CHECK(faxes.last_attempt("01b").value()->provider_id.empty());
}

TEST_CASE("two calls that are given the same id at the same moment: one has it") {
  Book book;
  for (int round = 0; round < 5; ++round) {
    const auto sid = "FX" + std::to_string(round);
    std::vector<std::string> attempts;
    for (int i = 0; i < 4; ++i) {
      auto fax = book.fax("+1212555" + std::to_string(2000 + round * 10 + i));
      attempts.push_back(book.attempt(fax).id);
    }
    std::atomic<int> had = 0;
    std::vector<std::thread> threads;
    for (const auto& id : attempts) threads.emplace_back([&, id] { had += book.faxes->record_provider_id(id, sid) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    CHECK(had == 1);
  }
}

TEST_CASE("a hint that turned out to be another fax's is forgotten, and the next callback counts") {
  Book book;
  auto fax = book.fax();
  const auto attempt = book.attempt(fax);
  CHECK(book.faxes->note_callback(attempt.id, "FXother", "", "", book.now).value());
  REQUIRE(book.faxes->forget_hint(attempt.id, "FXelse"));
  CHECK(book.faxes->last_attempt(fax.id).value()->hinted_id == "FXother");
  REQUIRE(book.faxes->forget_hint(attempt.id, "FXother"));
  CHECK(book.faxes->note_callback(attempt.id, "FX1", "", "", book.now).value());
  CHECK(book.faxes->last_attempt(fax.id).value()->hinted_id == "FX1");
}

TEST_CASE("the list decides nothing after a voided or unresolved call to the number") {
  Book book;
  auto one = book.fax();
  const auto voided = book.attempt(one);
  REQUIRE(book.faxes->void_attempt(voided.id, book.now).value());
  auto two = book.fax();
  const auto attempt = book.attempt(two);
  CHECK_FALSE(book.faxes->list_may_decide(attempt, book.now - 24h).value());
  CHECK(book.faxes->list_may_decide(attempt, book.now + 1s).value());
}

TEST_CASE("cancel, read, delete") {
  Book book;
  auto fax = book.fax();
  CHECK(book.faxes->remove(fax.id, book.now).error().code == core::Code::conflict);
  CHECK(book.faxes->request_cancel(fax.id, book.now)->cancel_requested);
  fax = book.faxes->fax(fax.id).value();
  fax.status = Status::canceled;
  REQUIRE(book.faxes->save(fax, book.now));
  CHECK(book.faxes->request_cancel(fax.id, book.now).error().code == core::Code::conflict);
  CHECK(book.faxes->remove(fax.id, book.now)->size() == 1);
  CHECK(book.faxes->fax(fax.id).error().code == core::Code::not_found);
}

TEST_CASE("a reception whose payload brought nothing is asked about at once, though it was announced") {
  Book book;
  REQUIRE(book.faxes->note_receiving("FX9", "+1", "+2", "sandbox", book.now, 72h, 120s));
  const auto due = [&] { return book.faxes->fax_of_provider_id("FX9")->next_at; };
  CHECK(due() == book.now + 120s);
  REQUIRE(book.faxes->note_receiving("FX9", "+1", "+2", "sandbox", book.now + 5s, 72h, 120s));
  CHECK(due() == book.now + 120s);
  REQUIRE(book.faxes->note_receiving("FX9", "+1", "+2", "sandbox", book.now + 5s, 72h, 0s));
  CHECK(due() == book.now + 5s);
  // Asked once without an answer: its message has its 15 minutes.
  auto fax = book.faxes->fax_of_provider_id("FX9").value();
  fax.fetch_tries = 1;
  fax.next_at = book.now + 900s;
  REQUIRE(book.faxes->save(fax, book.now));
  REQUIRE(book.faxes->note_receiving("FX9", "+1", "+2", "sandbox", book.now + 6s, 72h, 0s));
  CHECK(due() == book.now + 900s);
}

TEST_CASE("a received fax: created, repeated, beside, completed, forgotten") {
  Book book;
  const auto first = book.faxes->receive(book.reception("FX1", "aa"), book.now).value();
  CHECK(first.how == Stored::created);
  CHECK(first.fax.status == Status::received);
  CHECK(book.faxes->unread_count().value() == 1);
  CHECK(book.faxes->receive(book.reception("FX1", "aa"), book.now)->how == Stored::repeated);
  CHECK(book.faxes->receive(book.reception("FX1"), book.now)->how == Stored::repeated);
  CHECK(book.faxes->receive(book.reception("FX1", "bb"), book.now)->how == Stored::beside);
  const auto mails = book.faxes->mails_due(first.fax.id).value();
  REQUIRE(mails.size() == 2);
  CHECK(book.faxes->remove(first.fax.id, book.now).error().code == core::Code::conflict);

  auto failed = book.reception("FX2");
  failed.cause_code = "reception_failed";
  CHECK(book.faxes->receive(failed, book.now)->fax.status == Status::failed);
  CHECK(book.faxes->receive(failed, book.now)->how == Stored::repeated);
  const auto late = book.faxes->receive(book.reception("FX2", "cc"), book.now).value();
  CHECK(late.how == Stored::completed);
  CHECK(late.fax.status == Status::received);

  REQUIRE(book.faxes->note_receiving("FX3", "+1", "+2", "sandbox", book.now, 72h));
  auto promise = book.reception("FX3");
  promise.media_url = "https://example.org/x.pdf";
  CHECK(book.faxes->receive(promise, book.now)->fax.status == Status::fetching);
  CHECK(book.faxes->receive(promise, book.now)->how == Stored::repeated);
  const auto fetched = book.faxes->receive(book.reception("FX3", "dd"), book.now).value();
  CHECK(fetched.how == Stored::completed);

  for (const auto& mail : book.faxes->mails_due(fetched.fax.id).value()) REQUIRE(book.faxes->record_mail_delivered(fetched.fax.id, mail.position, book.now));
  auto done = book.faxes->fax(fetched.fax.id).value();
  done.mail_due = false;
  REQUIRE(book.faxes->save(done, book.now));
  REQUIRE(book.faxes->remove(fetched.fax.id, book.now));
  CHECK(book.faxes->receive(book.reception("FX3", "dd"), book.now)->how == Stored::forgotten);
  CHECK(book.faxes->is_known_or_forgotten("FX3").value());
  CHECK_FALSE(book.faxes->is_known_or_forgotten("FX9").value());
}

TEST_CASE("the same payload ten times at once is one fax") {
  Book book;
  std::vector<Stored> how(10);
  std::vector<std::thread> threads;
  for (auto& it : how) threads.emplace_back([&] { it = book.faxes->receive(book.reception("FX1", "aa"), book.now).value().how; });
  for (auto& thread : threads) thread.join();
  CHECK(std::count(how.begin(), how.end(), Stored::created) == 1);
  CHECK(std::count(how.begin(), how.end(), Stored::repeated) == 9);
}

TEST_CASE("lists: newest first, in pages, by state and digits") {
  Book book;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    book.now += 1s;
    ids.push_back(book.fax("+1212555130" + std::to_string(i)).id);
  }
  REQUIRE(book.faxes->receive(book.reception("FX1", "aa"), book.now));
  store::ListQuery query;
  query.direction = fax::Direction::outbound;
  query.limit = 2;
  const auto page = book.faxes->list(query).value();
  CHECK(page[0].id == ids[4]);
  CHECK(page[1].id == ids[3]);
  query.before = page[1].id;
  CHECK(book.faxes->list(query).value()[0].id == ids[2]);
  query = {};
  query.digits = "5551302";
  CHECK(book.faxes->list(query).value().size() == 1);
  query = {};
  query.statuses = {Status::received, Status::failed};
  CHECK(book.faxes->list(query).value().size() == 1);
}

TEST_CASE("documents: unused and outlived ones, and holds and facts") {
  Book book;
  const auto unused = book.document();
  auto fax = book.fax();
  CHECK(book.faxes->unused_documents(book.now + 1s).value() == std::vector<std::string>{unused});
  CHECK(book.faxes->outlived_documents(book.now + 1s).value().empty());
  fax.status = Status::canceled;
  REQUIRE(book.faxes->save(fax, book.now));
  CHECK(book.faxes->outlived_documents(book.now + 1s).value().size() == 1);
  CHECK(book.faxes->outlived_documents(book.now).value().empty());
  CHECK(book.faxes->next_queued_document().value()->id == unused);
  CHECK_FALSE(book.faxes->hold().value());
  REQUIRE(book.faxes->set_hold(store::Hold{"rate_limited", book.now, book.now + 30s, 1}));
  CHECK(book.faxes->hold().value()->until == book.now + 30s);
  REQUIRE(book.faxes->set_hold(std::nullopt));
  CHECK_FALSE(book.faxes->hold().value());
  REQUIRE(book.faxes->set_fact("a", "b"));
  CHECK(book.faxes->fact("a").value() == "b");
}

TEST_CASE("refused webhooks: one row a cause, the latest first, over when a first webhook is taken, never uncounted") {
  Book book;
  CHECK(book.faxes->refusals().value().empty());
  CHECK(book.faxes->refused_in_all().value() == 0);
  CHECK_FALSE(book.faxes->last_taken().value());
  REQUIRE(book.faxes->note_refused({"other_url", "signed for https://x:1", "FX1", "+12125550100", 1}, book.now));
  REQUIRE(book.faxes->note_refused({"unsigned", "", "FX2", "", 1}, book.now + 1s));
  REQUIRE(book.faxes->note_refused({"other_url", "signed for https://y:2", "FX3", "+12125550101", 4}, book.now + 2s));
  const auto open = book.faxes->refusals().value();
  REQUIRE(open.size() == 2);
  CHECK(open[0].cause == "other_url");
  CHECK(open[0].count == 5);
  CHECK(open[0].first == book.now);
  CHECK(open[0].last == book.now + 2s);
  CHECK(open[0].detail == "signed for https://y:2");
  CHECK(open[0].fax_sid == "FX3");
  CHECK(open[0].from == "+12125550101");
  CHECK(open[1].cause == "unsigned");
  // An unsigned one that was taken says nothing of keys and addresses.
  REQUIRE(book.faxes->note_taken(false, "unsigned", book.now + 3s));
  CHECK(book.faxes->refusals().value().size() == 1);
  CHECK(book.faxes->last_taken().value() == book.now + 3s);
  REQUIRE(book.faxes->note_taken(true, "unsigned", book.now + 4s));
  CHECK(book.faxes->refusals().value().empty());
  CHECK(book.faxes->last_taken().value() == book.now + 3s);  // to the minute
  REQUIRE(book.faxes->note_taken(true, "unsigned", book.now + 64s));
  CHECK(book.faxes->last_taken().value() == book.now + 64s);
  REQUIRE(book.faxes->note_refused({"other_url", "", "FX4", "", 1}, book.now + 65s));
  CHECK(book.faxes->refusals().value().front().count == 1);
  CHECK(book.faxes->refusals().value().front().first == book.now + 65s);
  CHECK(book.faxes->refused_in_all().value() == 7);
}

TEST_CASE("the journal is trimmed by age and by number") {
  Book book;
  const store::Arrival arrival{"POST payload", "Host: a\n", "FaxSid: FX\n", "ff", 7};
  for (int i = 0; i < 10; ++i) REQUIRE(book.faxes->receive(book.reception("FX"), book.now + i * 1h, &arrival));
  const auto id = book.faxes->fax_of_provider_id("FX")->id;
  REQUIRE(book.faxes->journal(id)->size() == 10);
  CHECK(book.faxes->trim_journal(book.now + 2h, 100).value() == 2);
  CHECK(book.faxes->trim_journal(book.now + 2h, 100).value() == 0);
  CHECK(book.faxes->trim_journal(book.now, 3).value() == 5);
  CHECK(book.faxes->journal(id)->size() == 3);
  CHECK(book.faxes->journal(id)->front().at == book.now + 7h);
}

TEST_CASE("leases: several workers at once never get the same fax, and each fax is had") {
  Book book;
  for (int i = 0; i < 40; ++i) (void)book.fax("+1212555" + std::to_string(1000 + i));
  std::mutex mutex;
  std::map<std::string, int> had;
  std::vector<std::thread> workers;
  std::atomic<int> failed = 0;
  for (int w = 0; w < 4; ++w)
    workers.emplace_back([&, w] {
      const auto name = "w" + std::to_string(w);
      for (int i = 0; i < 100; ++i) {
        const auto fax = book.faxes->claim(name + "/" + std::to_string(i), book.now, 5min);
        if (!fax) ++failed;
        if (!fax || !*fax) return;
        const std::lock_guard lock(mutex);
        ++had[(*fax)->id];
      }
    });
  for (auto& worker : workers) worker.join();
  CHECK(failed == 0);
  CHECK(had.size() == 40);
  for (const auto& [id, times] : had) CHECK(times == 1);
}

TEST_CASE("leases: what is written after one's lease went to another is written nowhere") {
  Book book;
  auto mine = book.fax();
  REQUIRE(book.faxes->claim("asleep", book.now, 5min).value());
  CHECK(book.faxes->has_lease(mine.id, "asleep").value());
  REQUIRE(book.faxes->claim("awake", book.now + 6min, 5min).value()->id == mine.id);
  CHECK_FALSE(book.faxes->has_lease(mine.id, "asleep").value());
  mine.status = Status::preparing;
  const auto saved = book.faxes->save(mine, book.now + 6min, {}, "asleep");
  CHECK(saved.error().code == core::Code::conflict);
  CHECK(saved.error().field == "lease");
  CHECK(book.faxes->fax(mine.id).value().status == Status::queued);
  REQUIRE(book.faxes->release(mine.id, "asleep"));  // not its own any more
  CHECK(book.faxes->has_lease(mine.id, "awake").value());
  REQUIRE(book.faxes->save(mine, book.now + 6min, {}, "awake"));
  mine.status = Status::submitting;
  mine.attempt += 1;
  CHECK(book.faxes->begin_attempt(mine, "a", "m", "c", book.now + 6min, "asleep").error().field == "lease");
  CHECK(book.faxes->attempts(mine.id).value().empty());
  CHECK(book.faxes->begin_attempt(mine, "a", "m", "c", book.now + 6min, "awake"));
}

TEST_CASE("leases: a mail's name is recorded once") {
  Book book;
  const auto fax = book.faxes->receive(book.reception("FX1", "aa"), book.now).value().fax;
  REQUIRE(book.faxes->record_mail_name(fax.id, 0, "first"));
  CHECK(book.faxes->record_mail_name(fax.id, 0, "second").error().code == core::Code::conflict);
  CHECK(book.faxes->mails_due(fax.id).value().at(0).mail_name == "first");
}

TEST_CASE("leases: a claim waits for nobody" * doctest::skip(!databases::on_server())) {
  Book book;
  const auto first = book.fax("+12125551000");
  const auto second = book.fax("+12125551001");
  const auto other = sql::Database::open(book.place->url()).value();
  auto connection = other->lease().value();
  const auto transaction = sql::Transaction::begin(connection).value();  // it is another program's turn
  REQUIRE(connection.execute("UPDATE faxes SET is_read = 1 WHERE id = :1", {first.id}));
  const auto began = std::chrono::steady_clock::now();
  CHECK(book.faxes->claim("w", book.now, 5min).value()->id == second.id);
  CHECK_FALSE(book.faxes->claim("v", book.now, 5min).value());
  CHECK(std::chrono::steady_clock::now() - began < 2s);
}
