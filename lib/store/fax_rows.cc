#include "store/fax_rows.h"

#include "core/id.h"
#include "core/log.h"

namespace store {

std::string_view name(DocumentState state) {
  switch (state) {
    case DocumentState::queued: return "queued";
    case DocumentState::ready: return "ready";
    case DocumentState::refused: break;
  }
  return "refused";
}

fax::Decided decided_by(const Fax& fax) {
  if (fax.cause_code == kSettled) return fax::Decided::by_person;
  return fax.cause_code == "deadline_passed" || fax.cause_code == "never_submitted" ? fax::Decided::by_us : fax::Decided::by_provider;
}

Document document_of(const sql::Row& row) {
  Document document;
  document.id = row.text("id");
  document.owner = row.text("owner");
  document.file_name = row.text("file_name");
  document.sha256 = row.text("sha256");
  document.bytes = row.int64("bytes");
  const auto& state = row.text("state");
  document.state = state == "ready" ? DocumentState::ready : state == "queued" ? DocumentState::queued : DocumentState::refused;
  document.pages = row.optional_int64("pages");
  document.warning = row.text("warning");
  document.cause_code = row.text("cause_code");
  document.cause_text = row.text("cause_text");
  document.created = row.time("created_ms");
  return document;
}

Fax fax_of(const sql::Row& row) {
  Fax fax;
  fax.id = row.text("id");
  fax.version = row.int64("version");
  fax.direction = fax::parse_direction(row.text("direction")).value();
  fax.status = fax::parse_status(row.text("status")).value();
  fax.owner = row.text("owner");
  fax.from = row.text("from_number");
  fax.to = row.text("to_number");
  fax.provider = row.text("provider");
  fax.provider_id = row.text("provider_id");
  fax.pages = row.optional_int64("pages");
  fax.pages_done = row.optional_int64("pages_done");
  fax.cause_code = row.text("cause_code");
  fax.cause_text = row.text("cause_text");
  fax.attempt = row.int64("attempt");
  fax.ends_to_retry = row.int64("ends_to_retry");
  fax.resend_of = row.text("resend_of");
  fax.read = row.flag("is_read");
  fax.cancel_requested = row.flag("cancel_requested");
  fax.cancel_tried = row.flag("cancel_tried");
  fax.created = row.time("created_ms");
  fax.updated = row.time("updated_ms");
  fax.next_at = row.optional_time("next_at_ms");
  fax.deadline = row.time("deadline_ms");
  fax.document_id = row.text("document_id");
  fax.media_url = row.text("media_url");
  fax.pages_announced = row.optional_int64("pages_announced");
  fax.fetch_tries = row.int64("fetch_tries");
  fax.mail_due = row.flag("mail_due");
  fax.mail_tries = row.int64("mail_tries");
  fax.notice_name = row.text("notice_name");
  fax.media_delete_due = row.flag("media_delete_due");
  return fax;
}

Attempt attempt_of(const sql::Row& row) {
  Attempt attempt;
  attempt.id = row.text("id");
  attempt.fax_id = row.text("fax_id");
  attempt.number = row.int64("number");
  attempt.to = row.text("to_number");
  attempt.intent = row.time("intent_ms");
  attempt.handed_out = row.optional_time("handed_out_ms");
  attempt.provider_id = row.text("provider_id");
  attempt.hinted_id = row.text("hinted_id");
  attempt.error_code = row.text("error_code");
  attempt.error_message = row.text("error_message");
  attempt.voided = row.optional_time("voided_ms");
  attempt.ended = row.optional_time("ended_ms");
  attempt.refused = row.flag("refused");
  attempt.unknown_since = row.optional_time("unknown_since_ms");
  attempt.polls = row.int64("polls");
  attempt.final_seen = row.optional_time("final_seen_ms");
  attempt.last_look = row.optional_time("last_look_ms");
  attempt.looked_ms = row.int64("looked_ms");
  return attempt;
}

core::Result<void> insert_fax(sql::Connection& connection, const Fax& fax, const std::optional<std::string>& idempotency_key, const std::string& idempotency_digest) {
  const sql::Bind final_at = fax::is_final(fax.status) ? sql::Bind(fax.created) : sql::Bind(nullptr);
  CORE_CHECK(connection.execute(
      "INSERT INTO faxes (id, version, direction, status, owner, from_number, to_number, provider, provider_id, pages, pages_done, cause_code, cause_text, attempt, "
      "ends_to_retry, resend_of, is_read, cancel_requested, cancel_tried, created_ms, updated_ms, next_at_ms, deadline_ms, document_id, media_url, pages_announced, "
      "fetch_tries, mail_due, mail_tries, notice_name, media_delete_due, final_ms, lease_owner, lease_until_ms, idempotency_key, idempotency_digest) "
      "VALUES (:1, 1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13, :14, :15, :16, :17, :18, :19, :20, :21, :22, :23, :24, :25, :26, :27, :28, :29, :30, :31, '', 0, :32, :33)",
      {fax.id, fax::name(fax.direction), fax::name(fax.status), fax.owner, fax.from, fax.to, fax.provider, fax.provider_id, fax.pages, fax.pages_done, fax.cause_code,
       fax.cause_text, fax.attempt, fax.ends_to_retry, fax.resend_of, fax.read, fax.cancel_requested, fax.cancel_tried, fax.created, fax.created, fax.next_at, fax.deadline,
       fax.document_id, fax.media_url, fax.pages_announced, fax.fetch_tries, fax.mail_due, fax.mail_tries, fax.notice_name, fax.media_delete_due, final_at, idempotency_key,
       idempotency_digest}));
  return {};
}

core::Result<bool> update_fax(sql::Connection& connection, const Fax& fax, core::Time now, std::string_view worker) {
  // A received fax that failed may be taken up again: then it is not over.
  const bool is_final = fax::is_final(fax.status);
  const sql::Bind final_at = is_final ? sql::Bind(now) : sql::Bind(nullptr);
  CORE_TRY(rows, connection.execute(
      "UPDATE faxes SET version = version + 1, status = :1, from_number = :2, to_number = :3, provider_id = :4, pages = :5, pages_done = :6, cause_code = :7, cause_text = :8, "
      "attempt = :9, ends_to_retry = :10, is_read = :11, cancel_requested = :12, cancel_tried = :13, updated_ms = :14, next_at_ms = :15, deadline_ms = :16, document_id = :17, "
      "media_url = :18, pages_announced = :19, fetch_tries = :20, mail_due = :21, mail_tries = :22, notice_name = :23, media_delete_due = :24, final_ms = " +
          std::string(is_final ? "COALESCE(final_ms, :25)" : ":25") + " WHERE id = :26 AND version = :27 AND (:28 = '' OR lease_owner = :28)",
      {fax::name(fax.status), fax.from, fax.to, fax.provider_id, fax.pages, fax.pages_done, fax.cause_code, fax.cause_text, fax.attempt, fax.ends_to_retry, fax.read,
       fax.cancel_requested, fax.cancel_tried, now, fax.next_at, fax.deadline, fax.document_id, fax.media_url, fax.pages_announced, fax.fetch_tries, fax.mail_due, fax.mail_tries,
       fax.notice_name, fax.media_delete_due, final_at, fax.id, fax.version, worker}));
  return rows == 1;
}

core::Result<void> check_step(const Fax& before, const Fax& after) {
  if (after.status == before.status || fax::may_follow(before.direction, before.status, after.status, decided_by(before))) return {};
  core::Error error{core::Code::internal, std::string(fax::name(after.status)) + " may not follow " + std::string(fax::name(before.status))};
  core::log(core::Level::error, "a step that the table of states does not have, refused", error, {{"fax", before.id}, {"from", fax::name(before.status)}, {"to", fax::name(after.status)}});
  return error;
}

core::Result<void> check_lease(sql::Connection& connection, const std::string& fax_id, std::string_view worker) {
  if (worker.empty()) return {};
  CORE_TRY(rows, connection.query("SELECT id FROM faxes WHERE id = :1 AND lease_owner = :2", {fax_id, worker}));
  if (rows.empty()) return core::Error{core::Code::conflict, "fax " + fax_id + " is another worker's: the lease ran out", "", "lease"};
  return {};
}

core::Error not_updated(sql::Connection& connection, const Fax& fax, std::string_view worker) {
  const auto leased = check_lease(connection, fax.id, worker);
  return leased ? core::Error{core::Code::conflict, "fax " + fax.id + " was changed meanwhile"} : leased.error();
}

core::Result<void> insert_document(sql::Connection& connection, const Document& document) {
  CORE_CHECK(connection.execute(
      "INSERT INTO documents (id, owner, file_name, sha256, bytes, state, pages, warning, cause_code, cause_text, created_ms) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11)",
      {document.id, document.owner, document.file_name, document.sha256, document.bytes, name(document.state), document.pages, document.warning, document.cause_code,
       document.cause_text, document.created}));
  return {};
}

core::Result<void> drop_uses(sql::Connection& connection, const std::string& document_id) {
  CORE_CHECK(connection.execute("DELETE FROM fax_documents WHERE document_id = :1 AND fax_id NOT IN (SELECT id FROM faxes WHERE direction = 'outbound')", {document_id}));
  return {};
}

core::Result<void> insert_event(sql::Connection& connection, const std::string& fax_id, const Event& event) {
  // Oldest first even when the clock jumps back: by position, then by time.
  CORE_CHECK(connection.execute(
      "INSERT INTO events (id, fax_id, position, at_ms, what, why) VALUES (:1, :2, (SELECT COALESCE(MAX(position), 0) + 1 FROM events WHERE fax_id = :3), :4, :5, :6)",
      {core::new_id(event.at), fax_id, fax_id, event.at, event.what, event.why}));
  return {};
}

core::Result<void> write_facts(sql::Connection& connection, const Facts& facts) {
  for (const auto& [name, value] : facts) {
    CORE_CHECK(connection.execute("DELETE FROM facts WHERE name = :1", {name}));
    CORE_CHECK(connection.execute("INSERT INTO facts (name, value) VALUES (:1, :2)", {name, value}));
  }
  return {};
}

core::Result<std::vector<std::string>> ids_of(sql::Connection& connection, std::string_view statement, const sql::Binds& binds) {
  CORE_TRY(rows, connection.query(statement, binds));
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.text("id"));
  return ids;
}

core::Result<Fax> read_fax(sql::Connection& connection, const std::string& id) {
  CORE_TRY(row, connection.row("SELECT * FROM faxes WHERE id = :1", {id}, "There is no such fax."));
  return fax_of(row);
}

core::Result<Attempt> read_attempt(sql::Connection& connection, const std::string& id) {
  CORE_TRY(row, connection.row("SELECT * FROM attempts WHERE id = :1", {id}, ""));
  return attempt_of(row);
}

}  // namespace store
