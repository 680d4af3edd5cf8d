// What PostgreSQL alone can do to us. Runs when TEST_DATABASE_URL names a server.
#include <atomic>
#include <doctest/doctest.h>
#include <optional>
#include <thread>

#include "../../support/databases.h"
#include "sql/database.h"

namespace {

using core::Code;
using namespace std::chrono_literals;

struct Server {
  explicit Server(sql::Options options = {}) : place(""), database(sql::Database::open(place.url(), options).value()) {
    REQUIRE(database->lease().value().execute("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, s TEXT)"));
  }
  // As a restart does to every connection of this case.
  void cut_all() {
    (void)databases::administrator().query("SELECT CAST(pg_terminate_backend(pid, 5000) AS TEXT) AS done FROM pg_stat_activity WHERE usename = :1", {place.role()}).value();
  }
  std::int64_t rows() { return database->lease().value().row("SELECT COUNT(*) AS n FROM t", {}, "").value().int64("n"); }

  databases::Place place;
  std::shared_ptr<sql::Database> database;
};

}  // namespace

TEST_SUITE_BEGIN("server" * doctest::skip(!databases::on_server()));

TEST_CASE("server: numbers of every kind that a statement of ours makes") {
  Server server;
  auto connection = server.database->lease().value();
  REQUIRE(connection.execute("INSERT INTO t (id, n) VALUES (1, 3000000000), (2, 3000000000)"));
  const auto row = connection.row("SELECT COUNT(*) AS count, SUM(n) AS sum, MAX(n) AS max, 1 AS one, n + 1 AS more FROM t GROUP BY n", {}, "").value();
  CHECK(row.int64("count") == 2);
  CHECK(row.int64("sum") == 6'000'000'000);
  CHECK(row.int64("max") == 3'000'000'000);
  CHECK(row.int64("one") == 1);
  CHECK(row.int64("more") == 3'000'000'001);
  CHECK(connection.query("SELECT AVG(id) AS n FROM t").error().code == Code::internal);  // 1.5
  CHECK(connection.query("SELECT SUM(n * 3000000) AS n FROM t").error().code == Code::internal);  // 1.8e16: more than a double holds
}

TEST_CASE("server: texts come back as they went, and what is no text is refused") {
  Server server;
  auto connection = server.database->lease().value();
  const std::string odd = "back\\slash \\n \\' '' \" $1 :p1 é \U0001f4e0 \x01\x7f";
  REQUIRE(connection.execute("INSERT INTO t (id, s) VALUES (1, :1)", {odd}));
  CHECK(connection.row("SELECT s FROM t WHERE s = :1", {odd}, "").value().text("s") == odd);
  CHECK(connection.row("SELECT s || ':x \\' AS s FROM t", {}, "").value().text("s") == odd + ":x \\");
  for (const auto* bytes : {"\xff", "caf\xe9", "\xc0\x80", "\xed\xa0\x80"}) {
    const auto refused = connection.execute("INSERT INTO t (id, s) VALUES (2, :1)", {bytes});
    CHECK(refused.error().code == Code::bad_request);
    CHECK(refused.error().text.find("caf") == std::string::npos);
  }
  CHECK(connection.execute("INSERT INTO t (id, s) VALUES (2, :1)", {std::string("a\0b", 3)}).error().code == Code::bad_request);
  CHECK(server.rows() == 1);
}

TEST_CASE("server: what a state of an error means to us") {
  Server server;
  auto connection = server.database->lease().value();
  const auto raised = [&](const std::string& state) {
    return connection.execute("DO 'BEGIN RAISE EXCEPTION ''secret'' USING ERRCODE = ''" + state + "''; END'").error();
  };
  struct { std::string state; Code code; } cases[] = {
      {"55P03", Code::unavailable}, {"40001", Code::unavailable}, {"40P01", Code::unavailable}, {"57014", Code::unavailable}, {"53200", Code::unavailable},
      {"53100", Code::no_space},    {"23505", Code::conflict},    {"23502", Code::internal},    {"42501", Code::settings},    {"XX000", Code::internal}};
  for (const auto& [state, code] : cases) {
    CAPTURE(state);
    const auto error = raised(state);
    CHECK(error.code == code);
    CHECK(error.text.find("SQLSTATE " + state) != std::string::npos);
    CHECK(connection.query("SELECT 1 AS n"));  // it serves on
  }
}

TEST_CASE("server: the key of a duplicate is in no word") {
  Server server;
  auto connection = server.database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE u (s TEXT PRIMARY KEY)"));
  REQUIRE(connection.execute("INSERT INTO u (s) VALUES (:1)", {"secret"}));
  const auto error = connection.execute("INSERT INTO u (s) VALUES (:1)", {"secret"}).error();
  CHECK(error.code == Code::conflict);
  CHECK((error.text + error.hint).find("secret") == std::string::npos);
  CHECK(connection.execute("INSERT INTO u (s) VALUES (:1) ON CONFLICT (s) DO NOTHING", {"secret"}).value() == 0);
  CHECK(connection.execute("INSERT INTO u (s) VALUES (:1) ON CONFLICT (s) DO UPDATE SET s = :2", {"secret", "other"}).value() == 1);
}

TEST_CASE("server: a row that is locked for longer than the time-out, and a turn that does not come") {
  Server server({4, 100ms});
  REQUIRE(server.database->lease().value().execute("INSERT INTO t (id, n) VALUES (1, 1)"));
  auto one = server.database->lease().value();
  auto two = server.database->lease().value();
  {
    auto transaction = sql::Transaction::begin(one).value();
    REQUIRE(one.execute("UPDATE t SET n = 2"));
    CHECK(sql::Transaction::begin(two).error().code == Code::unavailable);
    CHECK(two.execute("UPDATE t SET n = 3").error().code == Code::unavailable);
    CHECK(two.row("SELECT n FROM t", {}, "").value().int64("n") == 1);  // readers do not wait
  }
  CHECK(two.execute("UPDATE t SET n = 3").value() == 1);
  CHECK(sql::Transaction::begin(one));
}

TEST_CASE("server: it went away and is back: the next call works, whatever was idle") {
  Server server;
  {
    auto one = server.database->lease().value();
    auto two = server.database->lease().value();
    auto three = server.database->lease().value();
  }  // three are idle now
  server.cut_all();
  for (int i = 0; i < 4; ++i) CHECK(server.database->lease().value().execute("INSERT INTO t (id) VALUES (:1)", {i}).value_or(0) == 1);
}

TEST_CASE("server: a connection that is lost in a statement, in a transaction, in COMMIT") {
  Server server;
  {
    auto connection = server.database->lease().value();
    server.cut_all();
    CHECK(connection.query("SELECT id FROM t").error().code == Code::unavailable);  // nothing was changed
  }
  {
    auto connection = server.database->lease().value();
    server.cut_all();
    const auto lost = connection.execute("INSERT INTO t (id) VALUES (1)");  // a transaction of its own
    CHECK(lost.error().code == Code::unknown_outcome);
    CHECK(lost.error().hint.empty());  // not: try again
  }
  {
    auto connection = server.database->lease().value();
    auto transaction = sql::Transaction::begin(connection).value();
    REQUIRE(connection.execute("INSERT INTO t (id) VALUES (2)"));
    server.cut_all();
    CHECK(connection.execute("INSERT INTO t (id) VALUES (3)").error().code == Code::unavailable);  // whatever it was, it is undone
  }
  {
    auto connection = server.database->lease().value();
    auto transaction = sql::Transaction::begin(connection).value();
    REQUIRE(connection.execute("INSERT INTO t (id) VALUES (4)"));
    server.cut_all();
    CHECK(transaction.commit().error().code == Code::unknown_outcome);
  }
  CHECK(server.rows() == 0);
  CHECK(server.database->lease().value().execute("INSERT INTO t (id) VALUES (5)").value() == 1);
}

TEST_CASE("server: who stands still in a transaction loses it before the others give up") {
  Server server({4, 4s});
  auto asleep = server.database->lease().value();
  auto transaction = sql::Transaction::begin(asleep).value();
  REQUIRE(asleep.execute("INSERT INTO t (id) VALUES (1)"));
  {
    auto awake = server.database->lease().value();
    auto next = sql::Transaction::begin(awake);  // waits for its turn
    REQUIRE(next);
    REQUIRE(awake.execute("INSERT INTO t (id) VALUES (1)"));
    REQUIRE(next->commit());
  }
  CHECK_FALSE(transaction.commit());
  CHECK(server.rows() == 1);
}

TEST_CASE("server: settings of a session, whatever the server's own are") {
  Server server;
  databases::administrator().execute("ALTER ROLE " + server.place.role() + " SET synchronous_commit = off").value();
  databases::administrator().execute("ALTER ROLE " + server.place.role() + " SET default_transaction_isolation = 'serializable'").value();
  auto connection = sql::Database::open(server.place.url()).value()->lease().value();
  CHECK(connection.row("SHOW synchronous_commit", {}, "").value().text("synchronous_commit") == "on");
  CHECK(connection.row("SHOW transaction_isolation", {}, "").value().text("transaction_isolation") == "read committed");
  CHECK(connection.row("SHOW lock_timeout", {}, "").value().text("lock_timeout") == "8s");
  CHECK(connection.row("SHOW idle_in_transaction_session_timeout", {}, "").value().text("idle_in_transaction_session_timeout") == "4s");
}

TEST_CASE("server: a role or password that it does not know: settings, without the password in any word") {
  const databases::Place place("");
  const auto url = place.url();
  const auto wrong = url.substr(0, url.find("://") + 3) + place.role() + ":topsecret" + url.substr(url.find('@'));
  const auto opened = sql::Database::open(wrong);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::settings);
  CHECK((opened.error().text + opened.error().hint).find("topsecret") == std::string::npos);
  CHECK(opened.error().hint.find("URL") != std::string::npos);
}

TEST_CASE("server: one that is not there is waited for") {
  const auto url = databases::Place("").url();
  const auto opened = sql::Database::open(url.substr(0, url.find("host=")) + "host=/nowhere");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::unavailable);
}

TEST_SUITE_END();
