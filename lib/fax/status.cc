#include "fax/status.h"

#include <array>
#include <utility>

namespace fax {
namespace {

constexpr std::array<std::pair<Status, std::string_view>, 14> kNames{{
    {Status::queued, "queued"},
    {Status::preparing, "preparing"},
    {Status::submitting, "submitting"},
    {Status::checking, "checking"},
    {Status::sending, "sending"},
    {Status::waiting, "waiting"},
    {Status::delivered, "delivered"},
    {Status::partly_delivered, "partly_delivered"},
    {Status::failed, "failed"},
    {Status::canceled, "canceled"},
    {Status::unresolved, "unresolved"},
    {Status::receiving, "receiving"},
    {Status::fetching, "fetching"},
    {Status::received, "received"},
}};

// What may follow a state that is not final, besides failed and (outbound) canceled and unresolved, which always may:
// each state has a deadline, each may be canceled, and a restored book may be older than the truth.
struct Step {
  Status from, to;
};
constexpr Step kSteps[] = {
    {Status::queued, Status::preparing},
    {Status::queued, Status::submitting},
    {Status::preparing, Status::queued},  // the queue died over it, or a document is not ready
    {Status::preparing, Status::submitting},
    {Status::preparing, Status::waiting},
    {Status::submitting, Status::preparing},  // certainly not taken; its pages are made anew
    {Status::submitting, Status::waiting},
    {Status::submitting, Status::checking},
    {Status::submitting, Status::sending},
    {Status::submitting, Status::delivered},  // a callback may be faster than the call's own answer
    {Status::submitting, Status::partly_delivered},
    {Status::checking, Status::submitting},
    {Status::checking, Status::waiting},
    {Status::checking, Status::sending},
    {Status::checking, Status::delivered},
    {Status::checking, Status::partly_delivered},
    {Status::sending, Status::checking},  // the provider says that it does not know it
    {Status::sending, Status::waiting},
    {Status::sending, Status::delivered},
    {Status::sending, Status::partly_delivered},
    {Status::waiting, Status::queued},
    {Status::waiting, Status::preparing},
    {Status::waiting, Status::submitting},
    {Status::waiting, Status::delivered},  // read once more before the next attempt, it was not over
    {Status::waiting, Status::partly_delivered},
    {Status::receiving, Status::fetching},
    {Status::receiving, Status::received},
    {Status::fetching, Status::received},
};

bool is_inbound_only(Status status) {
  return status == Status::receiving || status == Status::fetching || status == Status::received;
}

bool may_follow_final_outbound(Status from, Status to, Decided decided) {
  if (!is_final(to) || to == Status::unresolved) return false;
  return from == Status::unresolved || decided != Decided::by_provider;
}

}  // namespace

std::string_view name(Direction direction) { return direction == Direction::outbound ? "outbound" : "inbound"; }

std::string_view name(Status status) {
  for (const auto& [known, word] : kNames)
    if (known == status) return word;
  return "unknown";
}

std::optional<Direction> parse_direction(std::string_view word) {
  for (const Direction direction : {Direction::outbound, Direction::inbound})
    if (name(direction) == word) return direction;
  return std::nullopt;
}

std::optional<Status> parse_status(std::string_view word) {
  for (const auto& [status, known] : kNames)
    if (known == word) return status;
  return std::nullopt;
}

bool is_final(Status status) {
  switch (status) {
    case Status::delivered:
    case Status::partly_delivered:
    case Status::failed:
    case Status::canceled:
    case Status::unresolved:
    case Status::received: return true;
    default: return false;
  }
}

bool belongs(Direction direction, Status status) {
  return status == Status::failed || is_inbound_only(status) == (direction == Direction::inbound);
}

bool may_follow(Direction direction, Status from, Status to, Decided decided) {
  if (from == to || !belongs(direction, from) || !belongs(direction, to)) return false;
  if (direction == Direction::inbound && from == Status::failed) return to == Status::fetching || to == Status::received;
  if (is_final(from)) return direction == Direction::outbound && may_follow_final_outbound(from, to, decided);
  if (to == Status::failed || to == Status::canceled || to == Status::unresolved) return true;
  for (const Step& step : kSteps)
    if (step.from == from && step.to == to) return true;
  return false;
}

std::string_view twilio_word(Direction direction, Status status, std::string_view cause_code) {
  switch (status) {
    case Status::queued:
    case Status::waiting: return "queued";
    case Status::preparing:
    case Status::submitting:
    case Status::checking: return "processing";
    case Status::sending: return "sending";
    case Status::delivered: return "delivered";
    case Status::receiving:
    case Status::fetching: return "receiving";
    case Status::received: return "received";
    case Status::canceled: return "canceled";
    case Status::failed:
      if (direction == Direction::outbound && cause_code == "busy") return "busy";
      if (direction == Direction::outbound && cause_code == "no_answer") return "no-answer";
      return "failed";
    case Status::partly_delivered:
    case Status::unresolved: break;
  }
  return "failed";
}

}  // namespace fax
