// What the fax database holds, as plain values. Times are whole milliseconds
// since 1970 in UTC; an empty text is an unknown one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "fax/status.h"

namespace store {

// Small things that the line knows, by name.
using Facts = std::vector<std::pair<std::string, std::string>>;

enum class DocumentState { queued, ready, refused };

// A document that was uploaded or received; its bytes are in the spool under the same id.
struct Document {
  std::string id;
  std::string owner;      // user name; empty: received
  std::string file_name;  // as the person called it
  std::string sha256;     // hex
  std::int64_t bytes = 0;
  DocumentState state = DocumentState::queued;
  std::optional<std::int64_t> pages;
  std::string warning;     // in words; empty: none
  std::string cause_code;  // of fax/cause.h; of a refused one
  std::string cause_text;
  core::Time created{};
};

// One fax, of either direction.
struct Fax {
  std::string id;
  std::int64_t version = 0;  // grows with every change; save() wants the one that was read
  fax::Direction direction = fax::Direction::outbound;
  fax::Status status = fax::Status::queued;
  std::string owner;  // who sent it; empty: received
  std::string from;   // E.164, or what the provider said; empty: withheld
  std::string to;
  std::string provider;  // sandbox, twilio, signalwire
  std::string provider_id;  // latest attempt's id at the provider; of a received fax the FaxSid
  std::optional<std::int64_t> pages;
  std::optional<std::int64_t> pages_done;
  std::string cause_code;  // of fax/cause.h; empty: none
  std::string cause_text;  // the provider's own words, where it gave some
  std::int64_t attempt = 0;       // calls begun
  std::int64_t ends_to_retry = 0; // ends with a cause to retry: what RETRY_LIMIT counts
  std::string resend_of;
  bool read = false;
  bool cancel_requested = false;
  bool cancel_tried = false;  // the provider was asked, and said that it is too late
  core::Time created{};
  core::Time updated{};
  std::optional<core::Time> next_at;  // when the queue has something to do; nothing: never
  core::Time deadline{};              // no fax is unfinished after it
  std::string document_id;            // what the provider is given, or what was received; empty: not yet
  // Received faxes only.
  std::string media_url;              // where the document is to be fetched
  std::optional<std::int64_t> pages_announced;  // NumPages
  std::int64_t fetch_tries = 0;
  bool mail_due = false;          // a mail is still to be delivered
  std::int64_t mail_tries = 0;
  std::string notice_name;        // recorded before a notice is delivered
  bool media_delete_due = false;  // the provider's copy is still to be deleted
};

// Who said the last word about a fax that is final: told by its cause.
fax::Decided decided_by(const Fax& fax);

// One call to the provider, or the intent to make it. Tokens are kept as SHA-256 alone.
struct Attempt {
  std::string id;  // also the name of its copy in handout/
  std::string fax_id;
  std::int64_t number = 0;  // from 1
  std::string to;
  core::Time intent{};                    // committed before the call
  std::optional<core::Time> handed_out;   // committed before the first byte of the document
  std::string provider_id;                // from the call's own answer, or adopted
  std::string hinted_id;                  // a FaxSid that a callback brought while ours is unknown: to be read before it is adopted
  std::string error_code;                 // from a callback: Twilio's API does not repeat it
  std::string error_message;
  std::optional<core::Time> voided;       // not handed out, and never will be
  std::optional<core::Time> ended;        // final, by the provider's word or by a refusal
  bool refused = false;                   // ended by a well-formed refusal: no fax was made
  std::optional<core::Time> unknown_since;  // the call's outcome is unknown since
  std::int64_t polls = 0;
  std::optional<core::Time> final_seen;  // first seen final without a reason: it may come by callback
  std::optional<core::Time> last_look;   // for a call whose outcome is unknown
  std::int64_t looked_ms = 0;            // how long it was looked for with success
};

struct Event {
  core::Time at{};
  std::string what;  // in words for a person
  std::string why;   // may be empty
};

// What the provider sent, for the journal: nothing in it is a secret.
struct Arrival {
  std::string route;    // "payload", "callback"
  std::string headers;  // "Name: value", a line each
  std::string fields;   // of the form, the same
  std::string sha256;   // of the document, or else of the form; hex
  std::int64_t bytes = 0;
};

// One line of the journal.
struct JournalEntry {
  core::Time at{};
  std::string fax_sid;
  Arrival arrival;
  std::string decided;  // in words
};

// Webhooks that were refused although they name our account and number: each may be a fax that is lost.
struct Refusal {
  std::string cause;   // a code of fax/cause.h: "webhook_other_key"
  std::string detail;  // of the last one; such as the address that it was signed for
  std::string fax_sid; // of the last one, as it said
  std::string from;
  std::int64_t count = 0;
  core::Time first{};
  core::Time last{};
};

// Calls to the account are held: 429, 401 or 403.
struct Hold {
  std::string kind;  // rate_limited or unauthorized
  core::Time since{};
  core::Time until{};
  std::int64_t tries = 0;
};

}  // namespace store
