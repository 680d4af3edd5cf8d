// Connections to one database, statements, transactions.
//
// Errors of every call: unavailable (locked for longer than the time-out, or no connection to be
// had: nothing was changed), no_space (disk full: nothing was changed), conflict (a row with
// this key is there), settings (the file cannot be opened or written), bad_request (a bound text
// with a NUL or, on PostgreSQL, that is not UTF-8), internal (all else). commit() and, outside of a
// transaction, a statement that changes rows give unknown_outcome too.
// Texts name the statement, never a bound value.
//
// Columns are declared BIGINT or TEXT: 64-bit integers and UTF-8 are all there is.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sql {

// NULL, a 64-bit integer, or UTF-8 text without NUL.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

// What is bound: converts from what callers have.
class Bind {
 public:
  Bind(std::int64_t number) : value_(number) {}             // NOLINT(google-explicit-constructor)
  Bind(std::nullptr_t) : value_(nullptr) {}                 // NOLINT(google-explicit-constructor)
  Bind(int number) : value_(std::int64_t{number}) {}        // NOLINT(google-explicit-constructor)
  Bind(bool flag) : value_(std::int64_t{flag}) {}           // NOLINT(google-explicit-constructor)
  Bind(core::Time time) : value_(core::to_ms(time)) {}      // NOLINT(google-explicit-constructor)
  Bind(std::string text) : value_(std::move(text)) {}       // NOLINT(google-explicit-constructor)
  Bind(std::string_view text) : value_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  Bind(const char* text) : value_(std::string(text)) {}     // NOLINT(google-explicit-constructor)
  template <typename T>
  Bind(const std::optional<T>& maybe) : value_(nullptr) {  // NOLINT(google-explicit-constructor)
    if (maybe.has_value()) value_ = Bind(maybe.value()).value_;
  }
  const Value& value() const { return value_; }

 private:
  Value value_;
};

// One row of an answer. What a column holds is compared with its declared type before a row is
// made (else internal, no row). Asking for a column that is not there, by another type than it
// has, or plainly where it is NULL, is a bug of the statement's author: logged, and the process ends.
// int64() of a column without a declared type (COUNT, MAX) reads the whole decimal number.
class Row {
 public:
  explicit Row(std::map<std::string, Value, std::less<>> columns) : columns_(std::move(columns)) {}
  std::int64_t int64(std::string_view column) const;
  const std::string& text(std::string_view column) const;
  bool flag(std::string_view column) const { return int64(column) != 0; }
  core::Time time(std::string_view column) const { return core::from_ms(int64(column)); }
  std::optional<std::int64_t> optional_int64(std::string_view column) const;
  std::optional<std::string> optional_text(std::string_view column) const;
  std::optional<core::Time> optional_time(std::string_view column) const;

 private:
  const Value& at(std::string_view column) const;
  std::map<std::string, Value, std::less<>> columns_;
};

using Binds = std::vector<Bind>;
using Rows = std::vector<Row>;

// One connection, leased from its Database for the life of this object; one that broke is closed
// then, any other goes back. Of one thread.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // One statement; `:2` stands for the second of `binds`, and may stand twice. Gives the number of
  // rows that an INSERT, UPDATE or DELETE changed, 0 for others. internal: a second statement
  // behind `;` (so no triggers), a placeholder without value, a value without placeholder.
  core::Result<std::int64_t> execute(std::string_view statement, const Binds& binds = {});
  // All rows of the answer. The caller bounds them by LIMIT.
  core::Result<Rows> query(std::string_view statement, const Binds& binds = {});
  // What the SELECT inside of an UPDATE ends with, so that it takes a row that nobody else has locked,
  // and waits for none: nothing on SQLite, where one statement writes at a time.
  std::string_view skip_locked() const;
  // The first row, or not_found with that hint.
  core::Result<Row> row(std::string_view statement, const Binds& binds, std::string_view hint_if_none);

 private:
  friend class Database;
  friend class Transaction;
  struct Session;
  explicit Connection(std::shared_ptr<Session> session);
  std::shared_ptr<Session> session_;
};

// From BEGIN IMMEDIATE to commit(), or undone when it goes out of scope, which must be before its
// connection does. One at a time in the whole database, PostgreSQL's too: what a transaction has
// read, no other one changes before it writes. There a single statement outside of a transaction
// waits for the rows that it changes alone, so a transaction may meet its change: what must not be
// overwritten is said again in WHERE. On PostgreSQL one that stands still for half the time-out is undone.
class Transaction {
 public:
  // Waits for other writers up to the time-out, then unavailable.
  static core::Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // Durable when it returns. unknown_outcome: the connection or the disk broke in it, so that it has
  // happened or not; after every other error it has not.
  core::Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

struct Options {
  std::size_t connections = 4;  // at once; a further lease waits
  std::chrono::milliseconds busy_time_out{8000};
  mode_t mode = 0660;  // of a file of SQLite that is made, less the umask
};

// A small pool. Thread-safe. Not to be used on both sides of a fork(2).
class Database {
 public:
  // "sqlite:///absolute/path": made if it is not there, WAL, synchronous=FULL, foreign keys, all
  // read back. "postgresql://…": SOCI's back end for it is loaded then, and must be installed. The first
  // connection is opened at once. settings: malformed, no such folder, no permission, no back end; no_space, unavailable:
  // the disk is full, read-only.
  static core::Result<std::shared_ptr<Database>> open(const std::string& url, Options options = {});
  ~Database();
  // Waits up to the time-out while all are leased, then unavailable. Opened when first needed, and anew
  // when a server that was restarted has closed it.
  core::Result<Connection> lease();

 private:
  friend class Connection;
  struct Pool;
  explicit Database(std::shared_ptr<Pool> pool);
  std::shared_ptr<Pool> pool_;
};

}  // namespace sql
