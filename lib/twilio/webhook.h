// What the provider's requests to us say: a first webhook, a payload, a status callback; one vocabulary. Nothing from
// outside is believed further than its characters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fax/provider.h"
#include "twilio/parameters.h"
#include "twilio/status.h"

namespace twilio {

// What was missing or unfit is empty. Texts are valid UTF-8 without control characters, cut after 512 bytes; URLs are
// whole, visible ASCII, at most 4096 bytes.
struct Webhook {
  std::string fax_sid;  // is_fax_sid(), or empty
  std::string account_sid;
  std::string from;  // empty when withheld
  std::string to;
  std::string remote_station_id;
  fax::ProviderStatus status = fax::ProviderStatus::unknown;
  std::string status_word;                 // as it came
  std::optional<std::int64_t> pages = {};  // 0 to a million
  std::string media_url;
  std::string media_sid;           // is_fax_sid(), or empty
  std::string original_media_url;  // what we gave when we sent: holds a capability, not for the log
  std::string error_code;
  std::string error_message;  // URLs in it replaced by "(address)"
};

// Of a name that comes more than once, the first counts.
Webhook read_webhook(const Parameters& parameters);

}  // namespace twilio
