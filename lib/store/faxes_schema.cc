#include "store/faxes_schema.h"

#include <array>

namespace store {

namespace {

// Times are whole milliseconds; flags are 0 or 1; a text that may be unknown is ''.
const std::array<sql::Migration, 6> kMigrations{{
    {1,
     {
         "CREATE TABLE documents (id TEXT PRIMARY KEY, owner TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BIGINT NOT NULL, "
         "state TEXT NOT NULL, pages BIGINT, warning TEXT NOT NULL, cause_code TEXT NOT NULL, cause_text TEXT NOT NULL, created_ms BIGINT NOT NULL)",
         "CREATE INDEX documents_by_state ON documents (state, created_ms)",
         "CREATE TABLE faxes (id TEXT PRIMARY KEY, version BIGINT NOT NULL, direction TEXT NOT NULL, status TEXT NOT NULL, owner TEXT NOT NULL, "
         "from_number TEXT NOT NULL, to_number TEXT NOT NULL, provider TEXT NOT NULL, provider_id TEXT NOT NULL, pages BIGINT, pages_done BIGINT, "
         "cause_code TEXT NOT NULL, cause_text TEXT NOT NULL, attempt BIGINT NOT NULL, ends_to_retry BIGINT NOT NULL, resend_of TEXT NOT NULL, "
         "is_read BIGINT NOT NULL, cancel_requested BIGINT NOT NULL, cancel_tried BIGINT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, "
         "next_at_ms BIGINT, deadline_ms BIGINT NOT NULL, document_id TEXT NOT NULL, media_url TEXT NOT NULL, pages_announced BIGINT, "
         "fetch_tries BIGINT NOT NULL, mail_due BIGINT NOT NULL, mail_tries BIGINT NOT NULL, notice_name TEXT NOT NULL, media_delete_due BIGINT NOT NULL, "
         "final_ms BIGINT, lease_owner TEXT NOT NULL, lease_until_ms BIGINT NOT NULL, idempotency_key TEXT, idempotency_digest TEXT NOT NULL)",
         "CREATE INDEX faxes_due ON faxes (next_at_ms)",
         "CREATE INDEX faxes_by_direction ON faxes (direction, id)",
         "CREATE INDEX faxes_by_provider_id ON faxes (provider_id)",
         "CREATE UNIQUE INDEX faxes_received_once ON faxes (provider_id) WHERE direction = 'inbound'",
         "CREATE UNIQUE INDEX faxes_idempotency ON faxes (owner, idempotency_key)",
         "CREATE TABLE fax_documents (fax_id TEXT NOT NULL, position BIGINT NOT NULL, document_id TEXT NOT NULL, mail_name TEXT NOT NULL, mailed_ms BIGINT, "
         "PRIMARY KEY (fax_id, position))",
         "CREATE INDEX fax_documents_by_document ON fax_documents (document_id)",
         "CREATE TABLE attempts (id TEXT PRIMARY KEY, fax_id TEXT NOT NULL, number BIGINT NOT NULL, to_number TEXT NOT NULL, media_token_hash TEXT NOT NULL, "
         "callback_token_hash TEXT NOT NULL, intent_ms BIGINT NOT NULL, handed_out_ms BIGINT, provider_id TEXT NOT NULL, hinted_id TEXT NOT NULL, "
         "error_code TEXT NOT NULL, error_message TEXT NOT NULL, voided_ms BIGINT, ended_ms BIGINT, refused BIGINT NOT NULL, unknown_since_ms BIGINT, "
         "polls BIGINT NOT NULL, final_seen_ms BIGINT, last_look_ms BIGINT, looked_ms BIGINT NOT NULL)",
         "CREATE INDEX attempts_of_fax ON attempts (fax_id, number)",
         "CREATE UNIQUE INDEX attempts_by_media_token ON attempts (media_token_hash)",
         "CREATE UNIQUE INDEX attempts_by_callback_token ON attempts (callback_token_hash)",
         "CREATE INDEX attempts_by_provider_id ON attempts (provider_id)",
         "CREATE INDEX attempts_to ON attempts (to_number)",
         "CREATE TABLE events (id TEXT PRIMARY KEY, fax_id TEXT NOT NULL, position BIGINT NOT NULL, at_ms BIGINT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL)",
         "CREATE INDEX events_of_fax ON events (fax_id, position)",
         "CREATE TABLE tombstones (fax_sid TEXT PRIMARY KEY, deleted_ms BIGINT NOT NULL)",
         "CREATE TABLE holds (id BIGINT PRIMARY KEY, kind TEXT NOT NULL, since_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL, tries BIGINT NOT NULL)",
         "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
     }},
    {2,
     {
         // `open` is counted since a first webhook was last taken, `total` for ever.
         "CREATE TABLE refusals (cause TEXT PRIMARY KEY, open BIGINT NOT NULL, total BIGINT NOT NULL, first_ms BIGINT NOT NULL, last_ms BIGINT NOT NULL, "
         "fax_sid TEXT NOT NULL, from_number TEXT NOT NULL, detail TEXT NOT NULL)",
     }},
    {3,
     {
         "CREATE INDEX faxes_by_document ON faxes (document_id)",
         // What came from the provider, and what was decided.
         "CREATE TABLE journal (id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, fax_id TEXT NOT NULL, fax_sid TEXT NOT NULL, route TEXT NOT NULL, headers TEXT NOT NULL, "
         "fields TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BIGINT NOT NULL, decided TEXT NOT NULL)",
         "CREATE INDEX journal_of_fax ON journal (fax_id)",
         "CREATE INDEX journal_by_time ON journal (at_ms)",
     }},
    {4,
     {
         // A notice copies what was true of the fax; an errand is one notice by one way, over when `next_at_ms` is NULL.
         "CREATE TABLE notices (id TEXT PRIMARY KEY, fax_id TEXT NOT NULL, event TEXT NOT NULL, before_state TEXT NOT NULL, at_ms BIGINT NOT NULL, direction TEXT NOT NULL, "
         "owner TEXT NOT NULL, from_number TEXT NOT NULL, to_number TEXT NOT NULL, provider TEXT NOT NULL, provider_id TEXT NOT NULL, pages BIGINT, pages_done BIGINT, "
         "cause_code TEXT NOT NULL, cause_text TEXT NOT NULL, document_id TEXT NOT NULL, attempt BIGINT NOT NULL, fax_created_ms BIGINT NOT NULL, shared BIGINT NOT NULL)",
         "CREATE INDEX notices_not_shared ON notices (id) WHERE shared = 0",
         "CREATE INDEX notices_by_age ON notices (at_ms)",
         "CREATE TABLE errands (notice_id TEXT NOT NULL, way TEXT NOT NULL, tries BIGINT NOT NULL, next_at_ms BIGINT, mail_name TEXT NOT NULL, trouble TEXT NOT NULL, failed_ms BIGINT, "
         "done_ms BIGINT, given_up_ms BIGINT, lease_owner TEXT NOT NULL, lease_until_ms BIGINT NOT NULL, PRIMARY KEY (notice_id, way))",
         "CREATE INDEX errands_due ON errands (next_at_ms)",
         "CREATE INDEX errands_failed ON errands (failed_ms) WHERE trouble <> ''",
     }},
    {5,
     {
         "CREATE TABLE troubles (kind TEXT PRIMARY KEY, text TEXT NOT NULL, since_ms BIGINT NOT NULL, last_ms BIGINT NOT NULL, tries BIGINT NOT NULL)",
         "CREATE TABLE beats (name TEXT PRIMARY KEY, at_ms BIGINT NOT NULL)",
         // Durations by length: `bucket` counts from 0, as store/watch.h has them.
         "CREATE TABLE measures (name TEXT NOT NULL, bucket BIGINT NOT NULL, n BIGINT NOT NULL, sum_ms BIGINT NOT NULL, PRIMARY KEY (name, bucket))",
         "CREATE INDEX faxes_by_state ON faxes (direction, status)",
         "CREATE INDEX faxes_open ON faxes (direction, created_ms) WHERE final_ms IS NULL",
         "CREATE INDEX faxes_mail_due ON faxes (id) WHERE mail_due = 1",
     }},
    {6,
     {
         // A provider's id is one call's alone; where two calls have it, it is the first one's.
         "UPDATE attempts SET provider_id = '' WHERE provider_id <> '' AND EXISTS (SELECT 1 FROM attempts a WHERE a.provider_id = attempts.provider_id AND a.id < attempts.id)",
         "CREATE UNIQUE INDEX attempts_provider_id_once ON attempts (provider_id) WHERE provider_id <> ''",
         // Keys of faxes that were deleted.
         "CREATE TABLE spent_keys (owner TEXT NOT NULL, idempotency_key TEXT NOT NULL, spent_ms BIGINT NOT NULL, PRIMARY KEY (owner, idempotency_key))",
     }},
}};

}  // namespace

std::span<const sql::Migration> fax_migrations() { return kMigrations; }

}  // namespace store
