#include "sql/database.h"

#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "core/log.h"

namespace sql {

namespace {

// SQLite's result codes (https://sqlite.org/rescode.html), the primary ones.
constexpr int kBusy = 5;
constexpr int kLocked = 6;
constexpr int kFull = 13;
constexpr int kCannotOpen = 14;
constexpr int kConstraint = 19;

std::string shortened(std::string_view statement) { return std::string(statement.substr(0, 120)); }

core::Error error_of(const soci::soci_error& trouble, std::string_view statement) {
  const auto* known = dynamic_cast<const soci::sqlite3_soci_error*>(&trouble);
  const int code = known == nullptr ? 0 : known->result() & 0xff;
  const std::string where = "SQL " + shortened(statement) + ": result " + std::to_string(code);
  switch (code) {
    case kBusy:
    case kLocked: return {core::Code::unavailable, where + " (locked)", "The line is busy. Try again in a moment."};
    case kFull: return {core::Code::no_space, where + " (disk full)", "The disk of this line is full. Tell its administrator."};
    case kCannotOpen: return {core::Code::settings, where + " (cannot open the file)"};
    case kConstraint: return {core::Code::conflict, where + " (constraint)"};
    default: return {core::Code::internal, where};
  }
}

}  // namespace

struct Connection::Session {
  soci::session session;
  std::shared_ptr<Database::Pool> pool;
  bool broken = false;
};

struct Database::Pool {
  std::string connect_string;
  Options options;
  std::mutex mutex;
  std::condition_variable returned;
  std::deque<std::shared_ptr<Connection::Session>> idle;
  std::size_t leased = 0;
};

// --- rows ---

const Value& Row::at(std::string_view column) const {
  const auto found = columns_.find(column);
  if (found == columns_.end()) std::abort();
  return found->second;
}
std::int64_t Row::int64(std::string_view column) const {
  const auto& value = at(column);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  // SOCI hands out columns without a declared type (COUNT, PRAGMA) as text.
  const auto* text = std::get_if<std::string>(&value);
  std::int64_t number = 0;
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), number).ptr != text->data() + text->size()) std::abort();
  return number;
}
const std::string& Row::text(std::string_view column) const {
  const auto* value = std::get_if<std::string>(&at(column));
  if (value == nullptr) std::abort();
  return *value;
}
std::optional<std::int64_t> Row::optional_int64(std::string_view column) const {
  if (std::holds_alternative<std::nullptr_t>(at(column))) return std::nullopt;
  return int64(column);
}
std::optional<core::Time> Row::optional_time(std::string_view column) const {
  const auto ms = optional_int64(column);
  return ms ? std::optional(core::from_ms(*ms)) : std::nullopt;
}

// --- statements ---

namespace {

// Values as SOCI wants them: alive and at one place until the statement is over.
struct Bound {
  std::deque<long long> numbers;
  std::deque<std::string> texts;
  std::deque<soci::indicator> indicators;

  core::Result<void> attach(soci::statement& statement, const Binds& binds) {
    for (const auto& bind : binds) {
      auto& indicator = indicators.emplace_back(soci::i_ok);
      if (const auto* number = std::get_if<std::int64_t>(&bind.value())) {
        statement.exchange(soci::use(numbers.emplace_back(*number), indicator));
      } else if (const auto* text = std::get_if<std::string>(&bind.value())) {
        if (text->find('\0') != std::string::npos) return core::Error{core::Code::bad_request, "SQL: a text with NUL in it"};
        statement.exchange(soci::use(texts.emplace_back(*text), indicator));
      } else {
        indicator = soci::i_null;
        statement.exchange(soci::use(numbers.emplace_back(0), indicator));
      }
    }
    return {};
  }
};

Value value_of(const soci::row& row, std::size_t i) {
  if (row.get_indicator(i) == soci::i_null) return nullptr;
  switch (row.get_properties(i).get_data_type()) {
    case soci::dt_integer: return std::int64_t{row.get<int>(i)};
    case soci::dt_long_long: return std::int64_t{row.get<long long>(i)};
    case soci::dt_unsigned_long_long: return static_cast<std::int64_t>(row.get<unsigned long long>(i));
    case soci::dt_string: return row.get<std::string>(i);
    default: std::abort();  // no column of ours is a date, a blob, or a floating number
  }
}

}  // namespace

Connection::Connection(std::shared_ptr<Session> session) : session_(std::move(session)) {}
Connection::Connection(Connection&&) noexcept = default;

Connection::~Connection() {
  if (!session_) return;
  const auto pool = session_->pool;
  const std::lock_guard lock(pool->mutex);
  --pool->leased;
  if (!session_->broken) {
    session_->pool.reset();  // or pool and session would keep each other
    pool->idle.push_back(std::move(session_));
  }
  pool->returned.notify_one();
}

core::Result<std::int64_t> Connection::execute(std::string_view statement, const Binds& binds) {
  try {
    soci::statement prepared(session_->session);
    Bound bound;
    CORE_CHECK(bound.attach(prepared, binds));
    prepared.alloc();
    prepared.prepare(std::string(statement));
    prepared.define_and_bind();
    prepared.execute(true);
    return static_cast<std::int64_t>(prepared.get_affected_rows());
  } catch (const soci::soci_error& trouble) {
    return error_of(trouble, statement);
  } catch (const std::exception&) {
    return core::Error{core::Code::internal, "SQL " + shortened(statement) + ": out of memory or worse"};
  }
}

core::Result<Rows> Connection::query(std::string_view statement, const Binds& binds) {
  try {
    soci::statement prepared(session_->session);
    soci::row found;
    Bound bound;
    CORE_CHECK(bound.attach(prepared, binds));
    prepared.exchange(soci::into(found));
    prepared.alloc();
    prepared.prepare(std::string(statement));
    prepared.define_and_bind();
    Rows rows;
    if (!prepared.execute(true)) return rows;
    do {
      std::map<std::string, Value, std::less<>> columns;
      for (std::size_t i = 0; i < found.size(); ++i) columns.emplace(found.get_properties(i).get_name(), value_of(found, i));
      rows.emplace_back(std::move(columns));
    } while (prepared.fetch());
    return rows;
  } catch (const soci::soci_error& trouble) {
    return error_of(trouble, statement);
  } catch (const std::exception&) {
    return core::Error{core::Code::internal, "SQL " + shortened(statement) + ": out of memory or worse"};
  }
}

core::Result<Row> Connection::row(std::string_view statement, const Binds& binds, std::string_view hint_if_none) {
  CORE_TRY(rows, query(statement, binds));
  if (rows.empty()) return core::Error{core::Code::not_found, "SQL " + shortened(statement) + ": no row", std::string(hint_if_none)};
  return std::move(rows.front());
}

// --- transactions ---

core::Result<Transaction> Transaction::begin(Connection& connection) {
  CORE_CHECK(connection.execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  // A connection that cannot even undo is of no use to anybody.
  if (!connection_->execute("ROLLBACK")) connection_->session_->broken = true;
}

core::Result<void> Transaction::commit() {
  auto* connection = std::exchange(connection_, nullptr);
  const auto done = connection->execute("COMMIT");
  if (done) return {};
  if (!connection->execute("ROLLBACK")) connection->session_->broken = true;
  return done.error();
}

// --- the pool ---

namespace {

constexpr std::string_view kScheme = "sqlite://";

core::Result<void> set_up(Connection& connection) {
  for (const auto* statement : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"}) CORE_CHECK(connection.query(statement));
  CORE_TRY(level, connection.query("PRAGMA synchronous"));
  if (level.empty() || level.front().int64("synchronous") != 2) return core::Error{core::Code::settings, "SQLite does not take synchronous=FULL"};
  return {};
}

}  // namespace

Database::Database(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
Database::~Database() = default;

core::Result<std::shared_ptr<Database>> Database::open(const std::string& url, Options options) {
  if (url.compare(0, kScheme.size(), kScheme) != 0)
    return core::Error{core::Code::settings, "this build opens sqlite:/// databases only", "The database URL must begin with sqlite:/// in this version."};
  auto pool = std::make_shared<Pool>();
  const auto path = url.substr(kScheme.size());
  if (path.find_first_of(" '\"") != std::string::npos) return core::Error{core::Code::settings, "database path with blanks or quotes", "The path of the database must not hold blanks or quotes: choose another STATE_DIR."};
  pool->connect_string = "dbname=" + path + " timeout=" + std::to_string((options.busy_time_out.count() + 999) / 1000);
  pool->options = options;
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
  const bool fresh = session == nullptr;
  if (fresh) session = std::make_shared<Connection::Session>();
  session->pool = pool_;
  Connection connection(session);
  if (!fresh) return connection;
  session->broken = true;  // until it is open
  try {
    session->session.open(soci::sqlite3, pool_->connect_string);
  } catch (const soci::soci_error&) {
    return core::Error{core::Code::settings, "database cannot be opened (" + pool_->connect_string + ")", "The database cannot be opened: check that its folder exists and that this program may write there."};
  }
  if (const auto done = set_up(connection); !done) return done.error();
  session->broken = false;
  return connection;
}

}  // namespace sql
