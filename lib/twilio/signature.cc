#include "twilio/signature.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "text/percent.h"

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

// {with, without user information} x {as given, without port, with the standard port}.
std::vector<std::string> candidate_urls(const SignedRequest& request) {
  const auto origin = split_origin(request.public_url);
  std::vector<std::string> ports{origin.port, ""};
  if (origin.port.empty()) ports.push_back(origin.scheme == "https://" ? ":443" : ":80");
  std::vector<std::string> users{""};
  if (!request.user.empty()) {
    users.push_back(text::percent_encode(request.user) + ":" + text::percent_encode(request.password) + "@");
    users.push_back(std::string(request.user) + ":" + std::string(request.password) + "@");
  }
  std::vector<std::string> urls;
  for (const auto& user : users)
    for (const auto& port : ports) urls.push_back(origin.scheme + user + origin.host + port + std::string(request.target));
  return urls;
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

bool is_signed(const SignedRequest& request, const std::vector<core::SecretString>& keys, Repeated repeated) {
  std::vector<Parameters> bodies{request.parameters};
  if (request.multipart && !request.parameters.empty()) bodies.emplace_back();
  bool matches = false;
  for (const auto& url : candidate_urls(request))
    for (const auto& body : bodies)
      for (const auto& key : keys) matches |= crypto::equal(signature(key.reveal(), signed_text(url, body, repeated)), request.header);
  return matches && !request.header.empty();
}

}  // namespace twilio
