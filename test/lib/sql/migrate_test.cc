#include "sql/migrate.h"

#include <array>
#include <doctest/doctest.h>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include "../../support/databases.h"

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/sql-test-XXXXXX";
    path = ::mkdtemp(name);
    place.emplace(path + "/a.db");
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string url() const { return place->url(); }
  std::string path;
  std::optional<databases::Place> place;
};

const std::vector<sql::Migration> kFirst{{1, {"CREATE TABLE a (id BIGINT)"}}};
const std::vector<sql::Migration> kSecond{{1, {"CREATE TABLE a (id BIGINT)"}}, {2, {"ALTER TABLE a ADD COLUMN n BIGINT", "INSERT INTO a (id, n) VALUES (1, 2)"}}};

}  // namespace

TEST_CASE("migrations: once, in order, and not by an older program") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(sql::migrate(connection, "test", kFirst));
  REQUIRE(sql::migrate(connection, "test", kSecond));
  REQUIRE(sql::migrate(connection, "test", kSecond));
  CHECK(connection.query("SELECT n FROM a").value().size() == 1);
  const auto older = sql::migrate(connection, "test", kFirst);
  CHECK(older.error().code == core::Code::settings);
  CHECK(older.error().hint.find("newer version of Faxline") != std::string::npos);
  REQUIRE(sql::migrate(connection, "other", std::vector<sql::Migration>{{1, {"CREATE TABLE b (id BIGINT)"}}}));  // a schema of its own
}

TEST_CASE("a step that fails leaves the step before") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  const std::vector<sql::Migration> broken{{1, {"CREATE TABLE a (id BIGINT)"}}, {2, {"CREATE TABLE b (id BIGINT)", "NONSENSE"}}};
  CHECK_FALSE(sql::migrate(connection, "test", broken));
  CHECK(connection.query("SELECT * FROM a"));
  CHECK_FALSE(connection.query("SELECT * FROM b"));
  CHECK(connection.row("SELECT version FROM schema_version", {}, "").value().int64("version") == 1);
  REQUIRE(sql::migrate(connection, "test", kSecond));
}

TEST_CASE("programs that start at the same time, on a file that is not there yet") {
  const Folder folder;
  std::array<pid_t, 6> children{};
  for (auto& child : children) {
    child = ::fork();
    if (child != 0) continue;
    const auto database = sql::Database::open(folder.url());
    if (!database) ::_exit(1);
    auto connection = (*database)->lease();
    ::_exit(connection && sql::migrate(*connection, "test", kSecond) ? 0 : 2);
  }
  for (const auto child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
  }
  const auto database = sql::Database::open(folder.url()).value();
  CHECK(database->lease().value().query("SELECT id FROM a").value().size() == 1);
}
