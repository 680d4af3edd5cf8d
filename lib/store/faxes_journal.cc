// What came from the provider, as it came; and a received fax once more.
#include "core/id.h"
#include "store/fax_rows.h"
#include "store/faxes.h"

namespace store {

core::Result<void> insert_arrival(sql::Connection& connection, const Arrival* arrival, std::string_view fax_id, std::string_view fax_sid, std::string_view decided, core::Time now) {
  if (arrival == nullptr) return {};
  CORE_CHECK(connection.execute("INSERT INTO journal (id, at_ms, fax_id, fax_sid, route, headers, fields, sha256, bytes, decided) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10)",
                                {core::new_id(now), now, fax_id, fax_sid, arrival->route, arrival->headers, arrival->fields, arrival->sha256, arrival->bytes, decided}));
  return {};
}

core::Result<std::vector<JournalEntry>> Faxes::journal(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM journal WHERE fax_id = :1 ORDER BY at_ms, id LIMIT 200", {fax_id}));
  std::vector<JournalEntry> entries;
  for (const auto& row : rows)
    entries.push_back({row.time("at_ms"), row.text("fax_sid"), {row.text("route"), row.text("headers"), row.text("fields"), row.text("sha256"), row.int64("bytes")}, row.text("decided")});
  return entries;
}

core::Result<std::int64_t> Faxes::trim_journal(core::Time before, std::int64_t kept) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(old, connection.execute("DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at_ms < :1 ORDER BY at_ms LIMIT 500)", {before}));
  if (old > 0) return old;
  CORE_TRY(newest, connection.query("SELECT at_ms FROM journal ORDER BY at_ms DESC LIMIT 1 OFFSET :1", {kept}));
  if (newest.empty()) return 0;
  return connection.execute("DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at_ms <= :1 ORDER BY at_ms LIMIT 500)", {newest.front().time("at_ms")});
}

core::Result<Faxes::Replay> Faxes::replay(const std::string& id, const std::string& person, core::Time now, std::chrono::seconds lifetime) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(fax, read_fax(connection, id));
  if (fax.direction != fax::Direction::inbound) return core::Error{core::Code::conflict, "replay of a sent fax", "This fax was sent from here: only a received one can be delivered again."};
  CORE_TRY(documents, connection.query("SELECT position FROM fax_documents WHERE fax_id = :1 LIMIT 1", {id}));
  auto how = fax.mail_due ? Replay::mail_due : Replay::mail;
  if (fax.status == fax::Status::received) {
    if (documents.empty()) return core::Error{core::Code::conflict, "replay without document", "The document of this fax is no longer kept."};
    // A new mail on purpose: one that was delivered gets another file name.
    CORE_CHECK(connection.execute("UPDATE fax_documents SET mail_name = '', mailed_ms = NULL WHERE fax_id = :1 AND mailed_ms IS NOT NULL", {id}));
    if (how == Replay::mail) fax.mail_tries = 0;
    fax.mail_due = true;
  } else {
    how = Replay::fetch;
    if (fax.status == fax::Status::failed) {
      // The provider is asked where the document is, if nobody has said so.
      fax.status = fax.media_url.empty() ? fax::Status::receiving : fax::Status::fetching;
      fax.fetch_tries = fax.media_url.empty() ? 1 : 0;
      fax.deadline = now + lifetime;
      fax.notice_name.clear();
      fax.mail_due = false;
      CORE_CHECK(connection.execute("UPDATE faxes SET final_ms = NULL WHERE id = :1", {id}));
    }
    fax.cause_code.clear();
    fax.cause_text.clear();
  }
  fax.next_at = now;
  CORE_CHECK(update_fax(connection, fax, now));
  CORE_CHECK(insert_event(connection, id, {now, how == Replay::fetch ? "Asked to fetch it again" : "Asked to deliver it again", "By " + person + "."}));
  CORE_CHECK(transaction.commit());
  return how;
}

}  // namespace store
