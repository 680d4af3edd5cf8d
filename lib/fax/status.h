// The states of a fax, and what may follow what.
#pragma once

#include <optional>
#include <string_view>

namespace fax {

enum class Direction { outbound, inbound };

enum class Status {
  queued, preparing, submitting, checking, sending, waiting,      // outbound, not final
  delivered, partly_delivered, failed, canceled, unresolved,      // outbound, final; failed: inbound, too
  receiving, fetching,                                            // inbound, not final
  received,                                                       // inbound, final
};

std::string_view name(Direction direction);
std::string_view name(Status status);  // "partly_delivered"
std::optional<Direction> parse_direction(std::string_view word);
std::optional<Status> parse_status(std::string_view word);

bool is_final(Status status);

// Whether `to` may follow `from`. The same state may always follow itself. A final state is followed by
// another only where late evidence corrects it: unresolved, an outbound failed (our own time-out; the caller knows),
// and an inbound failed, which a late document completes.
bool may_follow(Direction direction, Status from, Status to);

// The word that Twilio's API has for it ("no-answer"), with the cause's code: the seed's /api/fax.
std::string_view twilio_word(Direction direction, Status status, std::string_view cause_code);

}  // namespace fax
