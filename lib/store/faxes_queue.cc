#include "core/id.h"
#include "store/fax_rows.h"
#include "store/faxes.h"

namespace store {

core::Result<std::optional<Fax>> Faxes::claim(const std::string& worker, core::Time now, core::Milliseconds lease, Take take) {
  CORE_TRY(connection, database_->lease());
  // A look first: an idle queue must not take the write lock at every sweep.
  // A lease of this worker's own name is one that it died with.
  const std::string due = "SELECT id FROM faxes WHERE next_at_ms <= :1 AND (lease_until_ms <= :1 OR lease_owner = :2)" + std::string(take == Take::without_fetching ? " AND status <> 'fetching'" : "") + " ORDER BY next_at_ms LIMIT 1";
  CORE_TRY(glance, connection.query(due, {now, worker}));
  if (glance.empty()) return std::optional<Fax>();
  // SQLite takes the write lock at the statement's beginning, as BEGIN IMMEDIATE does.
  CORE_TRY(rows, connection.query("UPDATE faxes SET lease_owner = :2, lease_until_ms = :3 WHERE id = (" + due + std::string(connection.skip_locked()) + ") RETURNING *", {now, worker, now + lease}));
  return rows.empty() ? std::optional<Fax>() : std::optional(fax_of(rows.front()));
}

core::Result<bool> Faxes::renew(const std::string& fax_id, const std::string& worker, core::Time until) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.execute("UPDATE faxes SET lease_until_ms = :1 WHERE id = :2 AND lease_owner = :3", {until, fax_id, worker}));
  return rows == 1;
}

core::Result<bool> Faxes::has_lease(const std::string& fax_id, const std::string& worker) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT id FROM faxes WHERE id = :1 AND lease_owner = :2", {fax_id, worker}));
  return !rows.empty();
}

core::Result<void> Faxes::release(const std::string& fax_id, const std::string& worker) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE faxes SET lease_owner = '', lease_until_ms = 0 WHERE id = :1 AND lease_owner = :2", {fax_id, worker}));
  return {};
}

core::Result<std::optional<core::Time>> Faxes::next_due() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT next_at_ms FROM faxes WHERE next_at_ms IS NOT NULL AND lease_until_ms = 0 ORDER BY next_at_ms LIMIT 1"));
  return rows.empty() ? std::optional<core::Time>() : rows.front().optional_time("next_at_ms");
}

// --- attempts ---

namespace {

// Open calls to a number of which nobody knows the provider's id; faxes that are final (unresolved) no longer count.
constexpr std::string_view kOpenCalls =
    "SELECT attempts.id FROM attempts JOIN faxes ON faxes.id = attempts.fax_id WHERE attempts.to_number = :1 AND attempts.provider_id = '' AND attempts.voided_ms IS NULL "
    "AND attempts.ended_ms IS NULL AND faxes.final_ms IS NULL LIMIT 1";

// The attempt of a deleted fax stays open: what it may have sent still counts. Its document is no longer given.
constexpr std::string_view kGivesDocument = "voided_ms IS NULL AND ended_ms IS NULL AND EXISTS (SELECT 1 FROM faxes WHERE faxes.id = attempts.fax_id)";

core::Result<std::vector<Attempt>> read_attempts(sql::Connection& connection, const std::string& fax_id) {
  CORE_TRY(rows, connection.query("SELECT * FROM attempts WHERE fax_id = :1 ORDER BY number", {fax_id}));
  std::vector<Attempt> attempts;
  for (const auto& row : rows) attempts.push_back(attempt_of(row));
  return attempts;
}

}  // namespace

core::Result<Attempt> Faxes::begin_attempt(Fax& fax, std::string_view attempt_id, std::string_view media_token_hash, std::string_view callback_token_hash, core::Time now,
                                           std::string_view worker) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(current, read_fax(connection, fax.id));
  CORE_CHECK(check_lease(connection, fax.id, worker));
  if (fax.status != current.status && !fax::may_follow(fax.direction, current.status, fax.status)) return core::Error{core::Code::conflict, "fax " + fax.id + " may not be submitted now"};
  CORE_TRY(open, connection.query(kOpenCalls, {fax.to}));
  if (!open.empty()) return core::Error{core::Code::conflict, "another call to this number is open", "", "to"};
  CORE_TRY(saved, update_fax(connection, fax, now, worker));
  if (!saved) return not_updated(connection, fax, worker);
  CORE_CHECK(connection.execute(
      "INSERT INTO attempts (id, fax_id, number, to_number, media_token_hash, callback_token_hash, intent_ms, provider_id, hinted_id, error_code, error_message, refused, polls, looked_ms) "
      "VALUES (:1, :2, :3, :4, :5, :6, :7, '', '', '', '', 0, 0, 0)",
      {attempt_id, fax.id, fax.attempt, fax.to, media_token_hash, callback_token_hash, now}));
  CORE_TRY(attempt, read_attempt(connection, std::string(attempt_id)));
  CORE_CHECK(transaction.commit());
  fax.version += 1;
  fax.updated = now;
  return attempt;
}

core::Result<bool> Faxes::is_call_open(const std::string& to) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(open, connection.query(kOpenCalls, {to}));
  return !open.empty();
}

core::Result<std::vector<Attempt>> Faxes::attempts(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  return read_attempts(connection, fax_id);
}

core::Result<std::optional<Attempt>> Faxes::last_attempt(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(attempts, read_attempts(connection, fax_id));
  return attempts.empty() ? std::optional<Attempt>() : std::optional(std::move(attempts.back()));
}

core::Result<Attempt> Faxes::attempt_of_media_token(std::string_view hash) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT * FROM attempts WHERE media_token_hash = :1 AND " + std::string(kGivesDocument), {hash}, ""));
  return attempt_of(row);
}

core::Result<Attempt> Faxes::attempt_of_callback_token(std::string_view hash) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT * FROM attempts WHERE callback_token_hash = :1", {hash}, ""));
  return attempt_of(row);
}

core::Result<bool> Faxes::hand_out(const std::string& attempt_id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.execute("UPDATE attempts SET handed_out_ms = COALESCE(handed_out_ms, :1) WHERE id = :2 AND " + std::string(kGivesDocument), {now, attempt_id}));
  return rows == 1;
}

core::Result<bool> Faxes::void_attempt(const std::string& attempt_id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.execute("UPDATE attempts SET voided_ms = :1 WHERE id = :2 AND handed_out_ms IS NULL AND ended_ms IS NULL AND voided_ms IS NULL AND provider_id = ''",
                                    {now, attempt_id}));
  return rows == 1;
}

core::Result<void> Faxes::record_provider_id(const std::string& attempt_id, const std::string& provider_id) {
  CORE_TRY(connection, database_->lease());
  // The unique index decides between two that write the same id at the same moment.
  CORE_TRY(others, connection.query("SELECT id FROM attempts WHERE provider_id = :1 AND id <> :2", {provider_id, attempt_id}));
  if (!others.empty()) return core::Error{core::Code::conflict, "the provider's id is that of another call", "", "provider_id"};
  CORE_TRY(rows, connection.execute("UPDATE attempts SET provider_id = :1, unknown_since_ms = NULL WHERE id = :2 AND (provider_id = '' OR provider_id = :1)", {provider_id, attempt_id}));
  if (rows != 1) return core::Error{core::Code::conflict, "attempt " + attempt_id + " has another fax at the provider already"};
  return {};
}

core::Result<void> Faxes::forget_hint(const std::string& attempt_id, const std::string& fax_sid) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET hinted_id = '' WHERE id = :1 AND hinted_id = :2 AND provider_id = ''", {attempt_id, fax_sid}));
  return {};
}

core::Result<void> Faxes::record_unknown(const std::string& attempt_id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET unknown_since_ms = COALESCE(unknown_since_ms, :1) WHERE id = :2", {now, attempt_id}));
  return {};
}

core::Result<void> Faxes::record_poll(const std::string& attempt_id) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET polls = polls + 1 WHERE id = :1", {attempt_id}));
  return {};
}

core::Result<void> Faxes::record_final_seen(const std::string& attempt_id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET final_seen_ms = COALESCE(final_seen_ms, :1) WHERE id = :2", {now, attempt_id}));
  return {};
}

core::Result<void> Faxes::record_look(const std::string& attempt_id, std::int64_t looked_ms, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET looked_ms = :1, last_look_ms = :2 WHERE id = :3", {looked_ms, now, attempt_id}));
  return {};
}

core::Result<void> Faxes::end_attempt(const std::string& attempt_id, bool refused, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE attempts SET ended_ms = COALESCE(ended_ms, :1), refused = :2 WHERE id = :3", {now, refused, attempt_id}));
  return {};
}

core::Result<bool> Faxes::note_callback(const std::string& attempt_id, const std::string& fax_sid, const std::string& error_code, const std::string& error_message, core::Time now, const Arrival* arrival) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(attempt, read_attempt(connection, attempt_id));
  const auto& known = attempt.provider_id.empty() ? attempt.hinted_id : attempt.provider_id;
  CORE_TRY(others, connection.query("SELECT id FROM attempts WHERE provider_id = :1 AND id <> :2", {fax_sid, attempt_id}));
  if ((!known.empty() && known != fax_sid) || !others.empty()) {
    CORE_CHECK(insert_arrival(connection, arrival, attempt.fax_id, fax_sid, "ignored: it names another fax", now));
    CORE_CHECK(transaction.commit());
    return false;
  }
  CORE_CHECK(connection.execute("UPDATE attempts SET hinted_id = :1 WHERE id = :2", {fax_sid, attempt_id}));
  if (!error_code.empty() || !error_message.empty())
    CORE_CHECK(connection.execute("UPDATE attempts SET error_code = :1, error_message = :2 WHERE id = :3", {error_code, error_message, attempt_id}));
  // Only what may still change is woken: evidence moves its own attempt, and the current one the fax.
  if (!attempt.ended)
    CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE id = :2 AND attempt = :3 AND (status IN ('submitting', 'checking', 'sending', 'unresolved', 'failed') OR cause_code = 'settled_by_person')",
                                  {now, attempt.fax_id, attempt.number}));
  CORE_CHECK(insert_arrival(connection, arrival, attempt.fax_id, fax_sid, attempt.ended ? "noted; this call had ended" : "noted: the provider is read", now));
  CORE_CHECK(transaction.commit());
  return true;
}

core::Result<bool> Faxes::is_provider_id_known(const std::string& provider_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT id FROM attempts WHERE provider_id = :1 LIMIT 1", {provider_id}));
  return !rows.empty();
}

core::Result<bool> Faxes::list_may_decide(const Attempt& attempt, core::Time since) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(voided, connection.query("SELECT id FROM attempts WHERE to_number = :1 AND voided_ms >= :2 AND refused = 0 AND provider_id = '' LIMIT 1", {attempt.to, since}));
  if (!voided.empty()) return false;
  CORE_TRY(unresolved, connection.query("SELECT attempts.id FROM attempts LEFT JOIN faxes ON faxes.id = attempts.fax_id WHERE attempts.to_number = :1 AND attempts.id <> :2 "
                                        "AND attempts.provider_id = '' AND attempts.handed_out_ms IS NOT NULL AND attempts.ended_ms IS NULL AND attempts.voided_ms IS NULL AND (faxes.id IS NULL OR faxes.final_ms IS NOT NULL) LIMIT 1",
                                        {attempt.to, attempt.id}));
  return unresolved.empty();
}

core::Result<std::vector<std::string>> Faxes::open_attempts(core::Time final_before) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT attempts.id FROM attempts JOIN faxes ON faxes.id = attempts.fax_id WHERE attempts.voided_ms IS NULL AND attempts.ended_ms IS NULL "
                                  "AND (faxes.final_ms IS NULL OR faxes.final_ms >= :1)",
                                  {final_before}));
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.text("id"));
  return ids;
}

}  // namespace store
