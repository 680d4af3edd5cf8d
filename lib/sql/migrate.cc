#include "sql/migrate.h"

namespace sql {

namespace {

core::Result<std::int64_t> version_of(Connection& connection, std::string_view name) {
  CORE_TRY(rows, connection.query("SELECT version FROM schema_versions WHERE name = :1", {name}));
  return rows.empty() ? 0 : rows.front().int64("version");
}

}  // namespace

core::Result<void> migrate(Connection& connection, std::string_view name, std::span<const Migration> migrations) {
  CORE_CHECK(connection.execute("CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version BIGINT NOT NULL)"));
  for (const auto& migration : migrations) {
    CORE_TRY(transaction, Transaction::begin(connection));
    CORE_TRY(version, version_of(connection, name));
    if (version >= migration.version) continue;
    for (const auto& statement : migration.statements) CORE_CHECK(connection.execute(statement));
    CORE_CHECK(connection.execute("DELETE FROM schema_versions WHERE name = :1", {name}));
    CORE_CHECK(connection.execute("INSERT INTO schema_versions (name, version) VALUES (:1, :2)", {name, migration.version}));
    CORE_CHECK(transaction.commit());
  }
  CORE_TRY(version, version_of(connection, name));
  if (!migrations.empty() && version > migrations.back().version)
    return core::Error{core::Code::settings, "schema " + std::string(name) + " is of version " + std::to_string(version),
                       "The database was written by a newer version of Faxline: install that version, or restore a backup."};
  return {};
}

}  // namespace sql
