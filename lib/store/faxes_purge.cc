// What is over: documents, then records, then what they leave.
#include <algorithm>

#include "store/fax_rows.h"
#include "store/faxes.h"

namespace store {

namespace {

// Of a fax, `f`, that still needs its document. :1 is the time.
constexpr std::string_view kNeeded = "(f.final_ms IS NULL OR f.status = 'unresolved' OR f.mail_due = 1 OR f.media_delete_due = 1 OR f.final_ms >= :1 OR f.updated_ms >= :1)";
constexpr std::string_view kUnfinished = "(f.final_ms IS NULL OR f.status = 'unresolved' OR f.mail_due = 1 OR f.media_delete_due = 1)";

std::string used_by(std::string_view document, std::string_view condition) {
  const std::string where(condition.empty() ? "" : " AND " + std::string(condition));
  return "(EXISTS (SELECT 1 FROM fax_documents u JOIN faxes f ON f.id = u.fax_id WHERE u.document_id = " + std::string(document) + where +
         ") OR EXISTS (SELECT 1 FROM faxes f WHERE f.document_id = " + std::string(document) + where + "))";
}

}  // namespace

core::Result<std::vector<std::string>> Faxes::unused_documents(core::Time before, const std::string& after) {
  CORE_TRY(connection, database_->lease());
  return ids_of(connection, "SELECT id FROM documents WHERE created_ms < :1 AND id > :2 AND NOT " + used_by("documents.id", "") + " ORDER BY id LIMIT 200", {before, after});
}

core::Result<std::vector<std::string>> Faxes::outlived_documents(core::Time before, const std::string& after) {
  CORE_TRY(connection, database_->lease());
  return ids_of(connection,
                "SELECT id FROM documents WHERE created_ms < :1 AND id > :2 AND " + used_by("documents.id", "") + " AND NOT " + used_by("documents.id", kNeeded) + " ORDER BY id LIMIT 200",
                {before, after});
}

core::Result<std::vector<std::string>> Faxes::outlived_faxes(core::Time before, const std::string& after) {
  CORE_TRY(connection, database_->lease());
  return ids_of(connection,
                "SELECT id FROM faxes f WHERE created_ms < :1 AND id > :2 AND document_id = '' AND NOT " + std::string(kNeeded) +
                    " AND NOT EXISTS (SELECT 1 FROM fax_documents u JOIN documents ON documents.id = u.document_id WHERE u.fax_id = f.id) ORDER BY id LIMIT 200",
                {before, after});
}

core::Result<std::vector<std::string>> Faxes::without_document(const std::vector<std::string>& ids) {
  if (ids.empty()) return std::vector<std::string>();
  std::string places;
  sql::Binds binds;
  for (const auto& id : ids) {
    binds.emplace_back(id);
    places += (places.empty() ? ":" : ", :") + std::to_string(binds.size());
  }
  CORE_TRY(connection, database_->lease());
  CORE_TRY(known, ids_of(connection, "SELECT id FROM documents WHERE id IN (" + places + ")", binds));
  std::vector<std::string> strangers;
  for (const auto& id : ids)
    if (std::find(known.begin(), known.end(), id) == known.end()) strangers.push_back(id);
  return strangers;
}

core::Result<void> Faxes::forget_document(const std::string& id, const std::optional<Event>& event) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(needed, connection.query("SELECT id FROM documents WHERE id = :1 AND " + used_by("documents.id", kUnfinished), {id}));
  if (!needed.empty()) return core::Error{core::Code::conflict, "document " + id + " is still used"};
  CORE_TRY(users, ids_of(connection, "SELECT fax_id AS id FROM fax_documents WHERE document_id = :1 UNION SELECT id FROM faxes WHERE document_id = :1", {id}));
  CORE_CHECK(connection.execute("UPDATE faxes SET document_id = '', version = version + 1 WHERE document_id = :1", {id}));
  CORE_CHECK(drop_uses(connection, id));
  CORE_CHECK(connection.execute("DELETE FROM documents WHERE id = :1", {id}));
  for (const auto& fax : users) {
    if (!event) break;
    CORE_TRY(left, connection.query("SELECT id FROM faxes WHERE id = :1 AND (document_id <> '' OR EXISTS (SELECT 1 FROM fax_documents u JOIN documents ON documents.id = u.document_id WHERE u.fax_id = :1))", {fax}));
    if (left.empty()) CORE_CHECK(insert_event(connection, fax, *event));
  }
  return transaction.commit();
}

core::Result<std::int64_t> Faxes::forget_attempts(core::Time before) {
  CORE_TRY(connection, database_->lease());
  return connection.execute("DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE intent_ms < :1 AND NOT EXISTS (SELECT 1 FROM faxes WHERE faxes.id = attempts.fax_id) LIMIT 200)", {before});
}

core::Result<void> Faxes::forget_keys(core::Time before) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("DELETE FROM spent_keys WHERE spent_ms < :1", {before}));
  return {};
}

}  // namespace store
