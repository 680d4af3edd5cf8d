// The schema, brought up to date.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sql/database.h"

namespace sql {

struct Migration {
  std::int64_t version = 0;  // 1, 2, 3 …
  std::vector<std::string> statements;
};

// Brings the schema `name` of this database to the last version, each in one transaction with its
// number; programs that start at the same time wait for each other. Errors: settings, if
// the database is of a newer program; else those of sql/database.h, and the schema
// stands at the last version that was committed.
core::Result<void> migrate(Connection& connection, std::string_view name, std::span<const Migration> migrations);

}  // namespace sql
