// Whatever comes with a request: it is admitted only with what our key made of exactly this, and why not is told without
// admitting anybody. Input: lines of public URL, target, header, user, password, Host, then the body.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "form/fields.h"
#include "twilio/signature.h"
#include "twilio/token.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::vector<core::SecretString> keys(const char* text) {
  std::vector<core::SecretString> list;
  list.emplace_back(text);
  return list;
}

std::size_t size_of(const twilio::Parameters& parameters) {
  std::size_t size = 0;
  for (const auto& [name, value] : parameters) size += name.size() + value.size();
  return size;
}

void check(const twilio::Dialect& dialect, const twilio::SignedRequest& came, std::string_view host) {
  const auto ours = keys("the signing key");
  const core::SecretString token("the account's token");
  // The input cannot hold what only the key makes.
  require(!twilio::is_signed(came, ours, dialect));
  const auto diagnosis = twilio::diagnose(came, ours, dialect, host, token);
  require(diagnosis.mismatch == (came.header.empty() ? twilio::Mismatch::no_signature : twilio::Mismatch::unknown));

  auto request = came;
  const bool hashed = came.target.find("bodySHA256=") != std::string_view::npos;
  const auto url = std::string(came.public_url) + std::string(came.target);
  if (came.public_url.find("://") == std::string_view::npos || came.public_url.ends_with('/') || hashed || came.raw_body) return;
  const auto signature = twilio::signature("the signing key", twilio::signed_text(url, came.parameters, dialect.repeated));
  request.header = signature;
  require(twilio::is_signed(request, ours, dialect));
  require(!twilio::is_signed(request, keys("another key"), dialect));
  // More than what was signed; of multipart bodies the URL alone may be.
  request.parameters.emplace_back("z", std::string(size_of(came.parameters) + 1, 'z'));
  require(request.multipart || !twilio::is_signed(request, ours, dialect));
  request.parameters.pop_back();
  const auto by_token = twilio::signature(token.reveal(), twilio::signed_text(url, came.parameters, dialect.repeated));
  request.header = by_token;
  require(!twilio::is_signed(request, ours, dialect));
  require(twilio::diagnose(request, ours, dialect, host, token).mismatch == twilio::Mismatch::other_key);
}

void check_token(std::string_view text) {
  const auto now = core::from_ms(1'800'000'000'000);
  require(!twilio::check_payload_token(keys("the signing key"), text, now));
  if (!twilio::is_fax_sid(text)) return;
  const auto token = twilio::make_payload_token(keys("the signing key").front(), text, now);
  require(twilio::check_payload_token(keys("the signing key"), token, now).value() == text);
  require(twilio::check_payload_token(keys("the signing key"), token, now + std::chrono::seconds(2)).error().code == core::Code::conflict);
  require(twilio::check_payload_token(keys("another key"), token, now).error().code == core::Code::forbidden);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  twilio::SignedRequest request;
  request.public_url = take_line(rest);
  request.target = take_line(rest);
  request.header = take_line(rest);
  request.user = take_line(rest);
  request.password = take_line(rest);
  const auto host = take_line(rest);
  check_token(request.header);
  request.body_sha256 = crypto::hex(crypto::sha256(rest));
  if (const auto fields = form::parse_urlencoded(rest)) {
    for (const auto& field : *fields) request.parameters.emplace_back(field.name, field.value);
  } else {
    request.raw_body = rest;
  }
  for (const auto& dialect : {twilio::kTwilio, twilio::kSignalWire}) check(dialect, request, host);
  request.multipart = true;
  check(twilio::kTwilio, request, host);
  return 0;
}
