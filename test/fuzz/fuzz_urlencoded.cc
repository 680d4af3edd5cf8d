// Forms, queries and cookies: what was decoded, encoded again, decodes to the same; nothing ends the process.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "form/fields.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string encoded(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += {'%', kDigits[value >> 4], kDigits[value & 15]};
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto fields = form::parse_urlencoded(text, {.max_bytes = size, .nul = form::Nul::keep})) {
    require(fields->size() <= 200);
    std::string again;
    for (const form::Field& field : *fields) again += encoded(field.name) + "=" + encoded(field.value) + "&";
    const auto same = form::parse_urlencoded(again, {.max_bytes = again.size(), .nul = form::Nul::keep});
    require(same && same->size() == fields->size() && same->valid_utf8() == fields->valid_utf8());
    auto other = same->begin();
    for (const form::Field& field : *fields) {
      require(field.name == other->name && field.value == other->value && fields->first(field.name) && !fields->all(field.name).empty());
      ++other;
    }
  }
  if (const auto strict = form::parse_urlencoded(text))
    for (const form::Field& field : *strict) require((field.name + field.value).find('\0') == std::string::npos);
  for (const form::Field& cookie : form::parse_cookies(text)) require(!cookie.name.empty() && cookie.value.find(';') == std::string::npos);
  return 0;
}
