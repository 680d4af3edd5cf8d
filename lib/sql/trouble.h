// From what SOCI throws to our Error. Inside `sql` only.
#pragma once

#include <exception>
#include <string_view>

#include "core/result.h"

namespace sql {

enum class Engine { sqlite, postgresql };

struct Trouble {
  core::Error error;
  bool connection_broken = false;  // not to be used again
  bool outcome_known = true;       // false: had it been a COMMIT, it may have happened
};

// The code decides, PostgreSQL's too, and SQLite's message where SOCI 4.0 has lost the code. SOCI's what() holds the bound values, and
// PostgreSQL's message the key of a duplicate: neither is passed on; SQLite's own message names columns only, and is.
Trouble trouble_of(const std::exception& thrown, std::string_view statement, Engine engine);

// A server that did not let us in: unavailable, unless it says that role, password or database are wrong, or SOCI's back end
// for it is not there: settings.
core::Error trouble_of_opening(const std::exception& thrown);

}  // namespace sql
