#include "store/people.h"

#include <atomic>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "../../support/databases.h"
#include "crypto/random.h"

namespace {

using namespace std::chrono_literals;
using core::Code;
using core::SecretString;
using store::Role;

struct House {
  House() {
    char name[] = "/tmp/people-test-XXXXXX";
    folder = ::mkdtemp(name);
    place.emplace(folder + "/people.db");
    reopen();
  }
  ~House() {
    people.reset();
    std::filesystem::remove_all(folder);
  }
  void reopen() {
    people.reset();
    database = sql::Database::open(place->url()).value();
    people.emplace(store::People::open(database).value());
  }
  void add(const std::string& name, Role role = Role::user) { REQUIRE(people->add(name, SecretString("pw of " + name), role, now)); }
  core::Result<store::User> log_in(const std::string& name, const std::string& password, const std::string& address = "192.0.2.1") {
    return people->log_in(name, SecretString(password), address, now);
  }
  std::string session(const std::string& name) { return std::string(people->create_session(name, now).value().token.reveal()); }
  std::int64_t number(const std::string& statement) { return database->lease().value().row(statement, {}, "").value().int64("n"); }

  std::string folder;
  std::optional<databases::Place> place;
  core::Time now = core::from_ms(1'800'000'000'000);
  std::shared_ptr<sql::Database> database;
  std::optional<store::People> people;
};

}  // namespace

TEST_CASE("users: added, listed, found in any case, shown as typed") {
  House house;
  CHECK(house.people->count().value() == 0);
  const auto added = house.people->add("Anna.B-1@x_y", SecretString("secret"), Role::admin, house.now).value();
  CHECK(added.name == "Anna.B-1@x_y");
  CHECK(added.role == Role::admin);
  house.add("bob");
  CHECK(house.people->count().value() == 2);
  const auto users = house.people->list().value();
  REQUIRE(users.size() == 2);
  CHECK(users[0].name == "Anna.B-1@x_y");
  CHECK(users[0].created == house.now);
  CHECK_FALSE(users[0].disabled);
  CHECK(users[1].role == Role::user);
  CHECK(house.people->find("ANNA.b-1@X_Y").value().name == "Anna.B-1@x_y");
  CHECK(house.people->find("carl").error().code == Code::not_found);
  CHECK(store::name(Role::admin) == "admin");
  CHECK(store::name(Role::user) == "user");
  const auto twice = house.people->add("BOB", SecretString("other"), Role::user, house.now);
  CHECK(twice.error().code == Code::conflict);
  CHECK(twice.error().field == "username");
  CHECK(house.people->add("carl", SecretString(""), Role::user, house.now).error().field == "password");
  CHECK(house.people->count().value() == 2);
}

TEST_CASE("names that are none, and those that look like an attack") {
  House house;
  house.add("bob");
  const std::string long_name(65, 'a');
  for (const std::string& name : {std::string(""), std::string("a b"), std::string("'; DROP TABLE users; --"), std::string("bob' OR '1'='1"), std::string("a\0b", 3), std::string("a\n"), std::string("ä"),
                                  std::string("../bob"), std::string("%"), std::string("b\\b"), long_name}) {
    CAPTURE(name);
    CHECK_FALSE(store::is_user_name(name));
    CHECK(house.people->add(name, SecretString("x"), Role::user, house.now).error().field == "username");
    CHECK(house.people->find(name).error().code == Code::not_found);
    CHECK(house.people->remove(name, house.now).error().code == Code::not_found);
    CHECK(house.people->set_password(name, SecretString("x")).error().code == Code::not_found);
    CHECK(house.people->create_session(name, house.now).error().code == Code::not_found);
    CHECK(house.log_in(name, "pw of bob").error().code == Code::unauthenticated);
  }
  CHECK(store::is_user_name(std::string(64, 'a')));
  // In passwords, tokens, keys and addresses everything may stand.
  CHECK(house.log_in("bob", "' OR 1=1 --", "'; DROP TABLE users; --").error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "pw of bob", std::string("a\0b", 3)));
  CHECK(house.people->find_session("' OR '1'='1", house.now).error().code == Code::unauthenticated);
  CHECK(house.people->find_key("' OR '1'='1", house.now).error().code == Code::unauthenticated);
  CHECK(house.people->revoke_key("' OR '1'='1", house.now).error().code == Code::not_found);
  CHECK(house.people->count().value() == 1);
}

TEST_CASE("log-in: one answer for a wrong password, an unknown and a disabled user") {
  House house;
  house.add("Anna", Role::admin);
  house.add("bob");
  CHECK(house.log_in("anna", "pw of Anna").value().name == "Anna");
  CHECK(house.log_in("ANNA", "pw of Anna").value().role == Role::admin);
  REQUIRE(house.people->set_disabled("bob", true));
  for (const auto& wrong : {house.log_in("Anna", "pw of bob"), house.log_in("carl", "pw of Anna"), house.log_in("bob", "pw of bob"), house.log_in("Anna", "")}) {
    CHECK(wrong.error().code == Code::unauthenticated);
    CHECK(wrong.error().hint == "That user name or password is not right.");
    CHECK(wrong.error().text == "log-in refused");
    CHECK(wrong.error().field.empty());
  }
  REQUIRE(house.people->set_disabled("bob", false));
  CHECK(house.log_in("bob", "pw of bob"));
  CHECK(house.people->set_disabled("carl", true).error().code == Code::not_found);
}

TEST_CASE("log-in: an unknown name takes the time of a known one") {
  House house;
  house.add("bob");
  const auto time = [&](const std::string& name) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 4; ++i) {
      const auto start = std::chrono::steady_clock::now();
      REQUIRE_FALSE(house.log_in(name, "wrong"));
      best = std::min(best, std::chrono::steady_clock::now() - start);
    }
    return std::chrono::duration<double>(best).count();
  };
  const double known = time("bob");
  const double unknown = time("carl");
  CHECK(unknown > known / 3);
  CHECK(unknown < known * 3);
}

TEST_CASE("throttle: five wrong ones for a name, known or not; the wait grows; a right one forgets") {
  House house;
  house.add("bob");
  for (const std::string name : {"bob", "Nobody"}) {
    CAPTURE(name);
    for (int i = 0; i < 5; ++i) CHECK(house.log_in(name, "wrong", "192.0.2." + std::to_string(i)).error().code == Code::unauthenticated);
    const auto limited = house.log_in(name, "pw of bob", "198.51.100.1");
    REQUIRE(limited.error().code == Code::limited);
    CHECK(limited.error().retry_after == 30s);
    CHECK(limited.error().hint == "Too many wrong log-ins. Try again in 30 seconds.");
    CHECK(house.log_in(name == "bob" ? "BOB" : "nobody", "x").error().code == Code::limited);
  }
  house.now += 10s;
  CHECK(house.log_in("bob", "wrong").error().retry_after == 20s);  // asking does not make it longer
  house.now += 20s;
  CHECK(house.log_in("bob", "wrong").error().code == Code::unauthenticated);  // one more try
  CHECK(house.log_in("bob", "wrong").error().retry_after == 60s);
  house.now += 60s;
  CHECK(house.log_in("bob", "wrong").error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "wrong").error().retry_after == 120s);
  CHECK(house.log_in("bob", "wrong").error().hint == "Too many wrong log-ins. Try again in 2 minutes.");
  house.now += 120s;
  CHECK(house.log_in("bob", "pw of bob"));
  for (int i = 0; i < 4; ++i) CHECK(house.log_in("bob", "wrong").error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "pw of bob"));
}

TEST_CASE("throttle: it survives a restart, ends with its window, and with a new password") {
  House house;
  house.add("bob");
  for (int i = 0; i < 5; ++i) CHECK_FALSE(house.log_in("bob", "wrong"));
  house.reopen();
  CHECK(house.log_in("bob", "pw of bob").error().code == Code::limited);
  REQUIRE(house.people->set_password("bob", SecretString("new")));
  CHECK(house.log_in("bob", "new"));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(house.log_in("bob", "wrong"));
  house.now += 15min;
  for (int i = 0; i < 5; ++i) CHECK(house.log_in("bob", "wrong").error().code == Code::unauthenticated);
  house.now -= 2h;  // the clock was set back: those do not count, and nobody waits for hours
  CHECK(house.log_in("bob", "new"));
}

TEST_CASE("throttle: twenty from an address, whatever the names; IPv6 by its first half") {
  House house;
  house.add("bob");
  for (int i = 0; i < 20; ++i) CHECK(house.log_in("name" + std::to_string(i), "x", "2001:db8:1:2::" + std::to_string(i)).error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "pw of bob", "2001:0db8:1:2:ffff::1").error().code == Code::limited);
  CHECK(house.log_in("bob", "pw of bob", "2001:db8:1:3::1"));
  for (int i = 0; i < 20; ++i) CHECK(house.log_in("not a name", "x", "192.0.2.7").error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "pw of bob", "192.0.2.7").error().code == Code::limited);
  CHECK(house.log_in("bob", "pw of bob", "192.0.2.8"));
}

TEST_CASE("throttle: guesses sent all at once are counted; a few right ones at once are let in") {
  House house;
  house.add("bob");
  const auto at_once = [&](int count, const std::string& password) {
    std::atomic<int> limited = 0;
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&] {
        const auto done = house.log_in("bob", password);
        if (done) ++right;
        if (!done && done.error().code == Code::limited) ++limited;
      });
    }
    for (auto& thread : threads) thread.join();
    return std::pair(right.load(), limited.load());
  };
  CHECK(at_once(8, "pw of bob") == std::pair(8, 0));
  const auto [right, limited] = at_once(24, "wrong");
  CHECK(right == 0);
  CHECK(limited >= 24 - 5 - 4);
}

TEST_CASE("sessions: stored hashed, found with the user of now, survive a restart, end") {
  House house;
  house.add("Anna", Role::admin);
  const auto made = house.people->create_session("anna", house.now).value();
  const std::string token(made.token.reveal());
  CHECK(token.size() == 43);
  CHECK(made.expires == house.now + 30 * 24h);
  house.reopen();
  const auto user = house.people->find_session(token, house.now).value();
  CHECK(user.name == "Anna");
  CHECK(user.role == Role::admin);
  CHECK(house.people->find_session(token + "x", house.now).error().code == Code::unauthenticated);
  CHECK(house.people->find_session("", house.now).error().code == Code::unauthenticated);
  CHECK(house.people->find_session(crypto::token_hash(token), house.now).error().code == Code::unauthenticated);
  REQUIRE(house.people->remove_session(token));
  REQUIRE(house.people->remove_session(token));
  CHECK(house.people->find_session(token, house.now).error().code == Code::unauthenticated);
}

TEST_CASE("sessions: 14 days idle, 30 days in all; the use is noted once an hour") {
  House house;
  house.add("bob");
  const auto idle = house.session("bob");
  house.now += 14 * 24h;
  CHECK(house.people->find_session(idle, house.now).error().code == Code::unauthenticated);
  const auto used = house.session("bob");
  const auto seen = [&] { return house.number("SELECT MAX(last_seen_ms) AS n FROM sessions"); };
  const auto start = core::to_ms(house.now);
  house.now += 59min;
  CHECK(house.people->find_session(used, house.now));
  CHECK(seen() == start);
  house.now += 1min;
  CHECK(house.people->find_session(used, house.now));
  CHECK(seen() == core::to_ms(house.now));
  house.now -= 3h;  // the clock was set back
  CHECK(house.people->find_session(used, house.now));
  CHECK(seen() == core::to_ms(house.now));
  house.now += 2h;
  house.now += 13 * 24h;
  CHECK(house.people->find_session(used, house.now));
  house.now += 13 * 24h;
  CHECK(house.people->find_session(used, house.now));
  house.now += 4 * 24h;
  CHECK(house.people->find_session(used, house.now).error().code == Code::unauthenticated);
  CHECK(house.number("SELECT COUNT(*) AS n FROM sessions") == 2);
  CHECK(house.people->purge(house.now).value() == 2);
  CHECK(house.people->purge(house.now).value() == 0);
}

TEST_CASE("users: the only administrator who can log in stays") {
  House house;
  house.add("anna", Role::admin);
  house.add("bob");
  const auto kept = house.people->remove("Anna", house.now);
  REQUIRE_FALSE(kept);
  CHECK(kept.error().code == Code::conflict);
  CHECK(kept.error().hint.find("Make another one first") != std::string::npos);
  CHECK(house.people->count().value() == 2);
  REQUIRE(house.people->remove("bob", house.now));
  house.add("carl", Role::admin);
  REQUIRE(house.people->set_disabled("carl", true));
  CHECK_FALSE(house.people->remove("anna", house.now));
  REQUIRE(house.people->set_disabled("carl", false));
  CHECK(house.people->remove("anna", house.now));
  CHECK(house.people->list().value().size() == 1);
}

TEST_CASE("sessions: the ones of a removed, a disabled, a re-made user are dead") {
  House house;
  house.add("bob");
  house.add("carl");
  const auto removed = house.session("bob");
  const auto other = house.session("carl");
  REQUIRE(house.people->remove("BOB", house.now));
  CHECK(house.people->find_session(removed, house.now).error().code == Code::unauthenticated);
  house.add("bob");
  CHECK(house.people->find_session(removed, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->find_session(other, house.now));
  REQUIRE(house.people->set_disabled("carl", true));
  CHECK(house.people->find_session(other, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->create_session("carl", house.now).error().code == Code::not_found);
  REQUIRE(house.people->set_disabled("carl", false));
  CHECK(house.people->find_session(other, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->remove("nobody", house.now).error().code == Code::not_found);
}

TEST_CASE("a new password ends the other sessions, and all when none is kept") {
  House house;
  house.add("bob");
  house.add("carl");
  const auto one = house.session("bob");
  const auto two = house.session("bob");
  const auto other = house.session("carl");
  REQUIRE(house.people->set_password("Bob", SecretString("new"), one));
  CHECK(house.log_in("bob", "pw of bob").error().code == Code::unauthenticated);
  CHECK(house.log_in("bob", "new"));
  CHECK(house.people->find_session(one, house.now));
  CHECK(house.people->find_session(two, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->set_password("bob", SecretString("")).error().field == "password");
  CHECK(house.people->find_session(one, house.now));
  REQUIRE(house.people->set_password("bob", SecretString("newer")));
  CHECK(house.people->find_session(one, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->find_session(other, house.now));
  REQUIRE(house.people->remove_sessions_of("CARL"));
  CHECK(house.people->find_session(other, house.now).error().code == Code::unauthenticated);
}

TEST_CASE("keys: shown once, listed, revoked") {
  House house;
  house.add("Anna", Role::admin);
  const auto program = house.people->create_key("door bell", std::nullopt, Role::user, house.now).value();
  const std::string key(program.key.reveal());
  CHECK(key.size() == 47);
  CHECK(key.substr(0, 4) == "fxl_");
  const auto found = house.people->find_key(key, house.now).value();
  CHECK(found.id == program.id);
  CHECK(found.name == "door bell");
  CHECK_FALSE(found.user);
  CHECK(found.role == Role::user);
  CHECK(house.people->find_key(key.substr(4), house.now).error().code == Code::unauthenticated);
  house.now += 1s;
  const auto annas = house.people->create_key("scanner", "ANNA", Role::admin, house.now).value();
  CHECK(house.people->find_key(annas.key.reveal(), house.now).value().user == "anna");
  CHECK(house.people->find_key(annas.key.reveal(), house.now).value().role == Role::admin);
  const auto keys = house.people->list_keys().value();
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].id == program.id);
  CHECK(keys[0].last_used == house.now - 1s);
  house.now += 59min;
  CHECK(house.people->find_key(key, house.now));
  CHECK(house.people->list_keys().value()[0].last_used == house.now - 59min - 1s);
  house.now += 1min;
  CHECK(house.people->find_key(key, house.now));
  CHECK(house.people->list_keys().value()[0].last_used == house.now);
  REQUIRE(house.people->revoke_key(program.id, house.now));
  CHECK(house.people->find_key(key, house.now).error().code == Code::unauthenticated);
  REQUIRE(house.people->revoke_key(program.id, house.now + 1h));
  CHECK(house.people->list_keys().value()[0].revoked == house.now);
  CHECK(house.people->revoke_key("none", house.now).error().code == Code::not_found);
  CHECK(house.people->create_key("x", "nobody", Role::user, house.now).error().field == "user");
  for (const std::string& bad : {std::string(), std::string(101, 'a'), std::string("a\nb"), std::string("a\0b", 3)})
    CHECK(house.people->create_key(bad, std::nullopt, Role::user, house.now).error().field == "name");
}

TEST_CASE("keys: no more than their user; dead with it") {
  House house;
  house.add("bob");
  const auto made = house.people->create_key("script", "bob", Role::admin, house.now).value();
  const std::string key(made.key.reveal());
  CHECK(house.people->find_key(key, house.now).value().role == Role::user);
  REQUIRE(house.people->set_disabled("bob", true));
  CHECK(house.people->find_key(key, house.now).error().code == Code::unauthenticated);
  REQUIRE(house.people->set_disabled("bob", false));
  CHECK(house.people->find_key(key, house.now));
  REQUIRE(house.people->remove("bob", house.now));
  CHECK(house.people->find_key(key, house.now).error().code == Code::unauthenticated);
  CHECK(house.people->list_keys().value()[0].revoked == house.now);
  house.add("bob");
  CHECK(house.people->find_key(key, house.now).error().code == Code::unauthenticated);
}

TEST_CASE("no password, token or key is in the files" * doctest::skip(databases::on_server())) {
  House house;
  house.add("bob");
  const auto token = house.session("bob");
  const auto key = house.people->create_key("k", "bob", Role::user, house.now).value();
  (void)house.log_in("bob", "wrong password 123");
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(house.folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    all += text.str();
  }
  CHECK(all.find("bob") != std::string::npos);
  CHECK(all.find("pw of bob") == std::string::npos);
  CHECK(all.find("wrong password") == std::string::npos);
  CHECK(all.find(token) == std::string::npos);
  CHECK(all.find(key.key.reveal().substr(4)) == std::string::npos);
}
