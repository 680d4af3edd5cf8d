// A line in a temporary folder for the handlers' tests: the real store and spool, and a clock that stands.
#pragma once

#include <doctest/doctest.h>
#include <filesystem>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "../../support/databases.h"
#include "app/inbound.h"
#include "app/line.h"
#include "core/id.h"
#include "core/log.h"
#include "json/value.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/watch.h"
#include "web/request.h"
#include "web/routes.h"

namespace house {

using namespace std::chrono_literals;
using web::Parameters;

inline const std::string kPdf = "%PDF-1.4\nA small document.\n%%EOF\n";

struct Part {
  std::string name;
  std::string content;
  std::optional<std::string> file_name = {};
};

inline std::string multipart(const std::vector<Part>& parts) {
  std::string body;
  for (const auto& part : parts) {
    body += "--frontier\r\nContent-Disposition: form-data; name=\"" + part.name + "\"";
    if (part.file_name) body += "; filename=\"" + *part.file_name + "\"\r\nContent-Type: application/pdf";
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  return body + "--frontier--\r\n";
}

inline Parameters with(Parameters more, Parameters rest) {
  more.insert(more.end(), rest.begin(), rest.end());
  return more;
}

inline const Parameters kMultipart{{"CONTENT_TYPE", "multipart/form-data; boundary=frontier"}};
inline const Parameters kForm{{"CONTENT_TYPE", "application/x-www-form-urlencoded"}};
inline const Parameters kJson{{"CONTENT_TYPE", "application/json"}};
// A person at our own page, and a program with a key.
inline const Parameters kAnna{{"AUTH_USER", "anna"}, {"AUTH_ROLE", "user"}, {"AUTH_VIA", "cookie"}, {"HTTP_ORIGIN", "https://fax.example"}};
inline const Parameters kBerta{{"AUTH_USER", "berta"}, {"AUTH_ROLE", "user"}, {"AUTH_VIA", "key"}};

struct House {
  explicit House(std::int64_t reserve_bytes = 0) {
    char name[] = "/tmp/app-test-XXXXXX";
    folder = ::mkdtemp(name);
    place.emplace(folder + "/faxline.db");
    database = sql::Database::open(place->url(), {.busy_time_out = 50ms}).value();
    faxes.emplace(store::Faxes::open(database).value());
    watch.emplace(database);
    spool.emplace(spool::Spool::create(folder, {reserve_bytes, reserve_bytes}).value());
    line.number = "+15005550006";
    line.provider = "sandbox";
    line.practice = true;
    line.always_legal = app::legal_numbers(line.number, true);
    line.max_fax_bytes = 4096;
    line.clock = &clock;
    line.wake = [this] { ++wakes; };
    side.dialect = &twilio::kTwilio;
    side.public_url = "https://fax.example";
    side.account = "AC0123456789abcdef";
    side.account_token = core::SecretString("token-3f9a");
    side.signing_keys.emplace_back("the signing key");
    side.hint = [this](std::string_view text) { hints.emplace_back(text); };
  }
  ~House() { std::filesystem::remove_all(folder); }
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  // Somebody else writes, for longer than anybody waits.
  struct Lock {
    explicit Lock(const House& house)
        : other(sql::Database::open(house.place->url()).value()), connection(other->lease().value()), transaction(sql::Transaction::begin(connection).value()) {
      // There a transaction alone stops none who writes a single row.
      if (databases::on_server()) (void)connection.execute("LOCK TABLE faxes, attempts, documents, facts, refusals IN EXCLUSIVE MODE").value();
    }
    std::shared_ptr<sql::Database> other;
    sql::Connection connection;
    sql::Transaction transaction;
  };

  std::size_t spooled() const { return spool->list().value().size(); }
  std::size_t temporary_files() const { return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder + "/spool/tmp"), {})); }

  std::string document(store::DocumentState state = store::DocumentState::ready, const std::string& content = kPdf) {
    auto incoming = spool->begin(spool::Use::upload).value();
    REQUIRE(incoming.write(std::as_bytes(std::span(content))));
    store::Document it;
    it.id = core::new_id(clock.now());
    it.owner = "anna";
    it.sha256 = incoming.commit(it.id).value().sha256;
    it.bytes = static_cast<std::int64_t>(content.size());
    it.state = state;
    if (state == store::DocumentState::refused) it.cause_code = "document_encrypted";
    if (state == store::DocumentState::ready) it.pages = 1;
    it.created = clock.now();
    REQUIRE(faxes->add_document(it));
    return it.id;
  }

  store::Fax sent(const std::string& to = "+12125551212") { return faxes->create({"anna", line.number, to, "sandbox", {document()}, "", "", "", 72h}, clock.now()).value().fax; }

  void put(store::Fax& fax, std::initializer_list<fax::Status> way) {
    for (const auto status : way) {
      fax.status = status;
      REQUIRE(faxes->save(fax, clock.now()));
    }
  }

  store::Attempt attempt(store::Fax& fax, const std::string& media_hash, const std::string& callback_hash) {
    put(fax, {fax::Status::preparing});
    fax.status = fax::Status::submitting;
    fax.attempt += 1;
    return faxes->begin_attempt(fax, core::new_id(clock.now()), media_hash, callback_hash, clock.now()).value();
  }

  // One that came, and is in the mailbox.
  store::Fax received(const std::string& sid = "FX1", const std::string& content = kPdf) {
    store::Reception it;
    it.fax_sid = sid;
    it.from = "+12125550100";
    it.to = line.number;
    it.provider = "sandbox";
    it.lifetime = 72h;
    it.document = faxes->document(document(store::DocumentState::ready, content)).value();
    REQUIRE(faxes->forget_document(it.document->id));
    auto fax = faxes->receive(it, clock.now()).value().fax;
    fax = faxes->fax(fax.id).value();
    fax.mail_due = false;
    REQUIRE(faxes->save(fax, clock.now()));
    return fax;
  }

  std::string folder;
  std::optional<databases::Place> place;
  core::FixedClock clock{core::from_ms(1'800'000'000'000)};
  std::shared_ptr<sql::Database> database;
  std::optional<store::Faxes> faxes;
  std::optional<store::Watch> watch;
  std::optional<spool::Spool> spool;
  app::Line line;
  app::ProviderSide side;
  int wakes = 0;
  std::vector<std::string> hints;
};

inline web::Response ask(const web::Routes& routes, std::string_view method, std::string_view target, Parameters more = {}, std::string body = {}) {
  auto request = web::make_request(method, target, std::move(body), std::move(more));
  return routes.answer(request);
}

inline json::Value json_of(const web::Response& answer) { return json::parse(answer.text()).value(); }

inline std::string text_of(const json::Value& value) { return std::string(value.as_string().value_or("(no text)")); }

// An answer of the API that says no: its status, in the body too, and what is to blame.
inline void check_problem(const web::Response& answer, int status, std::string_view field = {}) {
  CHECK(answer.status() == status);
  CHECK(answer.first("Content-Type") == "application/problem+json");
  const auto said = json_of(answer);
  CHECK(said["status"].as_int64() == status);
  CHECK_FALSE(text_of(said["title"]).empty());
  CHECK_FALSE(text_of(said["detail"]).empty());
  CHECK(said["type"].is_string());
  CHECK(said["field"].as_string().value_or("") == field);
}

inline std::vector<std::string> names_of(const json::Value& object) {
  std::vector<std::string> names;
  for (const auto& member : object.members()) names.push_back(member.name);
  return names;
}

}  // namespace house
