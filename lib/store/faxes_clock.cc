#include "store/fax_rows.h"
#include "store/faxes.h"

namespace store {

core::Result<void> Faxes::restart_deadlines(core::Time deadline, const Facts& facts) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_CHECK(connection.execute("UPDATE faxes SET deadline_ms = :1, version = version + 1 WHERE final_ms IS NULL AND deadline_ms < :1", {deadline}));
  CORE_CHECK(write_facts(connection, facts));
  return transaction.commit();
}

core::Result<void> Faxes::set_back(core::Time now, core::Milliseconds by, std::chrono::seconds lifetime, const Facts& facts) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  const std::int64_t step = by.count();
  CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = next_at_ms - :1, version = version + 1 WHERE next_at_ms > :2", {step, now}));
  CORE_CHECK(connection.execute("UPDATE faxes SET lease_until_ms = lease_until_ms - :1 WHERE lease_until_ms > :2", {step, now}));
  CORE_CHECK(connection.execute("UPDATE faxes SET deadline_ms = :1, version = version + 1 WHERE final_ms IS NULL AND deadline_ms > :1", {now + lifetime}));
  // Retention is counted from here.
  CORE_CHECK(connection.execute("UPDATE faxes SET final_ms = :1 WHERE final_ms > :1", {now}));
  CORE_CHECK(connection.execute("UPDATE holds SET until_ms = until_ms - :1 WHERE until_ms > :2", {step, now}));
  for (const std::string column : {"next_at_ms", "lease_until_ms"})
    CORE_CHECK(connection.execute("UPDATE errands SET " + column + " = " + column + " - :1 WHERE " + column + " > :2", {step, now}));
  for (const std::string column : {"intent_ms", "voided_ms", "unknown_since_ms", "final_seen_ms", "last_look_ms"})
    CORE_CHECK(connection.execute("UPDATE attempts SET " + column + " = " + column + " - :1 WHERE " + column + " > :2", {step, now}));
  CORE_CHECK(write_facts(connection, facts));
  return transaction.commit();
}

core::Result<void> Faxes::wake_overdue(core::Time now) {
  CORE_TRY(connection, database_->lease());
  constexpr std::string_view kOverdue = " WHERE final_ms IS NULL AND deadline_ms <= :1 AND (next_at_ms IS NULL OR next_at_ms > :1)";
  // A look first: no write lock where there is nothing to do.
  CORE_TRY(glance, connection.query("SELECT id FROM faxes" + std::string(kOverdue) + " LIMIT 1", {now}));
  if (!glance.empty()) CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, version = version + 1" + std::string(kOverdue), {now}));
  return {};
}

}  // namespace store
