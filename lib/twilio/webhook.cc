#include "twilio/webhook.h"

#include <array>

#include "text/utf8.h"
#include "text/words.h"
#include "twilio/token.h"

namespace twilio {

namespace {

constexpr std::size_t kTextBytes = 512;
constexpr std::size_t kUrlBytes = 2048;

std::string fit(std::string_view value, std::size_t limit) {
  std::string text = text::to_valid_utf8(value.substr(0, limit));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return std::string(text::trim(text));
}

std::string first(const Parameters& parameters, std::string_view name, std::size_t limit = kTextBytes) {
  for (const auto& [key, value] : parameters)
    if (key == name) return fit(value, limit);
  return {};
}

constexpr std::array<std::pair<std::string_view, fax::ProviderStatus>, 10> kStatuses{{
    {"queued", fax::ProviderStatus::queued},
    {"processing", fax::ProviderStatus::processing},
    {"sending", fax::ProviderStatus::sending},
    {"delivered", fax::ProviderStatus::delivered},
    {"receiving", fax::ProviderStatus::receiving},
    {"received", fax::ProviderStatus::received},
    {"no-answer", fax::ProviderStatus::no_answer},
    {"busy", fax::ProviderStatus::busy},
    {"failed", fax::ProviderStatus::failed},
    {"canceled", fax::ProviderStatus::canceled},
}};

}  // namespace

fax::ProviderStatus read_status(std::string_view word) {
  for (const auto& [name, status] : kStatuses)
    if (name == word) return status;
  return fax::ProviderStatus::unknown;
}

Webhook read_webhook(const Parameters& parameters) {
  Webhook hook;
  hook.fax_sid = first(parameters, "FaxSid");
  if (!is_fax_sid(hook.fax_sid)) hook.fax_sid.clear();
  hook.account_sid = first(parameters, "AccountSid");
  hook.from = first(parameters, "From");
  hook.to = first(parameters, "To");
  hook.remote_station_id = first(parameters, "RemoteStationId");
  hook.status_word = first(parameters, "FaxStatus");
  hook.status = read_status(hook.status_word);
  const auto pages = text::parse_int64(first(parameters, "NumPages"));
  if (pages && *pages >= 0 && *pages <= 1'000'000) hook.pages = pages;
  hook.media_url = first(parameters, "MediaUrl", kUrlBytes);
  hook.media_sid = first(parameters, "MediaSid");
  hook.error_code = first(parameters, "ErrorCode");
  hook.error_message = first(parameters, "ErrorMessage");
  return hook;
}

}  // namespace twilio
