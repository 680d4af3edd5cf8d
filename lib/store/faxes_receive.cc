#include "core/id.h"
#include "store/fax_rows.h"
#include "store/notice_rows.h"
#include "store/faxes.h"

namespace store {

namespace {

core::Result<bool> is_forgotten(sql::Connection& connection, const std::string& fax_sid) {
  CORE_TRY(rows, connection.query("SELECT fax_sid FROM tombstones WHERE fax_sid = :1", {fax_sid}));
  return !rows.empty();
}

core::Result<std::optional<Fax>> known_fax(sql::Connection& connection, const std::string& fax_sid) {
  CORE_TRY(rows, connection.query("SELECT * FROM faxes WHERE direction = 'inbound' AND provider_id = :1", {fax_sid}));
  return rows.empty() ? std::optional<Fax>() : std::optional(fax_of(rows.front()));
}

core::Result<void> attach(sql::Connection& connection, const std::string& fax_id, const Document& document) {
  CORE_CHECK(insert_document(connection, document));
  CORE_CHECK(connection.execute("INSERT INTO fax_documents (fax_id, position, document_id, mail_name) VALUES (:1, "
                                "(SELECT COALESCE(MAX(position), -1) + 1 FROM fax_documents WHERE fax_id = :2), :3, '')",
                                {fax_id, fax_id, document.id}));
  return {};
}

// What a reception makes of a record that has no document; the event that says so.
Event apply(Fax& fax, const Reception& reception, core::Time now) {
  fax.next_at = now;
  fax.pages_announced = reception.pages_announced ? reception.pages_announced : fax.pages_announced;
  fax.cause_code.clear();
  fax.cause_text.clear();
  fax.fetch_tries = 0;
  if (fax.from.empty()) fax.from = reception.from;
  if (fax.to.empty()) fax.to = reception.to;
  if (reception.document) {
    fax.status = fax::Status::received;
    fax.document_id = reception.document->id;
    fax.pages = reception.document->pages ? reception.document->pages : reception.pages_announced;
    fax.mail_due = true;
    fax.mail_tries = 0;
    fax.media_delete_due = reception.media_delete_due;
    return {now, "Received", "The document is whole and stored."};
  }
  if (!reception.media_url.empty()) {
    fax.status = fax::Status::fetching;
    fax.media_url = reception.media_url;
    fax.pages = fax.pages_announced;
    return {now, "Received by the provider", "The document is being fetched."};
  }
  fax.status = fax::Status::failed;
  fax.cause_code = reception.cause_code;
  fax.cause_text = reception.cause_text;
  fax.next_at.reset();
  return {now, "Not received", reception.cause_text};
}

core::Result<Faxes::StoredFax> insert_reception(sql::Connection& connection, const Reception& reception, core::Time now) {
  Fax fax;
  fax.id = core::new_id(now);
  fax.version = 1;
  fax.direction = fax::Direction::inbound;
  fax.from = reception.from;
  fax.to = reception.to;
  fax.provider = reception.provider;
  fax.provider_id = reception.fax_sid;
  fax.created = fax.updated = now;
  fax.deadline = now + reception.lifetime;
  const auto event = apply(fax, reception, now);
  CORE_CHECK(insert_fax(connection, fax, std::nullopt, ""));
  if (reception.document) CORE_CHECK(attach(connection, fax.id, *reception.document));
  CORE_CHECK(insert_event(connection, fax.id, event));
  CORE_CHECK(insert_notice_of_end(connection, fax, std::nullopt, now));
  return Faxes::StoredFax{Stored::created, fax};
}

core::Result<bool> has_document(sql::Connection& connection, const std::string& fax_id, const std::string& sha256) {
  CORE_TRY(rows, connection.query("SELECT documents.id FROM fax_documents JOIN documents ON documents.id = fax_documents.document_id WHERE fax_documents.fax_id = :1 AND documents.sha256 = :2",
                                  {fax_id, sha256}));
  return !rows.empty();
}

// Something came for a fax that is in the book.
core::Result<Faxes::StoredFax> add_to(sql::Connection& connection, Fax fax, const Reception& reception, core::Time now) {
  const bool complete = fax.status == fax::Status::received;
  if (complete && reception.document) {
    CORE_TRY(same, has_document(connection, fax.id, reception.document->sha256));
    if (same) return Faxes::StoredFax{Stored::repeated, fax};
    CORE_CHECK(attach(connection, fax.id, *reception.document));
    fax.mail_due = true;
    fax.next_at = now;
    CORE_CHECK(update_fax(connection, fax, now));
    CORE_CHECK(insert_event(connection, fax.id, {now, "Another document came for the same fax", "It is kept beside the first, and goes to the mailbox too."}));
    CORE_CHECK(insert_notice(connection, "another_document", &fax, "", "", now));
    CORE_TRY(row, read_fax(connection, fax.id));
    return Faxes::StoredFax{Stored::beside, row};
  }
  const bool brings = reception.document || (!reception.media_url.empty() && fax.status != fax::Status::fetching);
  const bool first_word = fax.status == fax::Status::receiving;
  if (complete || (!brings && !first_word)) return Faxes::StoredFax{Stored::repeated, fax};
  const Fax before = fax;
  const auto event = apply(fax, reception, now);
  // Its time begins anew: what it was before had ended already.
  if (fax::is_final(before.status)) fax.deadline = now + reception.lifetime;
  CORE_CHECK(check_step(before, fax));
  CORE_CHECK(update_fax(connection, fax, now));
  CORE_CHECK(insert_notice_of_end(connection, fax, before.status, now));
  if (reception.document) CORE_CHECK(attach(connection, fax.id, *reception.document));
  CORE_CHECK(insert_event(connection, fax.id, event));
  CORE_TRY(row, read_fax(connection, fax.id));
  return Faxes::StoredFax{Stored::completed, row};
}

}  // namespace

namespace {

std::string_view words(Stored how) {
  switch (how) {
    case Stored::created: return "a new fax";
    case Stored::completed: return "it completes the record";
    case Stored::repeated: return "nothing new";
    case Stored::beside: return "another document, kept beside the first";
    case Stored::forgotten: break;
  }
  return "deleted here before: not taken up again";
}

}  // namespace

core::Result<Faxes::StoredFax> Faxes::receive(const Reception& reception, core::Time now, const Arrival* arrival) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(forgotten, is_forgotten(connection, reception.fax_sid));
  StoredFax stored{Stored::forgotten, {}};
  if (!forgotten) {
    CORE_TRY(known, known_fax(connection, reception.fax_sid));
    CORE_TRY(taken, known ? add_to(connection, *known, reception, now) : insert_reception(connection, reception, now));
    stored = std::move(taken);
  }
  CORE_CHECK(insert_arrival(connection, arrival, stored.fax.id, reception.fax_sid, words(stored.how), now));
  CORE_CHECK(transaction.commit());
  return stored;
}

core::Result<void> Faxes::note_receiving(const std::string& fax_sid, const std::string& from, const std::string& to, const std::string& provider, core::Time now,
                                         std::chrono::seconds lifetime, std::chrono::seconds patience, const Arrival* arrival) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(forgotten, is_forgotten(connection, fax_sid));
  CORE_TRY(known, known_fax(connection, fax_sid));
  if (forgotten) return {};
  if (known) {
    // Who has not been asked yet may be asked sooner.
    const bool sooner = known->status == fax::Status::receiving && known->fetch_tries == 0 && known->next_at && *known->next_at > now + patience;
    if (sooner) CORE_CHECK(connection.execute("UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE id = :2", {now + patience, known->id}));
    CORE_CHECK(insert_arrival(connection, arrival, known->id, fax_sid, "without a document: the provider is asked", now));
    return transaction.commit();
  }
  Fax fax;
  fax.id = core::new_id(now);
  fax.direction = fax::Direction::inbound;
  fax.status = fax::Status::receiving;
  fax.from = from;
  fax.to = to;
  fax.provider = provider;
  fax.provider_id = fax_sid;
  fax.created = now;
  fax.next_at = now + patience;
  fax.deadline = now + lifetime;
  CORE_CHECK(insert_fax(connection, fax, std::nullopt, ""));
  CORE_CHECK(insert_event(connection, fax.id, {now, "Coming in", ""}));
  CORE_CHECK(insert_arrival(connection, arrival, fax.id, fax_sid, "without a document: the provider is asked", now));
  return transaction.commit();
}

core::Result<bool> Faxes::is_known_or_forgotten(const std::string& fax_sid) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(forgotten, is_forgotten(connection, fax_sid));
  CORE_TRY(known, known_fax(connection, fax_sid));
  return forgotten || known.has_value();
}

core::Result<std::vector<Faxes::Mail>> Faxes::mails_due(const std::string& fax_id) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM fax_documents WHERE fax_id = :1 AND mailed_ms IS NULL ORDER BY position", {fax_id}));
  std::vector<Mail> mails;
  for (const auto& row : rows) mails.push_back({row.text("document_id"), row.int64("position"), row.text("mail_name")});
  return mails;
}

core::Result<void> Faxes::record_mail_name(const std::string& fax_id, std::int64_t position, const std::string& name) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.execute("UPDATE fax_documents SET mail_name = :1 WHERE fax_id = :2 AND position = :3 AND mail_name = ''", {name, fax_id, position}));
  if (rows == 0) return core::Error{core::Code::conflict, "the mail of fax " + fax_id + " has a name already"};
  return {};
}

core::Result<void> Faxes::record_mail_delivered(const std::string& fax_id, std::int64_t position, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE fax_documents SET mailed_ms = COALESCE(mailed_ms, :1) WHERE fax_id = :2 AND position = :3", {now, fax_id, position}));
  return {};
}

}  // namespace store
