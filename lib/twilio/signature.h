// Who made a request: X-Twilio-Signature, and X-SignalWire-Signature, which is made the
// same way. Source: the providers' security pages and the validators of their client libraries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/secret.h"
#include "twilio/dialect.h"
#include "twilio/parameters.h"

namespace twilio {

// Headers that may carry it, at either provider; the first one that is there counts.
inline constexpr std::string_view kSignatureHeaders[] = {"X-Twilio-Signature", "X-SignalWire-Signature"};

// The text that is signed: the URL, then for each name in code-unit order name and value,
// with nothing between them.
std::string signed_text(std::string_view url, const Parameters& parameters, Repeated repeated);

// base64(HMAC-SHA1(key, text)).
std::string signature(std::string_view key, std::string_view text);

struct SignedRequest {
  std::string_view public_url;   // PUBLIC_URL; never the Host header
  std::string_view target;       // path and query exactly as received
  Parameters parameters;         // of the form, decoded; empty for GET
  std::string_view header;       // the signature that came; empty: none
  std::string_view user;         // Basic authentication of the URLs that we gave out; empty: none
  std::string_view password;
  bool multipart = false;        // nobody documents how: the URL alone, and the URL with the text parts, count
};

// Whether one of the keys made it. Tries the URL with and without the user information, and
// with and without the port, since the providers' own programs differ there; all of them
// always, each compared in constant time.
bool is_signed(const SignedRequest& request, const std::vector<core::SecretString>& keys, Repeated repeated);

}  // namespace twilio
