// The states of a fax, as the API names them, and which may follow which.
#pragma once

#include <optional>
#include <string_view>

namespace fax {

enum class Direction { outbound, inbound };

enum class Status {
  // outbound, on their way
  queued,      // accepted and durable; nothing begun
  preparing,   // its documents are being made into pages
  submitting,  // the intent to call the provider is written, the call's outcome is not
  checking,    // the call's outcome is unknown and is being looked for
  sending,     // the provider has it
  waiting,     // for the next attempt; the cause is the last attempt's
  // outbound, final
  delivered,
  partly_delivered,  // delivered, by a count of fewer pages than we gave
  failed,            // of both directions
  canceled,
  unresolved,        // nobody could say; the person decides, later evidence corrects
  // inbound
  receiving,  // on the telephone line
  fetching,   // the provider has the document, we do not have it yet
  received,   // final: the document is whole and durable here
};

// Who said the last word about a fax that is final. Only the provider's word is for ever.
enum class Decided { by_provider, by_us, by_person };

// The API's word: "partly_delivered". Never empty.
std::string_view name(Direction direction);
std::string_view name(Status status);

// The same read back; empty for any other word.
std::optional<Direction> parse_direction(std::string_view word);
std::optional<Status> parse_status(std::string_view word);

// True for delivered, partly_delivered, failed, canceled, unresolved, received.
bool is_final(Status status);

// True if a fax of that direction can ever be in that state.
bool belongs(Direction direction, Status status);

// True if `to` may follow `from`; a state never follows itself. All that may is in the two tables of lib/queue/README.md.
// `decided` counts for final `from` only: the provider's word stays, but for unresolved and for a received fax that
// failed, which a document completes, whoever decided. Evidence that a fax is still under way moves no final state.
bool may_follow(Direction direction, Status from, Status to, Decided decided = Decided::by_provider);

// The word of Twilio's fax API that says the most of it: queued, processing, sending, delivered, receiving, received,
// no-answer, busy, failed, canceled. `cause_code` (cause.h; empty: none) tells apart why it failed. A fax that arrived in
// part, or nobody knows, is "failed": Twilio has no better word, and "delivered" would be a lie.
std::string_view twilio_word(Direction direction, Status status, std::string_view cause_code = {});

}  // namespace fax
