#include "store/faxes.h"

#include "core/id.h"
#include "store/fax_rows.h"
#include "store/faxes_schema.h"
#include "store/notice_rows.h"

namespace store {

core::Result<Faxes> Faxes::open(std::shared_ptr<sql::Database> database) {
  CORE_TRY(connection, database->lease());
  CORE_CHECK(sql::migrate(connection, "faxes", fax_migrations()));
  return Faxes(std::move(database));
}

// --- documents ---

core::Result<void> Faxes::add_document(const Document& document) {
  CORE_TRY(connection, database_->lease());
  return insert_document(connection, document);
}

core::Result<Document> Faxes::document(const std::string& id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT * FROM documents WHERE id = :1", {id}, "There is no such document."));
  return document_of(row);
}

core::Result<void> Faxes::save_document(const Document& document) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE documents SET state = :1, pages = :2, warning = :3, cause_code = :4, cause_text = :5 WHERE id = :6",
                                {name(document.state), document.pages, document.warning, document.cause_code, document.cause_text, document.id}));
  return {};
}

core::Result<std::vector<Document>> Faxes::documents_of(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT documents.* FROM documents JOIN fax_documents ON fax_documents.document_id = documents.id WHERE fax_documents.fax_id = :1 "
                                  "ORDER BY fax_documents.position",
                                  {fax_id}));
  std::vector<Document> documents;
  for (const auto& row : rows) documents.push_back(document_of(row));
  return documents;
}

core::Result<std::vector<std::string>> Faxes::document_ids_of(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  return ids_of(connection, "SELECT document_id AS id FROM fax_documents WHERE fax_id = :1 ORDER BY position", {fax_id});
}

core::Result<std::optional<Document>> Faxes::next_queued_document() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM documents WHERE state = 'queued' AND owner <> '' ORDER BY created_ms LIMIT 1"));
  return rows.empty() ? std::optional<Document>() : std::optional(document_of(rows.front()));
}

// --- faxes ---

namespace {

// The row of the fax that the key made, or nothing.
core::Result<sql::Rows> row_of_key(sql::Connection& connection, const std::string& owner, const std::string& key) {
  if (key.empty()) return sql::Rows();
  CORE_TRY(rows, connection.query("SELECT * FROM faxes WHERE owner = :1 AND idempotency_key = :2", {owner, key}));
  if (!rows.empty()) return rows;
  CORE_TRY(spent, connection.query("SELECT spent_ms FROM spent_keys WHERE owner = :1 AND idempotency_key = :2", {owner, key}));
  if (!spent.empty())
    return core::Error{core::Code::conflict, "Idempotency-Key of a deleted fax", "This fax was made before, and has been deleted since. To send it once more, use a new Idempotency-Key.", "Idempotency-Key"};
  return rows;
}

core::Result<std::optional<Created>> made_before(sql::Connection& connection, const NewFax& wanted) {
  CORE_TRY(rows, row_of_key(connection, wanted.owner, wanted.idempotency_key));
  if (rows.empty()) return std::optional<Created>();
  if (rows.front().text("idempotency_digest") != wanted.idempotency_digest)
    return core::Error{core::Code::invalid, "Idempotency-Key used for another body", "This Idempotency-Key was used for another fax. Use a new one for each fax.", "Idempotency-Key"};
  return std::optional(Created{fax_of(rows.front()), false});
}

}  // namespace

core::Result<Created> Faxes::create(const NewFax& wanted, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(before, made_before(connection, wanted));
  if (before) return *before;
  for (const auto& id : wanted.document_ids) {
    const auto row = connection.row("SELECT state FROM documents WHERE id = :1", {id}, "One of the documents does not exist, or is no longer kept. Upload it again.");
    if (!row) return core::Error(row.error()).with_field("documents");
    if (row->text("state") == name(DocumentState::refused))
      return core::Error{core::Code::invalid, "document " + id + " was refused", "One of the documents cannot be faxed: look at what is said of it.", "documents"};
  }
  Fax fax;
  fax.id = core::new_id(now);
  fax.version = 1;
  fax.owner = wanted.owner;
  fax.from = wanted.from;
  fax.to = wanted.to;
  fax.provider = wanted.provider;
  fax.resend_of = wanted.resend_of;
  fax.created = fax.updated = now;
  fax.next_at = now;
  fax.deadline = now + wanted.lifetime;
  fax.read = true;
  CORE_CHECK(insert_fax(connection, fax, wanted.idempotency_key.empty() ? std::nullopt : std::optional(wanted.idempotency_key), wanted.idempotency_digest));
  std::int64_t position = 0;
  for (const auto& id : wanted.document_ids)
    CORE_CHECK(connection.execute("INSERT INTO fax_documents (fax_id, position, document_id, mail_name) VALUES (:1, :2, :3, '')", {fax.id, position++, id}));
  CORE_CHECK(insert_event(connection, fax.id, {now, "Accepted", "Number and document are stored."}));
  if (!wanted.resend_of.empty()) {
    CORE_TRY(old, connection.query("SELECT id FROM faxes WHERE id = :1", {wanted.resend_of}));
    if (!old.empty()) CORE_CHECK(insert_event(connection, wanted.resend_of, {now, "Sent again", "As fax " + fax.id + "."}));
  }
  CORE_CHECK(transaction.commit());
  return Created{fax, true};
}

core::Result<std::optional<Fax>> Faxes::fax_of_key(const std::string& owner, const std::string& key) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, row_of_key(connection, owner, key));
  return rows.empty() ? std::optional<Fax>() : std::optional(fax_of(rows.front()));
}

core::Result<Fax> Faxes::fax(const std::string& id) {
  CORE_TRY(connection, database_->lease());
  return read_fax(connection, id);
}

core::Result<Fax> Faxes::fax_of_provider_id(const std::string& provider_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT * FROM faxes WHERE provider_id = :1 OR id = (SELECT fax_id FROM attempts WHERE provider_id = :2 LIMIT 1) LIMIT 1", {provider_id, provider_id},
                               "There is no such fax."));
  return fax_of(row);
}

core::Result<std::vector<Fax>> Faxes::list(const ListQuery& query) {
  std::string where = "1 = 1";
  sql::Binds binds;
  const auto add = [&](const std::string& condition, const sql::Bind& value) {
    binds.push_back(value);
    where += " AND " + condition + std::to_string(binds.size());
  };
  if (query.direction) add("direction = :", fax::name(*query.direction));
  if (!query.before.empty()) add("id < :", query.before);
  if (!query.statuses.empty()) {
    where += " AND (1 = 0";
    for (const auto status : query.statuses) {
      binds.emplace_back(fax::name(status));
      where += " OR status = :" + std::to_string(binds.size());
    }
    where += ")";
  }
  if (!query.digits.empty()) {
    const std::string pattern = "%" + query.digits + "%";
    add("(from_number LIKE :", pattern);
    binds.emplace_back(pattern);
    where += " OR to_number LIKE :" + std::to_string(binds.size()) + ")";
  }
  binds.emplace_back(query.limit);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM faxes WHERE " + where + " ORDER BY id DESC LIMIT :" + std::to_string(binds.size()), binds));
  std::vector<Fax> faxes;
  for (const auto& row : rows) faxes.push_back(fax_of(row));
  return faxes;
}

core::Result<std::vector<Event>> Faxes::events(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM events WHERE fax_id = :1 ORDER BY position", {fax_id}));
  std::vector<Event> events;
  for (const auto& row : rows) events.push_back({row.time("at_ms"), row.text("what"), row.text("why")});
  return events;
}

core::Result<std::int64_t> Faxes::unread_count() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT COUNT(*) AS n FROM faxes WHERE direction = 'inbound' AND is_read = 0 AND final_ms IS NOT NULL"));
  return rows.front().int64("n");
}

core::Result<std::vector<Faxes::Count>> Faxes::counts() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT direction, status, COUNT(*) AS n FROM faxes GROUP BY direction, status ORDER BY direction, status"));
  std::vector<Count> counts;
  for (const auto& row : rows) counts.push_back({row.text("direction"), row.text("status"), row.int64("n")});
  return counts;
}

core::Result<void> Faxes::save(Fax& fax, core::Time now, std::span<const Event> events, std::string_view worker) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(current, read_fax(connection, fax.id));
  CORE_CHECK(check_lease(connection, fax.id, worker));
  if (current.version != fax.version) return not_updated(connection, fax, worker);
  CORE_CHECK(check_step(current, fax));
  CORE_TRY(saved, update_fax(connection, fax, now, worker));
  if (!saved) return not_updated(connection, fax, worker);
  for (const auto& event : events) CORE_CHECK(insert_event(connection, fax.id, event));
  CORE_CHECK(insert_notice_of_end(connection, fax, current.status, now));
  CORE_CHECK(transaction.commit());
  fax.version += 1;
  fax.updated = now;
  return {};
}

core::Result<Fax> Faxes::mark_read(const std::string& id, bool read, core::Time) {
  CORE_TRY(connection, database_->lease());
  // Not a change of the fax's story: `updated` stays.
  CORE_CHECK(connection.execute("UPDATE faxes SET is_read = :1, version = version + 1 WHERE id = :2", {read, id}));
  return read_fax(connection, id);
}

core::Result<Fax> Faxes::request_cancel(const std::string& id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(fax, read_fax(connection, id));
  if (fax.direction != fax::Direction::outbound) return core::Error{core::Code::conflict, "cancel of a received fax", "A received fax cannot be canceled."};
  if (fax::is_final(fax.status)) return core::Error{core::Code::conflict, "cancel of a final fax", "It is too late: this fax has ended already."};
  if (!fax.cancel_requested) {
    fax.cancel_requested = true;
    fax.next_at = now;
    CORE_CHECK(update_fax(connection, fax, now));
    CORE_CHECK(insert_event(connection, id, {now, "Asked to cancel", ""}));
  }
  CORE_CHECK(transaction.commit());
  return read_fax(connection, id);
}

core::Result<Fax> Faxes::settle(const std::string& id, fax::Status as, const std::string& person, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(fax, read_fax(connection, id));
  if (fax.status != fax::Status::unresolved) return core::Error{core::Code::conflict, "settle of a fax that is not unresolved", "What became of this fax is known by now."};
  const auto before = fax.status;
  fax.status = as;
  fax.cause_code = kSettled;
  fax.cause_text.clear();
  CORE_CHECK(update_fax(connection, fax, now));
  CORE_CHECK(insert_notice_of_end(connection, fax, before, now));
  CORE_CHECK(insert_event(connection, id, {now, as == fax::Status::delivered ? "Marked as delivered" : "Marked as not delivered", "By " + person + "."}));
  CORE_CHECK(transaction.commit());
  return read_fax(connection, id);
}

core::Result<void> Faxes::add_event(const std::string& fax_id, const Event& event) {
  CORE_TRY(connection, database_->lease());
  return insert_event(connection, fax_id, event);
}

core::Result<std::vector<std::string>> Faxes::remove(const std::string& id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(fax, read_fax(connection, id));
  if (!fax::is_final(fax.status)) return core::Error{core::Code::conflict, "delete of an unfinished fax", "This fax has not ended yet. Cancel it first, or wait."};
  CORE_TRY(documents, ids_of(connection, "SELECT id FROM documents WHERE id IN (SELECT document_id FROM fax_documents WHERE fax_id = :1 UNION SELECT document_id FROM faxes WHERE id = :1)", {id}));
  // A mail that is still to come is part of the promise: it goes first.
  if (fax.mail_due || fax.media_delete_due)
    return core::Error{core::Code::conflict, "delete of a fax that is not in the mailbox yet", "This fax is not in the mailbox yet. Delete it when it is."};
  if (fax.direction == fax::Direction::inbound) {
    CORE_CHECK(connection.execute("DELETE FROM tombstones WHERE fax_sid = :1", {fax.provider_id}));
    CORE_CHECK(connection.execute("INSERT INTO tombstones (fax_sid, deleted_ms) VALUES (:1, :2)", {fax.provider_id, now}));
  }
  // The request that made it may still be repeated, and must not make another one.
  CORE_CHECK(connection.execute("INSERT INTO spent_keys (owner, idempotency_key, spent_ms) SELECT owner, idempotency_key, :1 FROM faxes WHERE id = :2 AND idempotency_key IS NOT NULL", {now, id}));
  for (const auto* statement : {"DELETE FROM events WHERE fax_id = :1", "DELETE FROM journal WHERE fax_id = :1", "DELETE FROM fax_documents WHERE fax_id = :1", "DELETE FROM faxes WHERE id = :1"})
    CORE_CHECK(connection.execute(statement, {id}));
  // Attempts stay: a call to a number that was begun says something about the next one for a day.
  std::vector<std::string> unreferenced;
  for (const auto& document : documents) {
    CORE_TRY(users, connection.query("SELECT 1 AS n FROM fax_documents WHERE document_id = :1 UNION SELECT 1 AS n FROM faxes WHERE document_id = :2", {document, document}));
    if (!users.empty()) continue;
    CORE_CHECK(connection.execute("DELETE FROM documents WHERE id = :1", {document}));
    unreferenced.push_back(document);
  }
  CORE_CHECK(transaction.commit());
  return unreferenced;
}

// --- holds, and small facts ---

core::Result<std::optional<Hold>> Faxes::hold() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM holds WHERE id = 1"));
  if (rows.empty()) return std::optional<Hold>();
  return std::optional(Hold{rows.front().text("kind"), rows.front().time("since_ms"), rows.front().time("until_ms"), rows.front().int64("tries")});
}

core::Result<void> Faxes::set_hold(const std::optional<Hold>& hold) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  // People are told of a wrong token once, when it begins to be refused.
  if (hold && hold->kind == "unauthorized") {
    CORE_TRY(held, connection.query("SELECT id FROM holds WHERE kind = 'unauthorized'"));
    if (held.empty()) CORE_CHECK(insert_notice(connection, "account_held", nullptr, "wrong_credentials", "", hold->since));
  }
  CORE_CHECK(connection.execute("DELETE FROM holds"));
  if (hold) CORE_CHECK(connection.execute("INSERT INTO holds (id, kind, since_ms, until_ms, tries) VALUES (1, :1, :2, :3, :4)", {hold->kind, hold->since, hold->until, hold->tries}));
  else CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = 0, version = version + 1 WHERE status = 'waiting' AND cause_code IN ('rate_limited', 'wrong_credentials')"));
  return transaction.commit();
}

core::Result<bool> Faxes::take_probe(core::Time now, core::Time until) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(held, connection.query("SELECT id FROM holds"));
  if (held.empty()) return true;
  CORE_TRY(rows, connection.execute("UPDATE holds SET until_ms = :1 WHERE until_ms <= :2", {until, now}));
  CORE_CHECK(transaction.commit());
  return rows == 1;
}

core::Result<void> Faxes::shorten_hold(core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(rows, connection.execute("UPDATE holds SET until_ms = :1", {now}));
  if (rows > 0)
    CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE status = 'waiting' AND cause_code IN ('rate_limited', 'wrong_credentials')", {now}));
  return transaction.commit();
}

core::Result<std::string> Faxes::fact(const std::string& name) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT value FROM facts WHERE name = :1", {name}));
  return rows.empty() ? std::string() : rows.front().text("value");
}

core::Result<void> Faxes::set_fact(const std::string& name, const std::string& value) { return set_facts({{name, value}}); }

core::Result<void> Faxes::set_facts(const Facts& facts) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_CHECK(write_facts(connection, facts));
  return transaction.commit();
}

core::Result<void> Faxes::tell(std::string_view event, std::string_view cause_code, std::string_view cause_text, core::Time now, const Facts& facts) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_CHECK(insert_notice(connection, event, nullptr, cause_code, cause_text, now));
  CORE_CHECK(write_facts(connection, facts));
  return transaction.commit();
}

core::Result<void> Faxes::forget_fact(const std::string& name) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("DELETE FROM facts WHERE name = :1", {name}));
  return {};
}

core::Result<Facts> Faxes::facts(const std::string& prefix) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT name, value FROM facts WHERE substr(name, 1, :1) = :2 ORDER BY name", {static_cast<std::int64_t>(prefix.size()), prefix}));
  Facts facts;
  for (const auto& row : rows) facts.emplace_back(row.text("name"), row.text("value"));
  return facts;
}

}  // namespace store
