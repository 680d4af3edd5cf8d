#include "sql/trouble.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <string>

#include "sql/statement.h"

namespace sql {

namespace {

// SQLite's primary result codes (https://sqlite.org/rescode.html).
constexpr int kUnknown = 1;
constexpr int kBusy = 5;
constexpr int kLocked = 6;
constexpr int kNoMemory = 7;
constexpr int kReadOnly = 8;
constexpr int kInputOutput = 10;
constexpr int kCorrupt = 11;
constexpr int kFull = 13;
constexpr int kCannotOpen = 14;
constexpr int kConstraint = 19;
constexpr int kMisuse = 21;
constexpr int kNotADatabase = 26;

constexpr std::string_view kBusyHint = "The line is busy. Try again in a moment.";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

int code_of(const soci::soci_error& thrown, std::string_view message) {
  const auto* known = dynamic_cast<const soci::sqlite3_soci_error*>(&thrown);
  const int code = known == nullptr ? kUnknown : known->result() & 0xff;
  if (code > kUnknown) return code;
  if (contains(message, "is locked")) return kBusy;
  if (contains(message, "constraint failed")) return kConstraint;
  if (contains(message, "disk is full")) return kFull;
  if (contains(message, "unable to open")) return kCannotOpen;
  if (contains(message, "readonly database")) return kReadOnly;
  if (contains(message, "disk I/O error")) return kInputOutput;
  if (contains(message, "malformed")) return kCorrupt;
  if (contains(message, "not a database")) return kNotADatabase;
  return kUnknown;
}

Trouble sqlite_trouble(const soci::soci_error& thrown, const std::string& where) {
  const auto message = thrown.get_error_message();
  const int code = code_of(thrown, message);
  const auto text = where + ": result " + std::to_string(code) + ", " + message;
  switch (code) {
    case kBusy:
    case kLocked:
    case kNoMemory: return {{core::Code::unavailable, text, std::string(kBusyHint)}};
    case kFull: return {{core::Code::no_space, text, "The disk of this line is full. Tell its administrator."}};
    case kConstraint: return {{contains(message, "UNIQUE") ? core::Code::conflict : core::Code::internal, text}};
    case kCannotOpen:
    case kReadOnly:
      return {{core::Code::settings, text, "The database cannot be opened for writing: check its folder, its owner and its permissions."}, true};
    case kCorrupt:
    case kNotADatabase: return {{core::Code::internal, text, "The database is damaged. Its administrator can restore a backup."}, true, false};
    case kInputOutput:
    case kMisuse: return {{core::Code::internal, text}, true, false};
    default: return {{core::Code::internal, text}};
  }
}

Trouble server_trouble(const soci::soci_error& thrown, const std::string& where) {
  // 55P03, for which SOCI has no category.
  if (contains(thrown.get_error_message(), "lock timeout")) return {{core::Code::unavailable, where + ": locked", std::string(kBusyHint)}};
  switch (thrown.get_error_category()) {
    case soci::soci_error::connection_error: return {{core::Code::unavailable, where + ": connection lost", std::string(kBusyHint)}, true, false};
    case soci::soci_error::unknown_transaction_state: return {{core::Code::internal, where + ": state of the transaction unknown"}, true, false};
    case soci::soci_error::constraint_violation:
      // Class 23; only 23505 is a duplicate, and SOCI gives the SQLSTATE to those alone who link its back end.
      return {{contains(thrown.get_error_message(), "unique constraint") ? core::Code::conflict : core::Code::internal, where + ": constraint"}};
    case soci::soci_error::system_error: return {{core::Code::unavailable, where + ": the server has no resources", std::string(kBusyHint)}};
    case soci::soci_error::no_privilege: return {{core::Code::settings, where + ": no privilege", "The database refuses this program: check its role and password."}};
    case soci::soci_error::invalid_statement: return {{core::Code::internal, where + ": invalid statement"}};
    default: return {{core::Code::internal, where + ": refused by the server"}};
  }
}

}  // namespace

Trouble trouble_of(const std::exception& thrown, std::string_view statement, Engine engine) {
  const auto where = "SQL " + shortened(statement);
  const auto* known = dynamic_cast<const soci::soci_error*>(&thrown);
  if (known == nullptr) return {{core::Code::internal, where + ": out of memory or worse"}, true, false};
  return engine == Engine::sqlite ? sqlite_trouble(*known, where) : server_trouble(*known, where);
}

}  // namespace sql
