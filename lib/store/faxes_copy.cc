// Copies of the book: what is in one, and what it becomes when it is put in place.
#include <algorithm>

#include "store/fax_rows.h"
#include "store/faxes.h"

namespace store {

core::Result<std::vector<Document>> Faxes::documents_after(const std::string& id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM documents WHERE id > :1 ORDER BY id LIMIT 200", {id}));
  std::vector<Document> documents;
  for (const auto& row : rows) documents.push_back(document_of(row));
  return documents;
}

core::Result<std::int64_t> Faxes::bytes_of_documents() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS n FROM documents", {}, ""));
  return row.int64("n");
}

core::Result<bool> Faxes::is_empty() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT id FROM faxes UNION ALL SELECT id FROM documents LIMIT 1"));
  return rows.empty();
}

namespace {

core::Result<void> leave_to_a_person(sql::Connection& connection, const std::string& fax_id, core::Time copied, core::Time now) {
  CORE_TRY(last, connection.query("SELECT * FROM attempts WHERE fax_id = :1 ORDER BY number DESC LIMIT 1", {fax_id}));
  const auto attempt = last.empty() ? std::optional<Attempt>() : std::optional(attempt_of(last.front()));
  const bool open = attempt && !attempt->ended && !attempt->voided;
  // Only of a call that had not ended may the provider's word decide: after one that had, others may have been made.
  const auto next = open && !attempt->provider_id.empty() ? sql::Bind(now) : sql::Bind(nullptr);
  CORE_CHECK(connection.execute("UPDATE faxes SET status = 'unresolved', cause_code = 'restored', cause_text = '', provider_id = :1, next_at_ms = :2, final_ms = :3, updated_ms = :3, version = version + 1 WHERE id = :4",
                                {open ? attempt->provider_id : std::string(), next, now, fax_id}));
  // The copy cannot know that the document was not fetched since.
  if (open) CORE_CHECK(connection.execute("UPDATE attempts SET handed_out_ms = COALESCE(handed_out_ms, :1) WHERE id = :2", {now, attempt->id}));
  return insert_event(connection, fax_id, {now, "Restored from a backup", "In the backup of " + core::rfc3339(copied) + " it had not ended. Nothing is sent until a person decides."});
}

}  // namespace

core::Result<std::int64_t> Faxes::take_over_copy(core::Time copied, core::Time now, std::chrono::seconds lifetime, const std::string& mark) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(unfinished, ids_of(connection, "SELECT id FROM faxes WHERE direction = 'outbound' AND final_ms IS NULL", {}));
  for (const auto& id : unfinished) CORE_CHECK(leave_to_a_person(connection, id, copied, now));
  CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, deadline_ms = :2, version = version + 1 WHERE direction = 'inbound' AND final_ms IS NULL", {now, now + lifetime}));
  CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE final_ms IS NOT NULL AND (mail_due = 1 OR media_delete_due = 1)", {now}));
  CORE_CHECK(connection.execute("UPDATE faxes SET lease_owner = '', lease_until_ms = 0"));
  CORE_CHECK(connection.execute("DELETE FROM holds"));
  CORE_CHECK(connection.execute("DELETE FROM facts WHERE name LIKE 'reconcile.asked.%'"));
  CORE_TRY(marks, connection.query("SELECT value FROM facts WHERE name = :1", {mark}));
  const auto known = marks.empty() ? std::nullopt : [&] {
    const auto time = core::parse_rfc3339(marks.front().text("value"));
    return time ? std::optional(*time) : std::nullopt;
  }();
  CORE_CHECK(connection.execute("DELETE FROM facts WHERE name = :1", {mark}));
  CORE_CHECK(connection.execute("INSERT INTO facts (name, value) VALUES (:1, :2)", {mark, core::rfc3339(std::min(known.value_or(copied), copied))}));
  CORE_CHECK(transaction.commit());
  return static_cast<std::int64_t>(unfinished.size());
}

core::Result<void> Faxes::lose_document(const std::string& id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(users, ids_of(connection, "SELECT fax_id AS id FROM fax_documents WHERE document_id = :1 UNION SELECT id FROM faxes WHERE document_id = :1", {id}));
  CORE_CHECK(connection.execute("UPDATE faxes SET document_id = '', version = version + 1 WHERE document_id = :1", {id}));
  CORE_CHECK(drop_uses(connection, id));
  CORE_CHECK(connection.execute("DELETE FROM documents WHERE id = :1", {id}));
  for (const auto& fax : users) CORE_CHECK(insert_event(connection, fax, {now, "The document is not in the backup", "It was removed while the backup was made."}));
  return transaction.commit();
}

}  // namespace store
