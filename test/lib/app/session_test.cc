#include "app/session.h"

#include "../../support/databases.h"
#include "house.h"

namespace {

using namespace house;

const Parameters kOurs{{"HTTP_ORIGIN", "https://fax.example"}};

struct Door {
  Door() {
    char name[] = "/tmp/session-test-XXXXXX";
    folder = ::mkdtemp(name);
    place.emplace(folder + "/people.db");
    people.emplace(store::People::open(sql::Database::open(place->url()).value()).value());
    REQUIRE(people->add("Anna", core::SecretString("correct horse battery"), store::Role::admin, clock.now()));
    routes.emplace(app::session_routes(*people, clock));
  }
  ~Door() { std::filesystem::remove_all(folder); }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  web::Response log_in(const std::string& body, const Parameters& more = kOurs) { return ask(*routes, "POST", "/api/session", with(more, kJson), body); }
  web::Response right() { return log_in(R"({"username":"anna","password":"correct horse battery"})"); }
  web::Response wrong() { return log_in(R"({"username":"anna","password":"wrong"})"); }
  web::Response who(const Parameters& more) { return ask(*routes, "GET", "/api/session", more); }
  web::Response admit(const Parameters& more) { return ask(*routes, "GET", "/auth", more); }
  Parameters cookie() {
    const auto answer = right();
    const auto set = std::string(answer.first("Set-Cookie").value());
    return {{"HTTP_COOKIE", "other=1; " + set.substr(0, set.find(';'))}};
  }

  std::string folder;
  std::optional<databases::Place> place;
  core::FixedClock clock{core::from_ms(1'800'000'000'000)};
  std::optional<store::People> people;
  std::optional<web::Routes> routes;
};

}  // namespace

TEST_CASE("a log-in gives a cookie for this host alone, and who it is") {
  Door door;
  const auto answer = door.right();
  REQUIRE(answer.status() == 200);
  CHECK(answer.text() == R"({"username":"Anna","role":"admin"})");
  const auto cookie = std::string(answer.first("Set-Cookie").value_or(""));
  CHECK(cookie.starts_with("__Host-faxline="));
  for (const auto* word : {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"}) CHECK(cookie.find(word) != std::string::npos);
  CHECK(cookie.find("Domain") == std::string::npos);
  CHECK(answer.first("Cache-Control") == "no-store");
}

TEST_CASE("what is no log-in") {
  Door door;
  for (const auto* body : {"", "{", "[]", "5"}) CHECK(door.log_in(body).status() == 400);
  check_problem(door.log_in(R"({"password":"x"})"), 400, "username");
  check_problem(door.log_in(R"({"username":"anna"})"), 400, "password");
  check_problem(door.log_in(R"({"username":5,"password":"x"})"), 400, "username");
  check_problem(door.log_in(std::string(5000, ' ')), 413);
  check_problem(ask(*door.routes, "POST", "/api/session", with(kOurs, kForm), "username=anna&password=x"), 415);
  CHECK(ask(*door.routes, "POST", "/api/session", with(kOurs, {{"CONTENT_TYPE", "Application/JSON; charset=utf-8"}}), R"({"username":"anna","password":"correct horse battery"})").status() == 200);
  const auto put = ask(*door.routes, "PUT", "/api/session");
  check_problem(put, 405);
  CHECK(put.first("Allow") == "POST, GET, HEAD, DELETE");
}

TEST_CASE("wrong password and unknown user have one answer") {
  Door door;
  const auto wrong = door.wrong();
  check_problem(wrong, 401);
  CHECK_FALSE(wrong.first("Set-Cookie"));
  for (const auto* name : {"nobody", "", "\\u0000", "a b", "anna\\u0000"}) {
    const auto unknown = door.log_in(std::string(R"({"username":")") + name + R"(","password":"correct horse battery"})");
    CHECK(unknown.status() == 401);
    CHECK(unknown.text() == wrong.text());
  }
  REQUIRE(door.people->set_disabled("anna", true));
  CHECK(door.right().text() == wrong.text());
}

TEST_CASE("guessing is slowed down, with the time to wait, and the right password too") {
  Door door;
  for (int i = 0; i < 5; ++i) CHECK(door.wrong().status() == 401);
  const auto answer = door.right();
  check_problem(answer, 429);
  CHECK(answer.first("Retry-After") == "30");
  door.clock.advance(31s);
  CHECK(door.right().status() == 200);
}

TEST_CASE("a foreign page neither logs in nor out") {
  Door door;
  const auto cookie = door.cookie();
  for (const auto* origin : {"https://evil.example", "http://fax.example", "https://fax.example:8443", "null"}) {
    check_problem(door.log_in(R"({"username":"anna","password":"correct horse battery"})", {{"HTTP_ORIGIN", origin}}), 403);
    check_problem(ask(*door.routes, "DELETE", "/api/session", with({{"HTTP_ORIGIN", origin}}, cookie)), 403);
  }
  check_problem(ask(*door.routes, "DELETE", "/api/session", cookie), 403);
  check_problem(ask(*door.routes, "DELETE", "/api/session", with({{"HTTP_SEC_FETCH_SITE", "cross-site"}}, cookie)), 403);
  CHECK(door.who(cookie).status() == 200);
  CHECK(ask(*door.routes, "DELETE", "/api/session", with({{"HTTP_SEC_FETCH_SITE", "same-origin"}}, cookie)).status() == 204);
  check_problem(door.who(cookie), 401);
}

TEST_CASE("a log-out ends the session, not the cookie alone") {
  Door door;
  const auto cookie = door.cookie();
  CHECK(door.who(cookie).text() == R"({"username":"Anna","role":"admin"})");
  const auto answer = ask(*door.routes, "DELETE", "/api/session", with(cookie, kOurs));
  CHECK(answer.status() == 204);
  CHECK(std::string(answer.first("Set-Cookie").value_or("")).find("Max-Age=0") != std::string::npos);
  check_problem(door.who(cookie), 401);
  CHECK(ask(*door.routes, "DELETE", "/api/session", kOurs).status() == 204);
}

TEST_CASE("a session ends by its time") {
  Door door;
  const auto cookie = door.cookie();
  door.clock.advance(13 * 24h);
  CHECK(door.who(cookie).status() == 200);
  door.clock.advance(15 * 24h);
  check_problem(door.who(cookie), 401);
}

TEST_CASE("nginx asks who it is, and is told user, role and way") {
  Door door;
  const auto by_cookie = door.admit(door.cookie());
  CHECK(by_cookie.status() == 204);
  CHECK(by_cookie.first("X-Auth-User") == "Anna");
  CHECK(by_cookie.first("X-Auth-Role") == "admin");
  CHECK(by_cookie.first("X-Auth-Via") == "cookie");
  const auto key = door.people->create_key("script", "anna", store::Role::user, door.clock.now()).value();
  const Parameters bearer{{"HTTP_AUTHORIZATION", "Bearer " + std::string(key.key.reveal())}};
  const auto by_key = door.admit(bearer);
  CHECK(by_key.first("X-Auth-Role") == "user");
  CHECK(by_key.first("X-Auth-Via") == "key");
  CHECK(door.who(bearer).status() == 200);
  const auto program = door.people->create_key("machine", std::nullopt, store::Role::user, door.clock.now()).value();
  CHECK(door.admit({{"HTTP_AUTHORIZATION", "bearer  " + std::string(program.key.reveal())}}).first("X-Auth-User") == "key-" + program.id);
  REQUIRE(door.people->revoke_key(key.id, door.clock.now()));
  check_problem(door.admit(bearer), 401);
  for (const auto& nobody : {Parameters{}, Parameters{{"HTTP_COOKIE", "__Host-faxline="}}, Parameters{{"HTTP_COOKIE", "__Host-faxline=x"}}, Parameters{{"HTTP_AUTHORIZATION", "Bearer fxl_x"}},
                             Parameters{{"HTTP_AUTHORIZATION", "Bearer"}}, Parameters{{"HTTP_AUTHORIZATION", "Basic YTpi"}}})
    check_problem(door.admit(nobody), 401);
}

TEST_CASE("no secret of a log-in gets into the log") {
  Door door;
  const core::LogCapture log;
  const auto cookie = door.cookie();
  (void)door.wrong();
  const auto& text = cookie.front().second;
  CHECK(log.text().find("logged in") != std::string::npos);
  CHECK(log.text().find(text.substr(text.rfind('=') + 1)) == std::string::npos);
  CHECK(log.text().find("battery") == std::string::npos);
}
