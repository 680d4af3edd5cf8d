#include "app/media.h"

#include "crypto/encoding.h"
#include "crypto/random.h"
#include "house.h"

namespace {

using namespace house;

struct Handing : House {
  Handing() : routes(app::media_routes(line, side, *faxes)) {
    fax = sent();
    attempt_id = attempt(fax, crypto::token_hash("mtoken"), "c").id;
  }
  web::Response fetch(std::string_view method = "GET", Parameters more = {}) { return ask(routes, method, "/fax/sending/mtoken", std::move(more)); }
  bool handed_out() { return faxes->last_attempt(fax.id).value()->handed_out.has_value(); }
  web::Routes routes;
  store::Fax fax;
  std::string attempt_id;
};

void check_nothing_given(const web::Response& answer, int status) {
  CHECK(answer.status() == status);
  CHECK(answer.text().empty());
  CHECK_FALSE(answer.file());
  CHECK_FALSE(answer.first("X-Accel-Redirect"));
  CHECK_FALSE(answer.first("Content-Type"));
}

void check_given(const Handing& house, const web::Response& answer) {
  CHECK(answer.status() == 200);
  CHECK(answer.first("X-Accel-Redirect") == "/internal/handout/" + house.attempt_id);
  CHECK(answer.first("Content-Type") == "application/pdf");
  CHECK(answer.first("Cache-Control") == "private, no-store");
}

}  // namespace

TEST_CASE("a GET is handed out, and that is in the book before it is answered") {
  Handing house;
  check_given(house, house.fetch());
  CHECK(house.handed_out());
  CHECK_FALSE(house.faxes->void_attempt(house.attempt_id, house.clock.now()).value());
  const auto first = house.faxes->last_attempt(house.fax.id).value()->handed_out;
  house.clock.advance(1min);
  check_given(house, house.fetch("GET", {{"HTTP_RANGE", "bytes=0-9"}}));
  CHECK(house.faxes->last_attempt(house.fax.id).value()->handed_out == first);
}

TEST_CASE("a HEAD hands nothing out") {
  Handing house;
  check_given(house, house.fetch("HEAD"));
  CHECK_FALSE(house.handed_out());
  CHECK(house.faxes->void_attempt(house.attempt_id, house.clock.now()).value());
  check_nothing_given(house.fetch("HEAD"), 404);
}

TEST_CASE("unknown, void, over: one empty 404") {
  Handing house;
  check_nothing_given(ask(house.routes, "GET", "/fax/sending/unknown"), 404);
  check_nothing_given(ask(house.routes, "GET", "/fax/sending/" + crypto::token_hash("mtoken")), 404);
  check_nothing_given(ask(house.routes, "GET", "/fax/sending/mtoken/x"), 404);
  check_nothing_given(ask(house.routes, "POST", "/fax/sending/mtoken"), 405);
  CHECK_FALSE(house.handed_out());
  REQUIRE(house.faxes->void_attempt(house.attempt_id, house.clock.now()).value());
  check_nothing_given(house.fetch(), 404);
  CHECK_FALSE(house.handed_out());
  Handing ended;
  REQUIRE(ended.faxes->end_attempt(ended.attempt_id, false, ended.clock.now()));
  check_nothing_given(ended.fetch(), 404);
  CHECK_FALSE(ended.handed_out());
}

TEST_CASE("without the password nothing is used up; INBOUND_AUTH_MEDIA=false asks for none") {
  Handing house;
  house.side.auth_user = "user";
  house.side.auth_password = core::SecretString("a:b");
  const Parameters wrong{{"HTTP_AUTHORIZATION", "Basic " + crypto::base64_encode("user:a")}};
  const Parameters right{{"HTTP_AUTHORIZATION", "Basic " + crypto::base64_encode("user:a:b")}};
  for (const auto& more : {Parameters{}, wrong}) {
    const auto answer = house.fetch("GET", more);
    check_nothing_given(answer, 401);
    CHECK(answer.first("WWW-Authenticate").value_or("").starts_with("Basic realm="));
  }
  check_nothing_given(ask(house.routes, "GET", "/fax/sending/unknown"), 401);
  CHECK_FALSE(house.handed_out());
  check_given(house, house.fetch("GET", right));
  Handing open;
  open.side.auth_user = "user";
  open.side.auth_password = core::SecretString("a:b");
  open.side.auth_media = false;
  check_given(open, open.fetch());
}

TEST_CASE("a book that cannot be written, or read: 503 and not a byte") {
  Handing house;
  {
    const House::Lock lock(house);
    const auto answer = house.fetch();
    check_nothing_given(answer, 503);
    CHECK(answer.first("Retry-After"));
  }
  CHECK_FALSE(house.handed_out());
  REQUIRE(house.database->lease().value().execute("DROP TABLE attempts"));
  check_nothing_given(house.fetch(), 503);
}

TEST_CASE("the log holds neither the token nor its hash") {
  Handing house;
  const core::LogCapture log;
  (void)house.fetch();
  (void)ask(house.routes, "GET", "/fax/sending/anothertoken");
  CHECK(log.text().find("document handed out") != std::string::npos);
  for (const auto& secret : {std::string("mtoken"), std::string("anothertoken"), crypto::token_hash("mtoken")}) CHECK(log.text().find(secret) == std::string::npos);
}
