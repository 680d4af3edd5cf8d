#include "sql/trouble.h"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <string>
#include <typeinfo>

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

// SOCI's back end for PostgreSQL is loaded at run time, so that the type of what it throws is known by name alone,
// and the function that tells the SQLSTATE is looked up in the library. Empty: it is not told.
std::string sqlstate_of(const soci::soci_error& thrown) {
  using Read = std::string (*)(const soci::soci_error*);
  static const auto read = [] {
    void* library = ::dlopen("libsoci_postgresql.so.4.0", RTLD_LAZY | RTLD_NOLOAD);
    return library == nullptr ? nullptr : reinterpret_cast<Read>(::dlsym(library, "_ZNK4soci21postgresql_soci_error8sqlstateB5cxx11Ev"));
  }();
  if (read == nullptr || std::string_view(typeid(thrown).name()) != "N4soci21postgresql_soci_errorE") return {};
  const auto state = read(&thrown);
  return std::all_of(state.begin(), state.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }) ? state : std::string();
}

Trouble connection_lost(const std::string& text) { return {{core::Code::unavailable, text + ": connection lost", std::string(kBusyHint)}, true, false}; }

// By PostgreSQL's code (https://www.postgresql.org/docs/15/errcodes-appendix.html).
Trouble server_trouble(const soci::soci_error& thrown, const std::string& where) {
  const auto state = sqlstate_of(thrown);
  const auto text = where + ": SQLSTATE " + (state.empty() ? "not told" : state);
  const auto is = [&](std::string_view code) { return state.substr(0, code.size()) == code && !state.empty(); };
  if (is("55P03") || is("40001") || is("40P01") || is("57014")) return {{core::Code::unavailable, text, std::string(kBusyHint)}};
  if (is("53100")) return {{core::Code::no_space, text, "The disk of the database server is full. Tell its administrator."}};
  // 25P03, 57P05: the server ended a session that was idle for too long. 25006: it has become a copy that is only read.
  if (is("08") || is("57P") || is("25P03") || is("25006")) return connection_lost(text);
  if (is("53")) return {{core::Code::unavailable, text + ": the server has no resources", std::string(kBusyHint)}};
  if (is("23505")) return {{core::Code::conflict, text}};
  if (is("22021")) return {{core::Code::bad_request, text + ": a text that is not UTF-8"}};
  if (is("28") || is("42501") || is("3D")) return {{core::Code::settings, text, "The database refuses this program: check its role, password and database."}};
  if (is("40003") || is("58")) return {{core::Code::internal, text}, true, false};
  // The client's library has no code for a connection that broke; SOCI looks at its state.
  if (thrown.get_error_category() == soci::soci_error::connection_error) return connection_lost(text);
  return {{core::Code::internal, text}};
}

}  // namespace

Trouble trouble_of(const std::exception& thrown, std::string_view statement, Engine engine) {
  const auto where = "SQL " + shortened(statement);
  const auto* known = dynamic_cast<const soci::soci_error*>(&thrown);
  if (known == nullptr) return {{core::Code::internal, where + ": out of memory or worse"}, true, false};
  return engine == Engine::sqlite ? sqlite_trouble(*known, where) : server_trouble(*known, where);
}

core::Error trouble_of_opening(const std::exception& thrown) {
  const auto* known = dynamic_cast<const soci::soci_error*>(&thrown);
  const auto message = known == nullptr ? std::string() : known->get_error_message();
  // There is no code here, but words alone; where they are not English, a wrong password is tried again for nothing.
  constexpr std::array<std::string_view, 5> kRefusals{"authentication failed", "does not exist", "permission denied", "pg_hba.conf", "no password supplied"};
  const bool refused = std::any_of(kRefusals.begin(), kRefusals.end(), [&](std::string_view words) { return contains(message, words); });
  // SOCI's words, before those of the client's library; of a back end that is missing it has others.
  if (contains(message, "Cannot establish connection") && !refused) return {core::Code::unavailable, "the database server does not answer", std::string(kBusyHint)};
  return {core::Code::settings, "the database server cannot be used",
          "The database server cannot be used: check its URL, with role, password and database, and that the package libsoci-postgresql4.0 is installed."};
}

}  // namespace sql
