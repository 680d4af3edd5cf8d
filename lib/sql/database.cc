#include "sql/database.h"

#include <cmath>
#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <mutex>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/statvfs.h>
#include <thread>

#include "core/fd.h"
#include "sql/server_url.h"
#include "sql/statement.h"
#include "sql/trouble.h"
#include "sql/values.h"

namespace sql {

namespace {

// "Try again" would be the wrong advice.
core::Error unknown(core::Error error) {
  error.code = core::Code::unknown_outcome;
  error.hint.clear();
  return error;
}

}  // namespace

struct Connection::Session {
  soci::session session;
  std::shared_ptr<Database::Pool> pool;
  Engine engine = Engine::sqlite;
  bool broken = false;
  bool in_transaction = false;
  bool outcome_known = true;  // of the last statement

  core::Error note(const std::exception& thrown, std::string_view statement) {
    auto trouble = trouble_of(thrown, statement, engine);
    broken = broken || trouble.connection_broken;
    outcome_known = trouble.outcome_known;
    // Outside of a transaction each change is one.
    if (!outcome_known && !in_transaction && may_change_rows(statement)) trouble.error = unknown(std::move(trouble.error));
    return std::move(trouble.error);
  }
};

struct Database::Pool {
  std::string target;  // a path, or a server's options
  Engine engine = Engine::sqlite;
  Options options;
  std::mutex mutex;
  std::condition_variable returned;
  std::deque<std::shared_ptr<Connection::Session>> idle;
  std::size_t leased = 0;

  core::Result<void> open(Connection::Session& session) const {
    try {
      if (engine == Engine::sqlite) {
        session.session.open(soci::sqlite3, target);
      } else {
        session.session.open("postgresql", target);  // its back end is loaded now, and never linked
      }
      return {};
    } catch (const std::exception& thrown) {
      // Never what() here: the options hold a password.
      return engine == Engine::sqlite ? trouble_of(thrown, "open", engine).error : trouble_of_opening(thrown);
    }
  }
};

// --- statements ---

namespace {

// Values as SOCI wants them: alive and at one place until the statement is over.
struct Bound {
  std::deque<long long> numbers;
  std::deque<std::string> texts;
  std::deque<soci::indicator> indicators;

  core::Result<void> attach(soci::statement& statement, const Binds& binds, const StatementText& text) {
    for (const auto which : text.binds) {
      const auto& value = binds[which].value();
      auto& indicator = indicators.emplace_back(soci::i_ok);
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        statement.exchange(soci::use(numbers.emplace_back(*number), indicator));
      } else if (const auto* string = std::get_if<std::string>(&value)) {
        if (string->find('\0') != std::string::npos) return core::Error{core::Code::bad_request, "SQL: a text with NUL in it"};
        statement.exchange(soci::use(texts.emplace_back(*string), indicator));
      } else {
        indicator = soci::i_null;
        statement.exchange(soci::use(numbers.emplace_back(0), indicator));
      }
    }
    return {};
  }
};

core::Error wrong_column(std::string_view statement, std::string_view column) {
  return {core::Code::internal, "SQL " + shortened(statement) + ": column " + std::string(column) + " holds what its type does not allow"};
}

// SQLite keeps any value in any column, and SOCI would make 0 of a text in a BIGINT, or cut a large INTEGER to 32
// bits. So all columns are read as text, and become numbers here, whole or not at all.
class SqliteColumns {
 public:
  explicit SqliteColumns(soci::statement& statement) {
    const int count = statement.get_backend()->prepare_for_describe();
    for (int i = 1; i <= count; ++i) {
      auto& column = columns_.emplace_back();
      soci::data_type type = soci::dt_string;
      statement.get_backend()->describe_column(i, type, column.name);
      column.is_number = type == soci::dt_long_long || type == soci::dt_integer;
      statement.exchange(soci::into(column.text, column.indicator));
    }
  }

  core::Result<Row> row(std::string_view statement) const {
    std::map<std::string, Value, std::less<>> values;
    for (const auto& column : columns_) {
      if (column.indicator == soci::i_null) {
        values.emplace(column.name, nullptr);
      } else if (!column.is_number) {
        values.emplace(column.name, column.text);
      } else if (const auto number = whole_number(column.text)) {
        values.emplace(column.name, *number);
      } else {
        return wrong_column(statement, column.name);
      }
    }
    return Row(std::move(values));
  }

 private:
  struct Column {
    std::string name;
    bool is_number = false;
    std::string text;
    soci::indicator indicator = soci::i_ok;
  };
  std::deque<Column> columns_;  // a deque: SOCI keeps their addresses
};

constexpr double kLargestExact = 9007199254740992.0;  // 2^53

// PostgreSQL holds to its types, and can describe an answer only by executing.
class ServerColumns {
 public:
  explicit ServerColumns(soci::statement& statement) { statement.exchange(soci::into(found_)); }

  core::Result<Row> row(std::string_view statement) const {
    std::map<std::string, Value, std::less<>> values;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const auto name = found_.get_properties(i).get_name();
      if (found_.get_indicator(i) == soci::i_null) {
        values.emplace(name, nullptr);
        continue;
      }
      switch (found_.get_properties(i).get_data_type()) {
        case soci::dt_integer: values.emplace(name, std::int64_t{found_.get<int>(i)}); break;
        case soci::dt_long_long: values.emplace(name, std::int64_t{found_.get<long long>(i)}); break;
        case soci::dt_double: {  // NUMERIC: SUM() of BIGINT
          const double number = found_.get<double>(i);
          if (std::trunc(number) != number || std::fabs(number) > kLargestExact) return wrong_column(statement, name);
          values.emplace(name, static_cast<std::int64_t>(number));
          break;
        }
        case soci::dt_string: values.emplace(name, found_.get<std::string>(i)); break;
        default: return wrong_column(statement, name);
      }
    }
    return Row(std::move(values));
  }

 private:
  soci::row found_;
};

template <typename Columns>
core::Result<Rows> read_rows(soci::session& session, std::string_view statement, const StatementText& text, const Binds& binds) {
  soci::statement prepared(session);
  Bound bound;
  CORE_CHECK(bound.attach(prepared, binds, text));
  prepared.alloc();
  prepared.prepare(text.text);
  Columns columns(prepared);
  prepared.define_and_bind();
  Rows rows;
  for (bool more = prepared.execute(true); more; more = prepared.fetch()) {
    CORE_TRY(row, columns.row(statement));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Connection::Connection(std::shared_ptr<Session> session) : session_(std::move(session)) {}
Connection::Connection(Connection&&) noexcept = default;

Connection::~Connection() {
  if (!session_) return;
  const auto pool = std::move(session_->pool);  // or pool and session would keep each other
  std::deque<std::shared_ptr<Session>> closed;  // closed after the mutex is free
  const std::lock_guard lock(pool->mutex);
  --pool->leased;
  if (session_->broken) {
    closed.swap(pool->idle);  // what broke one has probably broken all
  } else {
    pool->idle.push_back(std::move(session_));
  }
  pool->returned.notify_one();
}

core::Result<std::int64_t> Connection::execute(std::string_view statement, const Binds& binds) {
  session_->outcome_known = true;
  try {
    CORE_TRY(text, read_statement(statement, binds.size()));
    soci::statement prepared(session_->session);
    Bound bound;
    CORE_CHECK(bound.attach(prepared, binds, text));
    prepared.alloc();
    prepared.prepare(text.text);
    prepared.define_and_bind();
    prepared.execute(true);
    // After other statements SQLite still tells the number of the last INSERT.
    return text.changes_rows ? std::int64_t{prepared.get_affected_rows()} : 0;
  } catch (const std::exception& thrown) {
    return session_->note(thrown, statement);
  }
}

core::Result<Rows> Connection::query(std::string_view statement, const Binds& binds) {
  session_->outcome_known = true;
  try {
    CORE_TRY(text, read_statement(statement, binds.size()));
    return session_->engine == Engine::sqlite ? read_rows<SqliteColumns>(session_->session, statement, text, binds)
                                              : read_rows<ServerColumns>(session_->session, statement, text, binds);
  } catch (const std::exception& thrown) {
    return session_->note(thrown, statement);
  }
}

std::string_view Connection::skip_locked() const { return session_->engine == Engine::postgresql ? " FOR UPDATE SKIP LOCKED" : ""; }

core::Result<Row> Connection::row(std::string_view statement, const Binds& binds, std::string_view hint_if_none) {
  CORE_TRY(rows, query(statement, binds));
  if (rows.empty()) return core::Error{core::Code::not_found, "SQL " + shortened(statement) + ": no row", std::string(hint_if_none)};
  return std::move(rows.front());
}

// --- transactions ---

core::Result<Transaction> Transaction::begin(Connection& connection) {
  // SQLite's plain BEGIN takes the write lock later, where waiting cannot help any more.
  if (connection.session_->engine == Engine::sqlite) {
    CORE_CHECK(connection.execute("BEGIN IMMEDIATE"));
    connection.session_->in_transaction = true;
    return Transaction(connection);
  }
  CORE_CHECK(connection.execute("BEGIN"));
  Transaction transaction(connection);
  connection.session_->in_transaction = true;
  CORE_CHECK(connection.query("SELECT CAST(pg_advisory_xact_lock(7106432) AS TEXT) AS locked"));  // any number that is always the same
  return transaction;
}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  connection_->session_->in_transaction = false;
  if (!connection_->execute("ROLLBACK")) connection_->session_->broken = true;
}

core::Result<void> Transaction::commit() {
  auto* connection = std::exchange(connection_, nullptr);
  auto done = connection->execute("COMMIT");
  connection->session_->in_transaction = false;
  if (done) return {};
  const bool known = connection->session_->outcome_known;
  if (!known || !connection->execute("ROLLBACK")) connection->session_->broken = true;
  return known ? std::move(done).error() : unknown(std::move(done).error());
}

// --- the pool ---

namespace {

constexpr std::string_view kFile = "sqlite://";
constexpr std::string_view kServer = "postgresql://";

core::Result<void> set_up_sqlite(Connection& connection, std::chrono::milliseconds busy_time_out) {
  CORE_CHECK(connection.query("PRAGMA busy_timeout=" + std::to_string(busy_time_out.count())));
  // Two programs that open a new file at once: one is told "busy" here without being made to wait.
  const auto deadline = std::chrono::steady_clock::now() + busy_time_out;
  for (;;) {
    const auto set = connection.query("PRAGMA journal_mode=WAL");
    if (set) break;
    if (set.error().code != core::Code::unavailable || std::chrono::steady_clock::now() > deadline) return set.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CORE_CHECK(connection.query("PRAGMA synchronous=FULL"));
  CORE_CHECK(connection.query("PRAGMA foreign_keys=ON"));
  // Each connection keeps its own, 2 MB if nothing is said: eight of a daemon's grow to 16 MB with the book.
  CORE_CHECK(connection.query("PRAGMA cache_size=-512"));
  CORE_TRY(journal, connection.row("PRAGMA journal_mode", {}, ""));
  CORE_TRY(level, connection.row("PRAGMA synchronous", {}, ""));
  CORE_TRY(keys, connection.row("PRAGMA foreign_keys", {}, ""));
  if (journal.text("journal_mode") != "wal" || level.int64("synchronous") != 2 || keys.int64("foreign_keys") != 1)
    return core::Error{core::Code::settings, "SQLite does not take WAL, synchronous=FULL and foreign keys", "The database cannot be kept safely in this folder: use a local disk."};
  return {};
}

// What a server is told once. A program that stands still in a transaction (a stopped process, a machine that is gone)
// loses it before the others, who wait for their turn, give up.
core::Result<void> set_up_server(Connection& connection, std::chrono::milliseconds busy_time_out) {
  const auto idle = std::max<std::chrono::milliseconds>(busy_time_out / 2, std::chrono::seconds(1));
  CORE_CHECK(connection.query("SELECT set_config('lock_timeout', :1, false), set_config('idle_in_transaction_session_timeout', :2, false), set_config('synchronous_commit', 'on', false), "
                              "set_config('default_transaction_isolation', 'read committed', false), set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false), "
                              "set_config('tcp_keepalives_count', '3', false), set_config('client_min_messages', 'warning', false)",  // or the client's library writes notices to standard error
                              {std::to_string(busy_time_out.count()), std::to_string(idle.count())}));
  return {};
}

// SQLite itself would make it 0644. Its WAL files get the mode of this one. Only a file that is not there is opened:
// closing any descriptor of an open database drops the locks of the whole process.
core::Result<void> make_file(const std::string& path, mode_t mode) {
  const auto made = core::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  if (made || made.error().error_number == EEXIST) return {};
  if (core::is_temporary(made.error().error_number)) return made.error();
  return core::Error{core::Code::settings, made.error().text, "The database cannot be made: check that its folder exists and that this program may write there."};
}

// SQLite has no words for why it cannot make its index: "disk I/O error" on a full disk, "unable to open" on a read-only one.
core::Error opening_failed(core::Error error, const std::string& path) {
  constexpr std::uint64_t kIndexBytes = std::uint64_t{64} << 10;  // the index, and the first pages of the log
  struct statvfs about{};
  if (::statvfs(path.c_str(), &about) != 0) return error;
  if ((about.f_flag & ST_RDONLY) != 0) return core::errno_error("open", path, EROFS);
  if (error.code != core::Code::internal || about.f_bavail * about.f_frsize >= kIndexBytes) return error;
  return {core::Code::no_space, std::move(error.text), "The disk of the fax line is full. Nothing of it works before there is room again; then it goes on by itself."};
}

}  // namespace

Database::Database(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
Database::~Database() = default;

core::Result<std::shared_ptr<Database>> Database::open(const std::string& url, Options options) {
  auto pool = std::make_shared<Pool>();
  pool->options = options;
  if (url.compare(0, kServer.size(), kServer) == 0) {
    pool->engine = Engine::postgresql;
    CORE_TRY(target, server_options(url));
    pool->target = std::move(target);
  } else {
    if (url.compare(0, kFile.size(), kFile) == 0) pool->target = url.substr(kFile.size());
    // An equals sign would make SOCI read options.
    if (pool->target.empty() || pool->target[0] != '/' || pool->target.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
      return core::Error{core::Code::settings, "not a database URL", "The database URL must be sqlite:// and an absolute path without an equals sign, or begin with postgresql://."};
    CORE_CHECK(make_file(pool->target, options.mode));
  }
  std::shared_ptr<Database> database(new Database(std::move(pool)));
  CORE_TRY(first, database->lease());
  return database;
}

core::Result<Connection> Database::lease() {
  std::shared_ptr<Connection::Session> session;
  {
    std::unique_lock lock(pool_->mutex);
    if (!pool_->returned.wait_for(lock, pool_->options.busy_time_out, [&] { return pool_->leased < pool_->options.connections; }))
      return core::Error{core::Code::unavailable, "no database connection came free", "The line is busy. Try again in a moment."};
    ++pool_->leased;
    if (!pool_->idle.empty()) {
      session = std::move(pool_->idle.back());
      pool_->idle.pop_back();
    }
  }
  // A server that was restarted has closed what was idle: it is found here, where nothing is lost by opening it anew.
  if (session && pool_->engine == Engine::postgresql && !session->session.is_connected()) session.reset();
  const bool fresh = session == nullptr;
  if (fresh) session = std::make_shared<Connection::Session>();
  session->pool = pool_;
  session->engine = pool_->engine;
  Connection connection(session);
  if (!fresh) return connection;
  session->broken = true;  // until it is open
  CORE_CHECK(pool_->open(*session));
  const bool is_file = pool_->engine == Engine::sqlite;
  auto ready = is_file ? set_up_sqlite(connection, pool_->options.busy_time_out) : set_up_server(connection, pool_->options.busy_time_out);
  if (!ready) return is_file ? opening_failed(std::move(ready).error(), pool_->target) : std::move(ready).error();
  session->broken = false;
  return connection;
}

}  // namespace sql
