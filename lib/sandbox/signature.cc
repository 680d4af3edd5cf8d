#include "sandbox/signature.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "text/percent.h"

namespace sandbox {

std::string sign(std::string_view key, std::string_view url, Pairs parameters, bool sorted) {
  if (sorted) {
    std::sort(parameters.begin(), parameters.end());
    parameters.erase(std::unique(parameters.begin(), parameters.end()), parameters.end());
  } else {
    std::stable_sort(parameters.begin(), parameters.end(), [](const auto& one, const auto& other) { return one.first < other.first; });
  }
  std::string text(url);
  for (const auto& [name, value] : parameters) text.append(name).append(value);
  return crypto::base64_encode(crypto::hmac_sha1(key, text));
}

std::string urlencoded(const Pairs& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (!text.empty()) text += '&';
    text.append(text::percent_encode(name)).append("=").append(text::percent_encode(value));
  }
  return text;
}

}  // namespace sandbox
