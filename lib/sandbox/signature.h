// How the providers sign what they send (Twilio: "Validating requests", its security documentation; SignalWire: "Webhook
// security", its cXML guides).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// X-Twilio-Signature, X-SignalWire-Signature: base64 of HMAC-SHA1, under `key`, of the URL exactly as it was given to us (userinfo and port
// too), then name and value of each form parameter in the order of the names; of a name that is there more than once the
// different values in their order; not `sorted`, as SignalWire does it: all its values, in the order they came.
std::string sign(std::string_view key, std::string_view url, Pairs parameters, bool sorted = true);

// application/x-www-form-urlencoded, in the given order.
std::string urlencoded(const Pairs& parameters);

}  // namespace sandbox
