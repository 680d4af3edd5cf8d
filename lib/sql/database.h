// Connections to one database, statements, transactions.
//
// Errors of every call: unavailable (locked for longer than the time-out, or no connection to be
// had), no_space (disk full), conflict (a row with this key is there), settings (the file
// cannot be opened), unknown_outcome (the connection went away in COMMIT), internal (all else).
// Texts name the statement, never a bound value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

// One row of an answer. Asking for a column that is not there, or by another type than it
// has, is a bug of the statement's author and ends the process.
class Row {
 public:
  explicit Row(std::map<std::string, Value, std::less<>> columns) : columns_(std::move(columns)) {}
  std::int64_t int64(std::string_view column) const;
  const std::string& text(std::string_view column) const;
  bool flag(std::string_view column) const { return int64(column) != 0; }
  core::Time time(std::string_view column) const { return core::from_ms(int64(column)); }
  std::optional<std::int64_t> optional_int64(std::string_view column) const;
  std::optional<core::Time> optional_time(std::string_view column) const;

 private:
  const Value& at(std::string_view column) const;
  std::map<std::string, Value, std::less<>> columns_;
};

using Binds = std::vector<Bind>;
using Rows = std::vector<Row>;

// One connection, leased from its Database for the life of this object. Of one thread.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // One statement with its values for :1, :2 … in order. Rows changed.
  core::Result<std::int64_t> execute(std::string_view statement, const Binds& binds = {});
  // All rows of the answer. The caller bounds them by LIMIT.
  core::Result<Rows> query(std::string_view statement, const Binds& binds = {});
  // The first row, or not_found with that hint.
  core::Result<Row> row(std::string_view statement, const Binds& binds, std::string_view hint_if_none);

 private:
  friend class Database;
  friend class Transaction;
  struct Session;
  explicit Connection(std::shared_ptr<Session> session);
  std::shared_ptr<Session> session_;
};

// From BEGIN IMMEDIATE to commit(), or undone when it goes out of scope.
class Transaction {
 public:
  static core::Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  core::Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

struct Options {
  std::size_t connections = 4;                // at once; a further lease waits
  std::chrono::milliseconds busy_time_out{8000};
};

// A small pool. Thread-safe.
class Database {
 public:
  // "sqlite:///absolute/path": made if it is not there (0660 less the umask), WAL, synchronous=FULL, foreign keys.
  static core::Result<std::shared_ptr<Database>> open(const std::string& url, Options options = {});
  ~Database();
  core::Result<Connection> lease();

 private:
  friend class Connection;
  struct Pool;
  explicit Database(std::shared_ptr<Pool> pool);
  std::shared_ptr<Pool> pool_;
};

}  // namespace sql
