// Where a fax may be sent: a telephone number, or a SIP URI at a host that this line's owner named.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "fax/number.h"

namespace fax {

// True for what begins as a SIP URI does, "sip:" or "sips:", in any case of letters.
bool looks_like_sip(std::string_view typed);

// A SIP URI, "sip:name@host[:port]" with parameters and headers after it (RFC 3261 section 19.1.1), at one of `sip_hosts`
// ("host[:port]", without a port: any). The scheme is answered in lower case, the rest as it came; `text` is
// name@host.
//
// Else as parse_number().
//
// Error: invalid, field "to": as parse_number()'s; a URI that is malformed, longer than 255 characters, with a password,
// or at a host that is not among `sip_hosts`.
core::Result<PhoneNumber> parse_target(std::string_view typed, std::string_view default_region, std::span<const std::string> always_legal, std::span<const std::string> sip_hosts);

}  // namespace fax
