#include "twilio/token.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "text/words.h"

namespace twilio {

namespace {

constexpr std::string_view kLabel = "faxline payload token 1";

std::string mac_of(const core::SecretString& key, std::string_view text) {
  return crypto::base64url_encode(crypto::hmac_sha256(crypto::derive_key(key.reveal(), kLabel), text));
}

}  // namespace

bool is_fax_sid(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string make_payload_token(const core::SecretString& key, std::string_view fax_sid, core::Time expires) {
  const std::string text = std::string(fax_sid) + "." + std::to_string(core::to_ms(expires) / 1000);
  return text + "." + mac_of(key, text);
}

core::Result<std::string> check_payload_token(const std::vector<core::SecretString>& keys, std::string_view token, core::Time now) {
  const core::Error wrong{core::Code::forbidden, "payload token: malformed or not ours"};
  const auto parts = text::split(token, '.');
  if (parts.size() != 3 || !is_fax_sid(parts[0])) return wrong;
  const auto expires_seconds = text::parse_int64(parts[1]);
  const auto signed_part = token.substr(0, parts[0].size() + 1 + parts[1].size());
  bool ours = false;
  for (const auto& key : keys) ours |= crypto::equal(mac_of(key, signed_part), parts[2]);
  if (!ours || !expires_seconds) return wrong;
  if (core::to_ms(now) / 1000 > *expires_seconds) return core::Error{core::Code::conflict, "payload token: ours, but expired"};
  return std::string(parts[0]);
}

}  // namespace twilio
