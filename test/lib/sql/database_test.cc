#include "sql/database.h"

#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
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

TEST_CASE("kill -9 in the middle of a transaction: the old state stands") {
  const Folder folder;
  REQUIRE(sql::Database::open(folder.url()).value()->lease().value().execute("CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto database = sql::Database::open(folder.url()).value();
    auto connection = database->lease().value();
    auto transaction = sql::Transaction::begin(connection).value();
    for (int i = 0; i < 2000; ++i) (void)connection.execute("INSERT INTO t (id) VALUES (:1)", {i});
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WTERMSIG(status) == SIGKILL);
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  CHECK(connection.query("SELECT id FROM t").value().empty());
  CHECK(connection.execute("INSERT INTO t (id) VALUES (1)"));
}

TEST_CASE("never a lossy conversion") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (small " + std::string(databases::on_server() ? "BIGINT" : "INTEGER") + ", n BIGINT, s TEXT)"));
  REQUIRE(connection.execute("INSERT INTO t (small, n, s) VALUES (:1, :1, :2)", {std::int64_t{3'000'000'000}, "12"}));
  const auto row = connection.row("SELECT *, n + 1 AS sum FROM t", {}, "").value();
  CHECK(row.int64("small") == 3'000'000'000);  // not cut to 32 bits
  CHECK(row.int64("sum") == 3'000'000'001);
  CHECK(row.text("s") == "12");
  CHECK(row.optional_text("s") == "12");
  for (const auto limit : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    REQUIRE(connection.execute("UPDATE t SET n = :1", {limit}));
    CHECK(connection.row("SELECT n FROM t", {}, "").value().int64("n") == limit);
  }
  if (databases::on_server()) return;
  for (const auto* wrong : {"'twelve'", "1.5", "'1x'", "1e300"}) {  // SQLite keeps them in a BIGINT column
    REQUIRE(connection.execute(std::string("UPDATE t SET n = ") + wrong));
    CHECK(connection.query("SELECT n FROM t").error().code == core::Code::internal);
    CHECK(connection.query("SELECT s FROM t"));
  }
}

TEST_CASE("misreading a row is logged and ends the process") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (n BIGINT, s TEXT, empty_ms BIGINT)"));
  REQUIRE(connection.execute("INSERT INTO t (n, s, empty_ms) VALUES (1, 'a', NULL)"));
  const auto row = connection.row("SELECT * FROM t", {}, "").value();
  CHECK_FALSE(row.optional_int64("empty_ms"));
  CHECK_FALSE(row.optional_text("empty_ms"));
  CHECK_FALSE(row.optional_time("empty_ms"));
  const auto dies = [](const auto& read) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGABRT, SIG_DFL);
      ::close(2);
      read();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  };
  CHECK(dies([&] { (void)row.int64("empty_ms"); }));
  CHECK(dies([&] { (void)row.text("empty_ms"); }));
  CHECK(dies([&] { (void)row.int64("s"); }));
  CHECK(dies([&] { (void)row.text("n"); }));
  CHECK(dies([&] { (void)row.int64("not there"); }));
}

TEST_CASE("statements: one a call, values by number, rows counted") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT, b TEXT)"));
  CHECK(connection.execute("INSERT INTO t (id, a, b) VALUES (:2, :1, :1)", {"x", 7}).value() == 1);
  CHECK(connection.execute("CREATE TABLE u (id BIGINT)").value() == 0);
  CHECK(connection.query("SELECT id FROM t WHERE a = :1 AND b = :1 AND id = :2", {"x", 7}).value().size() == 1);
  CHECK(connection.execute("UPDATE t SET a = :1 WHERE id = 8", {nullptr}).value() == 0);
  CHECK(connection.execute("DELETE FROM t WHERE id = 7; DROP TABLE t").error().code == core::Code::internal);
  CHECK(connection.query("SELECT id FROM t; DELETE FROM t").error().code == core::Code::internal);
  CHECK(connection.query("SELECT id FROM t").value().size() == 1);
  CHECK(connection.execute("DELETE FROM t WHERE id = :1").error().code == core::Code::internal);  // SQLite would bind NULL
  CHECK(connection.execute("").error().code == core::Code::internal);
  CHECK(connection.query("INSERT INTO t (id) VALUES (9) RETURNING id").value().at(0).int64("id") == 9);
}

TEST_CASE("constraints: only a duplicate is a conflict; foreign keys are on") {
  const Folder folder;
  const auto database = sql::Database::open(folder.url()).value();
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, s TEXT NOT NULL)"));
  REQUIRE(connection.execute("CREATE TABLE u (t BIGINT REFERENCES t (id))"));
  REQUIRE(connection.execute("INSERT INTO t (id, s) VALUES (1, 'a')"));
  CHECK(connection.execute("INSERT INTO t (id, s) VALUES (1, 'b')").error().code == core::Code::conflict);
  CHECK(connection.execute("INSERT INTO t (id, s) VALUES (2, NULL)").error().code == core::Code::internal);
  CHECK(connection.execute("INSERT INTO u (t) VALUES (3)").error().code == core::Code::internal);
}

TEST_CASE("locked for longer than the time-out: unavailable; full: no_space; the connection serves on" * doctest::skip(databases::on_server())) {
  const Folder folder;
  const auto database = sql::Database::open(folder.url(), {2, std::chrono::milliseconds(50)}).value();
  auto one = database->lease().value();
  auto two = database->lease().value();
  CHECK(database->lease().error().code == core::Code::unavailable);  // all are leased
  REQUIRE(one.execute("CREATE TABLE t (s TEXT)"));
  {
    const auto transaction = sql::Transaction::begin(one).value();
    CHECK(sql::Transaction::begin(two).error().code == core::Code::unavailable);
    CHECK(two.execute("INSERT INTO t (s) VALUES ('a')").error().code == core::Code::unavailable);
    CHECK(two.query("SELECT s FROM t"));  // readers do not wait
  }
  REQUIRE(two.execute("INSERT INTO t (s) VALUES ('a')"));
  REQUIRE(one.query("PRAGMA max_page_count=4"));
  CHECK(one.execute("INSERT INTO t (s) VALUES (:1)", {std::string(100'000, 'x')}).error().code == core::Code::no_space);
  CHECK(one.query("SELECT s FROM t").value().size() == 1);
}

TEST_CASE("a COMMIT that the disk breaks: outcome unknown, and the connection is dropped" * doctest::skip(databases::on_server())) {
  const Folder folder;
  REQUIRE(sql::Database::open(folder.url()).value()->lease().value().execute("CREATE TABLE t (s TEXT)"));
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const auto database = sql::Database::open(folder.url(), {1}).value();
    int result = 9;
    {
      auto connection = database->lease().value();
      auto transaction = sql::Transaction::begin(connection).value();
      if (!connection.execute("INSERT INTO t (s) VALUES (:1)", {std::string(200'000, 'x')})) ::_exit(8);
      const rlimit small{0, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &small);  // no byte more can be written, by EFBIG
      const auto done = transaction.commit();
      result = !done && done.error().code == core::Code::unknown_outcome ? 0 : 7;
    }
    const rlimit large{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &large);
    auto again = database->lease();  // a new one
    if (!again || !again->execute("INSERT INTO t (s) VALUES ('b')")) result = 6;
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("the file of one owner is nobody else's, its WAL neither" * doctest::skip(databases::on_server())) {
  const Folder folder;
  const auto before = ::umask(0007);
  const auto path = folder.path + "/people.db";
  const auto database = sql::Database::open("sqlite://" + path, {.mode = 0600}).value();
  ::umask(before);
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT)"));
  for (const auto* tail : {"", "-wal", "-shm"}) {
    struct stat status{};
    REQUIRE(::stat((path + tail).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("the file: made 0660 less the umask, WAL too; an odd path; a folder that is not there" * doctest::skip(databases::on_server())) {
  const Folder folder;
  const auto before = ::umask(0007);
  const auto path = folder.path + "/it's \"odd\".db";
  const auto database = sql::Database::open("sqlite://" + path).value();
  ::umask(before);
  auto connection = database->lease().value();
  REQUIRE(connection.execute("CREATE TABLE t (id BIGINT)"));
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0660);
  REQUIRE(::stat((path + "-wal").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0660);
  CHECK(connection.row("PRAGMA journal_mode", {}, "").value().text("journal_mode") == "wal");
  CHECK(connection.row("PRAGMA synchronous", {}, "").value().int64("synchronous") == 2);
  CHECK(connection.row("PRAGMA busy_timeout", {}, "").value().int64("timeout") == 8000);
  for (const auto* url : {"sqlite:///nowhere/at/all/a.db", "sqlite://relative.db", "sqlite://", "", "sqlite:///tmp/a=b.db", "mysql://x"}) {
    const auto opened = sql::Database::open(url);
    CAPTURE(url);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == core::Code::settings);
    CHECK_FALSE(opened.error().hint.empty());
  }
}

TEST_CASE("a connection's cache is small, however large the file" * doctest::skip(databases::on_server())) {
  const Folder folder;
  auto connection = sql::Database::open(folder.url()).value()->lease().value();
  CHECK(connection.row("PRAGMA cache_size", {}, "")->int64("cache_size") == -512);  // kilobytes
}

TEST_CASE("a server that is not there: no password in the words") {
  const auto opened = sql::Database::open("postgresql://faxline:topsecret@127.0.0.1:1/faxline");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find("topsecret") == std::string::npos);
  CHECK(opened.error().hint.find("topsecret") == std::string::npos);
}

TEST_CASE("a damaged file is named as such" * doctest::skip(databases::on_server())) {
  const Folder folder;
  {
    const std::string junk(8192, 'j');
    std::FILE* file = std::fopen((folder.path + "/a.db").c_str(), "w");
    std::fwrite(junk.data(), 1, junk.size(), file);
    std::fclose(file);
  }
  const auto opened = sql::Database::open(folder.url());
  REQUIRE_FALSE(opened);
  CHECK(opened.error().hint.find("damaged") != std::string::npos);
}
