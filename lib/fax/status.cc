#include "fax/status.h"

#include <algorithm>
#include <array>
#include <span>
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

// Whose final word it must have been that is corrected.
enum class Whose { any, ours, a_persons };

// The table of lib/queue/README.md; a test holds the one to the other.
struct Step {
  Status from, to;
  Whose whose = Whose::any;
};

using enum Status;

constexpr Step kSent[] = {
    {queued, preparing},
    {queued, canceled},
    {queued, failed},
    {queued, unresolved},
    {preparing, submitting},
    {preparing, waiting},
    {preparing, canceled},
    {preparing, failed},
    {preparing, unresolved},
    {submitting, sending},
    {submitting, checking},
    {submitting, waiting},
    {submitting, delivered},
    {submitting, partly_delivered},
    {submitting, failed},
    {submitting, canceled},
    {submitting, unresolved},
    {checking, sending},
    {checking, waiting},
    {checking, delivered},
    {checking, partly_delivered},
    {checking, failed},
    {checking, canceled},
    {checking, unresolved},
    {sending, waiting},
    {sending, delivered},
    {sending, partly_delivered},
    {sending, failed},
    {sending, canceled},
    {sending, unresolved},
    {waiting, submitting},
    {waiting, delivered},
    {waiting, partly_delivered},
    {waiting, canceled},
    {waiting, failed},
    {waiting, unresolved},
    {unresolved, delivered},
    {unresolved, partly_delivered},
    {unresolved, failed},
    {unresolved, canceled},
    {failed, delivered, Whose::ours},
    {failed, partly_delivered, Whose::ours},
    {failed, canceled, Whose::ours},
    {failed, delivered, Whose::a_persons},
    {failed, partly_delivered, Whose::a_persons},
    {failed, canceled, Whose::a_persons},
    {delivered, partly_delivered, Whose::a_persons},
    {delivered, failed, Whose::a_persons},
    {delivered, canceled, Whose::a_persons},
};

constexpr Step kReceived[] = {
    {receiving, fetching},
    {receiving, received},
    {receiving, failed},
    {fetching, received},
    {fetching, failed},
    {failed, fetching},
    {failed, received},
};

bool counts(Whose whose, Decided decided) {
  return whose == Whose::any || (whose == Whose::ours && decided == Decided::by_us) || (whose == Whose::a_persons && decided == Decided::by_person);
}

bool is_inbound_only(Status status) {
  return status == Status::receiving || status == Status::fetching || status == Status::received;
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
  const std::span<const Step> steps = direction == Direction::outbound ? std::span<const Step>(kSent) : std::span<const Step>(kReceived);
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) { return step.from == from && step.to == to && counts(step.whose, decided); });
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
