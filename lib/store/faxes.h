// The book of faxes: documents, faxes, attempts, events. Every change is one
// transaction and on the disk when the call returns; every change to a fax says
// which version it was made from, so that two programs never overwrite each other.
//
// Errors of all calls, besides those named: unavailable (database busy or
// locked for too long), no_space, internal. After an error nothing is changed,
// but for unknown_outcome (a connection lost in COMMIT), after which it is or is not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sql/database.h"
#include "store/rows.h"

namespace store {

struct NewFax {
  std::string owner;
  std::string from;
  std::string to;        // E.164
  std::string provider;
  std::vector<std::string> document_ids;  // in order; at least one
  std::string resend_of;
  std::string idempotency_key;     // empty: none
  std::string idempotency_digest;  // of `to` and the files
  std::chrono::seconds lifetime{0};  // until its deadline
};

struct Created {
  Fax fax;
  bool is_new = true;  // false: the Idempotency-Key had made this fax before
};

// A payload, as it came by webhook or as the reconciler found it at the provider.
struct Reception {
  std::string fax_sid;
  std::string from;
  std::string to;
  std::string provider;
  std::optional<std::int64_t> pages_announced;
  std::string media_url;               // to fetch; empty: none
  std::optional<Document> document;    // already in the spool
  std::string cause_code;              // of a reception that failed
  std::string cause_text;
  bool media_delete_due = false;
  std::chrono::seconds lifetime{0};
};

enum class Stored {
  created,    // a fax that was not known
  completed,  // a record that had no document has one now, or a promise of one
  repeated,   // nothing new: the document, if one was given, is not referenced
  beside,     // another document for the same FaxSid: kept beside the first
  forgotten,  // deleted here before: a tombstone stands, nothing is kept
};

struct ListQuery {
  std::optional<fax::Direction> direction;
  std::vector<fax::Status> statuses;  // empty: all
  std::string digits;                 // part of a number; empty: all
  std::string before;                 // id of the last one of the page before; empty: newest
  std::int64_t limit = 50;
};

// The fact by which the command asks the queue for a comparison with the provider's list (queue/reconcile.h).
constexpr std::string_view kReconcileAsked = "reconcile.asked.";
constexpr std::string_view kSince = "since ";

class Notices;

class Faxes {
 public:
  // Makes or migrates the schema. `settings` if the database is of a newer program.
  static core::Result<Faxes> open(std::shared_ptr<sql::Database> database);

  // --- documents ---
  core::Result<void> add_document(const Document& document);
  core::Result<Document> document(const std::string& id);             // not_found
  core::Result<void> save_document(const Document& document);         // state, pages, warning, cause
  core::Result<std::vector<Document>> documents_of(const std::string& fax_id);  // in order
  // Ids of what the fax was made of, in order. A sent fax names its documents for as long as it is in the book itself; a
  // received one those that are kept.
  core::Result<std::vector<std::string>> document_ids_of(const std::string& fax_id);
  core::Result<std::optional<Document>> next_queued_document();  // oldest first

  // --- what is over (queue/purge.h): ids in order, 200 at most, those after `after` ---
  // Of documents made before `before` that no fax uses.
  core::Result<std::vector<std::string>> unused_documents(core::Time before, const std::string& after = {});
  // Of documents all of whose faxes are over: final, and not changed since `before`, nothing still to be delivered or to
  // be deleted at the provider, and not unresolved.
  core::Result<std::vector<std::string>> outlived_documents(core::Time before, const std::string& after = {});
  // Of faxes that are over in the same sense, and have no document any more.
  core::Result<std::vector<std::string>> outlived_faxes(core::Time before, const std::string& after = {});
  // Those of `ids` (200 at most) that are no document's.
  core::Result<std::vector<std::string>> without_document(const std::vector<std::string>& ids);
  // Takes the document out of the book; a fax whose last one it was gets the event, if there is one. conflict: a fax that
  // is not over uses it.
  core::Result<void> forget_document(const std::string& id, const std::optional<Event>& event = std::nullopt);
  // Attempts of faxes that are not in the book, begun before `before`; 200 at most. How many.
  core::Result<std::int64_t> forget_attempts(core::Time before);
  // Idempotency-Keys of faxes that were deleted before `before`.
  core::Result<void> forget_keys(core::Time before);

  // --- faxes ---
  // not_found (field documents: one is unknown, or another person's is no matter: all see all);
  // invalid (the key was used for another body; field documents: one was refused); conflict (field Idempotency-Key: the fax
  // that was made with this key has been deleted). The event "queued" is written with it.
  core::Result<Created> create(const NewFax& wanted, core::Time now);
  // The fax that this person's Idempotency-Key made; conflict (field Idempotency-Key): it has been deleted.
  core::Result<std::optional<Fax>> fax_of_key(const std::string& owner, const std::string& key);
  core::Result<Fax> fax(const std::string& id);  // not_found
  core::Result<Fax> fax_of_provider_id(const std::string& provider_id);  // not_found
  core::Result<std::vector<Fax>> list(const ListQuery& query);
  core::Result<std::vector<Event>> events(const std::string& fax_id);
  core::Result<std::int64_t> unread_count();
  struct Count { std::string direction; std::string status; std::int64_t count; };
  core::Result<std::vector<Count>> counts();  // of all faxes in the book

  // Writes all of the fax but id, direction, owner, created; `version` must be the one
  // in the book, else conflict, and nothing is written. Sets `updated`, and `version` anew.
  // `worker`: who leased the fax (empty: nobody); when its lease has gone to another, conflict (field lease).
  core::Result<void> save(Fax& fax, core::Time now, std::span<const Event> events = {}, std::string_view worker = {});
  // Sets `read`, `cancel_requested` (wakes the queue) alone, whatever the version. not_found.
  core::Result<Fax> mark_read(const std::string& id, bool read, core::Time now);
  core::Result<Fax> request_cancel(const std::string& id, core::Time now);  // conflict when final
  // A person says how a fax ended that is unresolved: delivered or failed. conflict for any other fax. Written with its
  // event; the cause is "settled_by_person", which later evidence corrects.
  core::Result<Fax> settle(const std::string& id, fax::Status as, const std::string& person, core::Time now);
  core::Result<void> add_event(const std::string& fax_id, const Event& event);
  // Takes a final fax out of the book, leaves a tombstone of its FaxSid, and its Idempotency-Key as spent; gives the ids of
  // the documents that nothing references any more. conflict when not final.
  core::Result<std::vector<std::string>> remove(const std::string& id, core::Time now);

  // --- receiving ---
  struct StoredFax { Stored how; Fax fax; };
  // `arrival`, where it came by a webhook, is written into the journal in the same transaction, with what was decided.
  core::Result<StoredFax> receive(const Reception& reception, core::Time now, const Arrival* arrival = nullptr);
  // The best-effort note of a first webhook: a record in `receiving`, if there is none; where there is one, it is asked
  // about sooner, if `patience` is shorter and nobody has asked yet.
  // `patience`: until the provider is asked what became of it.
  core::Result<void> note_receiving(const std::string& fax_sid, const std::string& from, const std::string& to,
                                    const std::string& provider, core::Time now, std::chrono::seconds lifetime,
                                    std::chrono::seconds patience = std::chrono::minutes(15), const Arrival* arrival = nullptr);
  core::Result<bool> is_known_or_forgotten(const std::string& fax_sid);
  // Documents of a received fax whose mail is not yet delivered, each with the name recorded for it (empty: none yet).
  struct Mail { std::string document_id; std::int64_t position; std::string mail_name; };
  core::Result<std::vector<Mail>> mails_due(const std::string& fax_id);
  // conflict, and nothing is written, when another name is recorded already.
  core::Result<void> record_mail_name(const std::string& fax_id, std::int64_t position, const std::string& name);
  core::Result<void> record_mail_delivered(const std::string& fax_id, std::int64_t position, core::Time now);

  enum class Replay { mail, mail_due, fetch };
  // A person asks for a received fax again: its documents go to the mailbox as new mails (`mail`; `mail_due`: they are still
  // to be delivered, and it is tried at once), or, where none came, it is fetched anew. The event names `person`. not_found;
  // conflict: a sent fax, or one whose document is no longer kept.
  core::Result<Replay> replay(const std::string& id, const std::string& person, core::Time now, std::chrono::seconds lifetime);

  // --- the journal of what came ---
  core::Result<std::vector<JournalEntry>> journal(const std::string& fax_id);  // oldest first; 200 at most
  // Entries older than `before`, and all but the newest `kept`; 500 at most at once. How many.
  core::Result<std::int64_t> trim_journal(core::Time before, std::int64_t kept);

  // --- copies of the book ---
  core::Result<std::vector<Document>> documents_after(const std::string& id);  // by id, 200 at most
  core::Result<std::int64_t> bytes_of_documents();
  core::Result<bool> is_empty();  // neither fax nor document
  // What a copy of the book, made at `copied`, becomes when it is put in place: sent faxes that had not ended are unresolved, and
  // nothing is submitted for them; received ones go on, with `lifetime` from now on; leases and holds are over; `mark`, the
  // fact with the time of the last comparison with the provider's list, is no later than the copy. How many are unresolved.
  core::Result<std::int64_t> take_over_copy(core::Time copied, core::Time now, std::chrono::seconds lifetime, const std::string& mark);
  // A document whose file the copy lacks: the book forgets it, whatever its faxes are, and they say so.
  core::Result<void> lose_document(const std::string& id, core::Time now);

  // --- webhooks ---
  // Counts `refused.count` more of this cause; detail, FaxSid and sender become those of the last one.
  core::Result<void> note_refused(const Refusal& refused, core::Time now);
  // Since a first webhook was last taken; the latest first. One for each cause at most.
  core::Result<std::vector<Refusal>> refusals();
  core::Result<std::int64_t> refused_in_all();  // never falls
  // A first webhook was taken: what was refused before is over; of an unsigned one (`is_signed` false) only the refusals
  // for `unsigned_cause`. Writes at most once a minute when there is nothing to clear.
  core::Result<void> note_taken(bool is_signed, std::string_view unsigned_cause, core::Time now);
  core::Result<std::optional<core::Time>> last_taken();  // to the minute; nothing: none yet

  // --- the queue ---
  // Leases the due fax that waits longest, if there is one, in one statement: several daemons on one database never
  // wait for each other, nor lease the same one. A lease ends by release() or by its time; a worker gets what it leased
  // under its own name again (it was killed), so names must be unique among all machines.
  // `take` without_fetching leaves documents that are to be fetched, which may take long, to other workers.
  enum class Take { anything, without_fetching };
  core::Result<std::optional<Fax>> claim(const std::string& worker, core::Time now, core::Milliseconds lease, Take take = Take::anything);
  // The lease ends at `until`, if the fax is still this worker's; false: it is another's.
  core::Result<bool> renew(const std::string& fax_id, const std::string& worker, core::Time until);
  core::Result<bool> has_lease(const std::string& fax_id, const std::string& worker);
  core::Result<void> release(const std::string& fax_id, const std::string& worker);
  core::Result<std::optional<core::Time>> next_due();  // of faxes that nobody has leased

  // --- a clock that was set ---
  // Whatever is not final ends then at the earliest. `facts` are written with it: both, or neither.
  core::Result<void> restart_deadlines(core::Time deadline, const Facts& facts);
  // The clock was set back by `by`, and is `now`: what lies in the future (next times and leases of faxes and of notices, holds,
  // what attempts wait for) comes nearer by as much, so that nothing waits longer than was meant; no deadline is later than now + `lifetime`.
  // `facts` as above: done twice, what waits would come nearer by twice as much.
  core::Result<void> set_back(core::Time now, core::Milliseconds by, std::chrono::seconds lifetime, const Facts& facts);
  // What is past its deadline and not final is due, whatever it waits for.
  core::Result<void> wake_overdue(core::Time now);

  // --- attempts: the fence ---
  // Writes the intent to call, before the call; `status` becomes submitting, attempt and
  // next_at as in `fax`. Conflict if the fax's version is another, or if another attempt to
  // this number is without a provider's id (field `to`), or if the lease is another worker's (field lease). The fax's own last attempt must be over.
  core::Result<Attempt> begin_attempt(Fax& fax, std::string_view attempt_id, std::string_view media_token_hash, std::string_view callback_token_hash,
                                      core::Time now, std::string_view worker = {});
  // Whether there is an attempt to this number without a provider's id: begin_attempt() would be a conflict (field `to`).
  core::Result<bool> is_call_open(const std::string& to);
  core::Result<std::vector<Attempt>> attempts(const std::string& fax_id);  // oldest first
  core::Result<std::optional<Attempt>> last_attempt(const std::string& fax_id);
  core::Result<Attempt> attempt_of_media_token(std::string_view hash);     // not_found: unknown, void, over, or its fax deleted
  core::Result<Attempt> attempt_of_callback_token(std::string_view hash);  // not_found: unknown
  // Commits "handed out" before the first byte. False: void, over or deleted meanwhile.
  core::Result<bool> hand_out(const std::string& attempt_id, core::Time now);
  // One conditional update: void unless handed out, ended, or known to the provider. False: it was too late.
  core::Result<bool> void_attempt(const std::string& attempt_id, core::Time now);
  // The provider's id, into the attempt that called; never over another one. Conflict if another stands there, or if the
  // id is that of another call (field provider_id), its fax deleted or not: an id is one call's alone.
  core::Result<void> record_provider_id(const std::string& attempt_id, const std::string& provider_id);
  // The FaxSid that a callback brought turned out to be another fax's: the next callback counts again.
  core::Result<void> forget_hint(const std::string& attempt_id, const std::string& fax_sid);
  core::Result<void> record_unknown(const std::string& attempt_id, core::Time now);
  core::Result<void> record_poll(const std::string& attempt_id);
  core::Result<void> record_final_seen(const std::string& attempt_id, core::Time now);
  core::Result<void> record_look(const std::string& attempt_id, std::int64_t looked_ms, core::Time now);
  core::Result<void> end_attempt(const std::string& attempt_id, bool refused, core::Time now);
  // What a callback on the attempt's token brought; code and message: why the fax ended, empty where it has not. Makes the fax due. Ignored (false) if
  // its FaxSid is not the attempt's, or is another attempt's.
  core::Result<bool> note_callback(const std::string& attempt_id, const std::string& fax_sid, const std::string& error_code,
                                   const std::string& error_message, core::Time now, const Arrival* arrival = nullptr);
  core::Result<bool> is_provider_id_known(const std::string& provider_id);
  // False if a call to the attempt's number that was begun and not refused was voided since `since` with
  // its id still unknown, or one there is unresolved (its fax may be deleted): then a fax in the provider's list could be that one's.
  core::Result<bool> list_may_decide(const Attempt& attempt, core::Time since);
  // Ids of attempts whose copy a provider may still fetch. One that nobody ever heard of stays open: its copy goes with the
  // fax, or when that has been final since before `final_before`.
  core::Result<std::vector<std::string>> open_attempts(core::Time final_before);

  // --- holds, and small facts ---
  core::Result<std::optional<Hold>> hold();
  core::Result<void> set_hold(const std::optional<Hold>& hold);
  // One fax tries the held account: true for one caller after the hold's time, which is `until` from then on. True too when
  // there is no hold.
  core::Result<bool> take_probe(core::Time now, core::Time until);
  // The hold's time is over now, and the faxes that wait for it are due.
  core::Result<void> shorten_hold(core::Time now);
  Notices notices() const;  // of the same database (notices.h)
  core::Result<std::string> fact(const std::string& name);  // empty: none
  core::Result<void> set_fact(const std::string& name, const std::string& value);
  // A notice that is not about one fax, and facts that go with it: all, or nothing.
  core::Result<void> tell(std::string_view event, std::string_view cause_code, std::string_view cause_text, core::Time now, const Facts& facts);
  core::Result<void> forget_fact(const std::string& name);
  core::Result<Facts> facts(const std::string& prefix);  // whose names begin so, by name
  core::Result<void> set_facts(const Facts& facts);  // all, or none

 private:
  explicit Faxes(std::shared_ptr<sql::Database> database) : database_(std::move(database)) {}
  std::shared_ptr<sql::Database> database_;
};

}  // namespace store
