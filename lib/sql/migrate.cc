#include "sql/migrate.h"

#include <algorithm>

namespace sql {

namespace {

constexpr std::string_view kTable = "CREATE TABLE IF NOT EXISTS schema_version (name TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)";

core::Result<std::int64_t> version_of(Connection& connection, std::string_view name) {
  CORE_TRY(rows, connection.query("SELECT version FROM schema_version WHERE name = :1", {name}));
  return rows.empty() ? 0 : rows.front().int64("version");
}

// One step, if one is due: false when there is none left.
core::Result<bool> step(Connection& connection, std::string_view name, std::span<const Migration> migrations) {
  CORE_TRY(transaction, Transaction::begin(connection));
  CORE_CHECK(connection.execute(kTable));
  CORE_TRY(version, version_of(connection, name));
  if (!migrations.empty() && version > migrations.back().version)
    return core::Error{core::Code::settings, "schema " + std::string(name) + " is of version " + std::to_string(version) + ", this program knows " + std::to_string(migrations.back().version),
                       "The database was written by a newer version of Faxline: install that version, or restore a backup."};
  const auto next = std::find_if(migrations.begin(), migrations.end(), [&](const Migration& migration) { return migration.version > version; });
  if (next == migrations.end()) return false;
  for (const auto& statement : next->statements) CORE_CHECK(connection.execute(statement));
  CORE_CHECK(connection.execute("DELETE FROM schema_version WHERE name = :1", {name}));
  CORE_CHECK(connection.execute("INSERT INTO schema_version (name, version) VALUES (:1, :2)", {name, next->version}));
  CORE_CHECK(transaction.commit());
  return true;
}

}  // namespace

core::Result<void> migrate(Connection& connection, std::string_view name, std::span<const Migration> migrations) {
  for (;;) {
    CORE_TRY(more, step(connection, name, migrations));
    if (!more) return {};
  }
}

}  // namespace sql
