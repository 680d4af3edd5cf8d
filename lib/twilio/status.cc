#include "twilio/status.h"

#include <array>
#include <utility>

namespace twilio {

namespace {

constexpr std::array<std::pair<std::string_view, fax::ProviderStatus>, 10> kStatuses{{
    {"queued", fax::ProviderStatus::queued},
    {"processing", fax::ProviderStatus::processing},
    {"sending", fax::ProviderStatus::sending},
    {"delivered", fax::ProviderStatus::delivered},
    {"receiving", fax::ProviderStatus::receiving},
    {"received", fax::ProviderStatus::received},
    {"no-answer", fax::ProviderStatus::no_answer},
    {"busy", fax::ProviderStatus::busy},
    {"failed", fax::ProviderStatus::failed},
    {"canceled", fax::ProviderStatus::canceled},
}};

}  // namespace

fax::ProviderStatus read_status(std::string_view word) {
  for (const auto& [name, status] : kStatuses)
    if (name == word) return status;
  return fax::ProviderStatus::unknown;
}

}  // namespace twilio
