#include "sql/database.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "sql/migrate.h"

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/sql-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string url() const { return "sqlite://" + path + "/a.db"; }
  std::string path;
};

}  // namespace

TEST_CASE("values come back exactly as they went") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, s TEXT)"));
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  CHECK(connection.execute("INSERT INTO t (id, n, s) VALUES (:1, :2, :3)", {1, large, "é'; DROP TABLE t"}).value() == 1);
  CHECK(connection.execute("INSERT INTO t (id, n, s) VALUES (:1, :2, :3)", {2, std::int64_t{3'000'000'000}, std::optional<std::string>()}).value() == 1);
  const auto rows = connection.query("SELECT * FROM t ORDER BY id").value();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].int64("n") == large);
  CHECK(rows[0].text("s") == "é'; DROP TABLE t");
  CHECK(rows[1].int64("n") == 3'000'000'000);
  CHECK_FALSE(rows[1].optional_int64("s"));
  CHECK(connection.query("SELECT COUNT(*) AS n FROM t").value()[0].int64("n") == 2);
  CHECK(connection.row("SELECT n FROM t WHERE id = :1", {7}, "none").error().hint == "none");
}

TEST_CASE("errors: by code, and without the values") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY)"));
  REQUIRE(connection.execute("INSERT INTO t (id) VALUES (:1)", {"secret"}));
  const auto twice = connection.execute("INSERT INTO t (id) VALUES (:1)", {"secret"});
  CHECK(twice.error().code == core::Code::conflict);
  CHECK(twice.error().text.find("secret") == std::string::npos);
  CHECK(connection.execute("NONSENSE").error().code == core::Code::internal);
  CHECK(connection.execute("INSERT INTO t (id) VALUES (:1)", {std::string("a\0b", 3)}).error().code == core::Code::bad_request);
  CHECK(sql::Database::open("sqlite:///nowhere/at/all/a.db").error().code == core::Code::settings);
  CHECK(sql::Database::open("mysql://x").error().code == core::Code::settings);
}

TEST_CASE("a transaction is whole or not at all") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  {
    auto transaction = sql::Transaction::begin(connection).value();
    REQUIRE(connection.execute("INSERT INTO t (id) VALUES (1)"));
  }
  CHECK(connection.query("SELECT id FROM t").value().empty());
  auto transaction = sql::Transaction::begin(connection).value();
  REQUIRE(connection.execute("INSERT INTO t (id) VALUES (1)"));
  REQUIRE(transaction.commit());
  CHECK(connection.query("SELECT id FROM t").value().size() == 1);
}

TEST_CASE("two threads that write at once both get through") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  REQUIRE(database->lease().value().execute("CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  std::atomic<int> failed = 0;
  const auto write = [&](int first) {
    for (int i = 0; i < 50; ++i) {
      auto connection = database->lease();
      if (!connection) { ++failed; continue; }
      auto transaction = sql::Transaction::begin(*connection);
      if (!transaction || !connection->execute("INSERT INTO t (id) VALUES (:1)", {first + i}) || !transaction->commit()) ++failed;
    }
  };
  std::thread one(write, 0);
  std::thread two(write, 1000);
  one.join();
  two.join();
  CHECK(failed == 0);
  CHECK(database->lease().value().query("SELECT COUNT(*) AS n FROM t").value()[0].int64("n") == 100);
}

TEST_CASE("killed in the middle of a transaction: the old state stands") {
  const Folder folder;
  REQUIRE(sql::Database::open(folder.url()).value()->lease().value().execute("CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto database = sql::Database::open(folder.url()).value();
    auto connection = database->lease().value();
    auto transaction = sql::Transaction::begin(connection).value();
    (void)connection.execute("INSERT INTO t (id) VALUES (1)");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(sql::Database::open(folder.url()).value()->lease().value().query("SELECT id FROM t").value().empty());
}

TEST_CASE("migrations: once, in order, and not by an older program") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  const std::vector<sql::Migration> first{{1, {"CREATE TABLE a (id BIGINT)"}}};
  const std::vector<sql::Migration> second{{1, {"CREATE TABLE a (id BIGINT)"}}, {2, {"ALTER TABLE a ADD COLUMN n BIGINT", "INSERT INTO a (id, n) VALUES (1, 2)"}}};
  REQUIRE(sql::migrate(connection, "test", first));
  REQUIRE(sql::migrate(connection, "test", second));
  REQUIRE(sql::migrate(connection, "test", second));
  CHECK(connection.query("SELECT n FROM a").value().size() == 1);
  CHECK(sql::migrate(connection, "test", first).error().code == core::Code::settings);
  const std::vector<sql::Migration> broken{{1, {}}, {2, {}}, {3, {"CREATE TABLE b (id BIGINT)", "NONSENSE"}}};
  CHECK_FALSE(sql::migrate(connection, "test", broken));
  CHECK_FALSE(connection.query("SELECT * FROM b"));
}
