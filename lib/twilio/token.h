// The capability in the URL that a payload comes to: FaxSid and expiry in clear, and an
// HMAC under a key derived from WEBHOOK_SIGNING_KEY. Nothing is stored for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"

namespace twilio {

// Good until `expires` for this FaxSid alone. Characters of a URL's query only. The FaxSid
// must be one (is_fax_sid).
std::string make_payload_token(const core::SecretString& key, std::string_view fax_sid, core::Time expires);

// The FaxSid that the token is for. Errors: forbidden, if it is malformed, or made with none of the keys; conflict, if it
// is ours but has expired: a webhook that came late, or a clock that is wrong. Neither admits anybody.
core::Result<std::string> check_payload_token(const std::vector<core::SecretString>& keys, std::string_view token, core::Time now);

// 1 to 64 letters, digits and hyphens: fit for a URL's path, a header, a file name.
bool is_fax_sid(std::string_view text);

}  // namespace twilio
