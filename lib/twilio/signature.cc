#include "twilio/signature.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "text/percent.h"
#include "text/words.h"

namespace twilio {

namespace {

struct Origin {
  std::string scheme;  // with "://"
  std::string host;
  std::string port;    // with ":"; empty: not given
};

Origin split_origin(std::string_view url) {
  Origin origin;
  const auto after_scheme = url.find("://");
  if (after_scheme == std::string_view::npos) return {"", std::string(url), ""};
  origin.scheme = std::string(url.substr(0, after_scheme + 3));
  auto rest = url.substr(after_scheme + 3);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const auto bracket = rest.rfind(']');
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  origin.host = std::string(rest.substr(0, has_port ? colon : std::string_view::npos));
  if (has_port) origin.port = std::string(rest.substr(colon));
  return origin;
}

std::vector<std::string> candidate_ports(const Origin& origin, Ports ports) {
  const std::string standard = origin.scheme == "http://" ? ":80" : ":443";
  if (origin.port.empty()) return {"", standard};
  if (ports == Ports::standard_only && origin.port != standard) return {origin.port};
  return {origin.port, ""};
}

// {with, without user information} x {the ports}.
std::vector<std::string> candidate_urls(const SignedRequest& request, Ports ports) {
  const auto origin = split_origin(request.public_url);
  std::vector<std::string> users{""};
  if (!request.user.empty()) {
    users.push_back(text::percent_encode(request.user) + ":" + text::percent_encode(request.password) + "@");
    users.push_back(std::string(request.user) + ":" + std::string(request.password) + "@");
  }
  std::vector<std::string> urls;
  for (const auto& user : users)
    for (const auto& port : candidate_ports(origin, ports)) urls.push_back(origin.scheme + user + origin.host + port + std::string(request.target));
  return urls;
}

// The value of bodySHA256 in the query, as it stands.
std::optional<std::string_view> hash_in_query(std::string_view target) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  constexpr std::string_view kName = "bodySHA256=";
  for (const auto part : text::split(target.substr(mark + 1), '&'))
    if (part.starts_with(kName)) return part.substr(kName.size());
  return std::nullopt;
}

// What may have been signed behind the URL.
std::vector<Parameters> candidate_bodies(const SignedRequest& request, bool hashed) {
  if (hashed) return {{}};
  std::vector<Parameters> bodies{request.parameters};
  if (request.multipart && !request.parameters.empty()) bodies.emplace_back();
  return bodies;
}

bool is_host(std::string_view host) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]";
  return !host.empty() && host.size() <= 255 && host.find_first_not_of(kCharacters) == std::string_view::npos;
}

// The origin of the Host header for which the keys made it; empty: none.
std::string origin_by_host(SignedRequest request, const std::vector<core::SecretString>& keys, const Dialect& dialect, std::string_view host) {
  if (!is_host(host)) return {};
  for (const auto* scheme : {"https://", "http://"}) {
    const std::string url = scheme + std::string(host);
    request.public_url = url;
    if (is_signed(request, keys, dialect)) return url;
  }
  return {};
}

}  // namespace

std::string signed_text(std::string_view url, const Parameters& parameters, Repeated repeated) {
  auto sorted = parameters;
  if (repeated == Repeated::sorted_and_unique) {
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  } else {
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  std::string text(url);
  for (const auto& [name, value] : sorted) text += name + value;
  return text;
}

std::string signature(std::string_view key, std::string_view text) { return crypto::base64_encode(crypto::hmac_sha1(key, text)); }

std::string raw_signature(std::string_view key, std::string_view url, std::string_view body) { return crypto::hex(crypto::hmac_sha1(key, std::string(url).append(body))); }

bool is_signed(const SignedRequest& request, const std::vector<core::SecretString>& keys, const Dialect& dialect) {
  const auto hash = hash_in_query(request.target);
  const auto bodies = candidate_bodies(request, hash.has_value());
  const bool raw = dialect.signs_raw_bodies && request.raw_body.has_value();
  // A body that is no form is bound by its hash, or by scheme A; the URL alone says nothing of it.
  const bool bound = hash ? !request.body_sha256.empty() && crypto::equal(*hash, request.body_sha256) : !request.raw_body || request.raw_body->empty();
  bool by_url = false;
  bool by_body = false;
  for (const auto& url : candidate_urls(request, dialect.ports))
    for (const auto& key : keys) {
      for (const auto& body : bodies) by_url |= crypto::equal(signature(key.reveal(), signed_text(url, body, dialect.repeated)), request.header);
      if (raw) by_body |= crypto::equal(raw_signature(key.reveal(), url, *request.raw_body), request.header);
    }
  return ((by_url && bound) || by_body) && !request.header.empty();
}

std::string_view name(Mismatch mismatch) {
  switch (mismatch) {
    case Mismatch::no_signature: return "no_signature";
    case Mismatch::other_url: return "other_url";
    case Mismatch::other_key: return "other_key";
    case Mismatch::unknown: break;
  }
  return "unknown";
}

Diagnosis diagnose(const SignedRequest& request, const std::vector<core::SecretString>& keys, const Dialect& dialect, std::string_view host_header, const core::SecretString& account_token) {
  if (request.header.empty()) return {Mismatch::no_signature};
  if (auto url = origin_by_host(request, keys, dialect, host_header); !url.empty()) return {Mismatch::other_url, std::move(url)};
  if (account_token.empty()) return {};
  std::vector<core::SecretString> token;
  token.push_back(account_token.duplicate());
  if (is_signed(request, token, dialect)) return {Mismatch::other_key};
  if (auto url = origin_by_host(request, token, dialect, host_header); !url.empty()) return {Mismatch::other_key, std::move(url)};
  return {};
}

}  // namespace twilio
