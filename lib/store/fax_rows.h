// Rows of the fax database to values and back (peculiar to this module).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/database.h"
#include "store/rows.h"

namespace store {

// The cause of a fax whose end a person told.
inline constexpr std::string_view kSettled = "settled_by_person";

std::string_view name(DocumentState state);

Document document_of(const sql::Row& row);
Fax fax_of(const sql::Row& row);
Attempt attempt_of(const sql::Row& row);

// Writes a fax that is not there yet. conflict: its id, FaxSid or Idempotency-Key is.
core::Result<void> insert_fax(sql::Connection& connection, const Fax& fax, const std::optional<std::string>& idempotency_key, const std::string& idempotency_digest);

// Writes all that may change, if the version is the fax's; true: it was.
core::Result<bool> update_fax(sql::Connection& connection, const Fax& fax, core::Time now, std::string_view worker = {});
// conflict, field lease: the fax is not leased by `worker`. An empty one is asked nothing.
core::Result<void> check_lease(sql::Connection& connection, const std::string& fax_id, std::string_view worker);
// What is wrong when update_fax() said false.
core::Error not_updated(sql::Connection& connection, const Fax& fax, std::string_view worker);

// internal, and a line in the log, if what `after` says may not follow what `before` said (lib/queue/README.md).
core::Result<void> check_step(const Fax& before, const Fax& after);

// Of a document that goes out of the book: a sent fax goes on naming it, so that one who sends it again is told what is missing.
core::Result<void> drop_uses(sql::Connection& connection, const std::string& document_id);
core::Result<void> insert_document(sql::Connection& connection, const Document& document);
core::Result<void> write_facts(sql::Connection& connection, const Facts& facts);
core::Result<void> insert_event(sql::Connection& connection, const std::string& fax_id, const Event& event);
// Nothing, if `arrival` is null.
core::Result<void> insert_arrival(sql::Connection& connection, const Arrival* arrival, std::string_view fax_id, std::string_view fax_sid, std::string_view decided, core::Time now);
core::Result<std::vector<std::string>> ids_of(sql::Connection& connection, std::string_view statement, const sql::Binds& binds);  // of the column `id`
core::Result<Fax> read_fax(sql::Connection& connection, const std::string& id);  // not_found
core::Result<Attempt> read_attempt(sql::Connection& connection, const std::string& id);  // not_found

}  // namespace store
