// Who made a request: X-Twilio-Signature, and X-SignalWire-Signature, which is made nearly the same way; and why a
// signature may not match. Source: Twilio's pages "Security" and "Webhooks security", SignalWire's "Webhook security",
// and the validators of their client libraries.
#pragma once

#include <optional>
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

// What SignalWire puts over bodies that are no form: HMAC-SHA1(key, URL and body) in lower-case hexadecimal.
std::string raw_signature(std::string_view key, std::string_view url, std::string_view body);

struct SignedRequest {
  std::string_view public_url;   // PUBLIC_URL; never the Host header
  std::string_view target;       // path and query exactly as received
  Parameters parameters;         // of the form, decoded; empty for GET
  std::string_view header;       // the signature that came; empty: none
  std::string_view user;         // Basic authentication of the URLs that we gave out; empty: none
  std::string_view password;
  bool multipart = false;        // nobody documents how: the URL alone, and the URL with the text parts, count
  // SHA-256 of the body as it came, in lower-case hexadecimal; empty: not known. With `bodySHA256` in the query the body
  // is not signed itself, but must have that hash.
  std::string body_sha256 = {};
  // The body of a request that is no form (JSON and the like), as it came; only then.
  std::optional<std::string_view> raw_body = {};
};

// Whether one of the keys made it, by the dialect's rules. Tries the URL with and without the user information, and with
// the ports that the dialect may mean, since the providers' own programs differ there; all of them always, each compared
// in constant time.
bool is_signed(const SignedRequest& request, const std::vector<core::SecretString>& keys, const Dialect& dialect);

// Why is_signed() may have said no.
enum class Mismatch {
  no_signature,
  other_url,  // a key of ours made it, for the URL that the Host header names: PUBLIC_URL is not what the provider calls
  other_key,  // the account's token made it, and the signing key is another
  unknown,    // another key, another URL, a body that was changed, or somebody else
};

// "no_signature" and the like, for the log and the store. Never empty.
std::string_view name(Mismatch mismatch);

struct Diagnosis {
  Mismatch mismatch = Mismatch::unknown;
  std::string url = {};  // scheme and host that it was made for, where they are not PUBLIC_URL's ("https://other.example")
};

// The likely cause, for the owner. For a request that is_signed() refused, and it admits nobody: the Host header is the
// sender's own word. A `host_header` that no URL can hold counts as none.
Diagnosis diagnose(const SignedRequest& request, const std::vector<core::SecretString>& keys, const Dialect& dialect, std::string_view host_header, const core::SecretString& account_token);

}  // namespace twilio
