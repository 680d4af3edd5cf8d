// The account's telephone numbers at the provider, and where it sends what comes in on them. Source: Twilio's page
// "IncomingPhoneNumber resource", SignalWire's "Compatibility API: Incoming Phone Numbers".
//
// Errors as fax::Provider has them; not_found (404, 405): this API does not offer it, and the owner has to look at the
// provider's own pages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/client.h"
#include "twilio/account.h"
#include "twilio/answer.h"

namespace twilio {

// The account's number that is exactly this one, in E.164; nothing if the account does not have it.
core::Result<std::optional<Number>> find_number(http::Client& client, const Account& account, const std::string& number);

// Calls to the number whose id is `sid` are faxes from now on (where the dialect can say so), and are announced by POST to
// `voice_url` (which may hold credentials). The number as the provider tells it afterwards: whether it did so is for the caller to see.
core::Result<Number> configure_number(http::Client& client, const Account& account, const std::string& sid, const std::string& voice_url);

}  // namespace twilio
