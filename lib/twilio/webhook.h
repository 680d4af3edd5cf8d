// What the provider's requests to us say. Fields that are missing are empty; nothing from
// outside is believed further than its characters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fax/provider.h"
#include "twilio/parameters.h"

namespace twilio {

// Of a first webhook, a payload, or a status callback: one vocabulary. Texts are
// valid UTF-8, without control characters, at most 512 bytes (URLs 2048).
struct Webhook {
  std::string fax_sid;  // empty: missing or unfit
  std::string account_sid;
  std::string from;
  std::string to;
  std::string remote_station_id;
  fax::ProviderStatus status = fax::ProviderStatus::unknown;
  std::string status_word;  // as it came
  std::optional<std::int64_t> pages;
  std::string media_url;
  std::string media_sid;
  std::string error_code;
  std::string error_message;
};

Webhook read_webhook(const Parameters& parameters);

// One of the ten words; unknown for any other.
fax::ProviderStatus read_status(std::string_view word);

}  // namespace twilio
