#include "fax/provider.h"

#include "fax/number.h"

namespace fax {

std::string_view name(ProviderStatus status) {
  switch (status) {
    case ProviderStatus::queued: return "queued";
    case ProviderStatus::processing: return "processing";
    case ProviderStatus::sending: return "sending";
    case ProviderStatus::delivered: return "delivered";
    case ProviderStatus::receiving: return "receiving";
    case ProviderStatus::received: return "received";
    case ProviderStatus::no_answer: return "no_answer";
    case ProviderStatus::busy: return "busy";
    case ProviderStatus::failed: return "failed";
    case ProviderStatus::canceled: return "canceled";
    case ProviderStatus::unknown: break;
  }
  return "unknown";
}

bool is_final(ProviderStatus status) {
  switch (status) {
    case ProviderStatus::delivered:
    case ProviderStatus::received:
    case ProviderStatus::no_answer:
    case ProviderStatus::busy:
    case ProviderStatus::failed:
    case ProviderStatus::canceled: return true;
    default: return false;
  }
}

bool is_another(const ProviderFax& fax, std::string_view to) {
  return fax.direction == Direction::inbound || (is_e164(to) && is_e164(fax.to) && fax.to != to);
}

}  // namespace fax
