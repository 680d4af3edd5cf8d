#include "fax/status.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fax {

namespace {

constexpr std::array<std::pair<Status, std::string_view>, 14> kNames{{
    {Status::queued, "queued"}, {Status::preparing, "preparing"}, {Status::submitting, "submitting"}, {Status::checking, "checking"},
    {Status::sending, "sending"}, {Status::waiting, "waiting"}, {Status::delivered, "delivered"}, {Status::partly_delivered, "partly_delivered"},
    {Status::failed, "failed"}, {Status::canceled, "canceled"}, {Status::unresolved, "unresolved"}, {Status::receiving, "receiving"},
    {Status::fetching, "fetching"}, {Status::received, "received"},
}};

constexpr std::array kOutboundFinal{Status::delivered, Status::partly_delivered, Status::failed, Status::canceled, Status::unresolved};

bool is_outbound_final(Status status) { return std::find(kOutboundFinal.begin(), kOutboundFinal.end(), status) != kOutboundFinal.end(); }

bool outbound_may_follow(Status from, Status to) {
  using enum Status;
  if (to == receiving || to == fetching || to == received) return false;
  switch (from) {
    case queued: return to == preparing || to == failed || to == canceled;
    case preparing: return to == submitting || to == waiting || to == failed || to == canceled;
    case submitting: return to == sending || to == checking || to == waiting || is_outbound_final(to);
    case checking: return to == sending || to == waiting || is_outbound_final(to);
    case sending: return to == waiting || is_outbound_final(to);
    case waiting: return to == preparing || to == submitting || to == sending || to == checking || is_outbound_final(to);
    case unresolved:
    case failed: return is_outbound_final(to) || (from == unresolved && to == sending);
    default: return false;
  }
}

bool inbound_may_follow(Status from, Status to) {
  using enum Status;
  switch (from) {
    case receiving: return to == fetching || to == received || to == failed;
    case fetching: return to == received || to == failed;
    case failed: return to == received || to == fetching;
    default: return false;
  }
}

}  // namespace

std::string_view name(Direction direction) { return direction == Direction::outbound ? "outbound" : "inbound"; }

std::string_view name(Status status) {
  return std::find_if(kNames.begin(), kNames.end(), [&](const auto& row) { return row.first == status; })->second;
}

std::optional<Direction> parse_direction(std::string_view word) {
  if (word == "outbound") return Direction::outbound;
  if (word == "inbound") return Direction::inbound;
  return std::nullopt;
}

std::optional<Status> parse_status(std::string_view word) {
  for (const auto& [status, text] : kNames)
    if (text == word) return status;
  return std::nullopt;
}

bool is_final(Status status) { return is_outbound_final(status) || status == Status::received; }

bool may_follow(Direction direction, Status from, Status to) {
  return from == to || (direction == Direction::outbound ? outbound_may_follow(from, to) : inbound_may_follow(from, to));
}

std::string_view twilio_word(Direction direction, Status status, std::string_view cause_code) {
  using enum Status;
  switch (status) {
    case queued:
    case waiting: return "queued";
    case preparing:
    case submitting:
    case checking: return "processing";
    case sending: return "sending";
    case delivered:
    case partly_delivered: return "delivered";
    case canceled: return "canceled";
    case receiving:
    case fetching: return "receiving";
    case received: return "received";
    case failed:
      if (direction == Direction::outbound && cause_code == "busy") return "busy";
      if (direction == Direction::outbound && cause_code == "no_answer") return "no-answer";
      return "failed";
    case unresolved: break;
  }
  return "failed";
}

}  // namespace fax
