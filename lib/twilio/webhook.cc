#include "twilio/webhook.h"

#include "twilio/field.h"
#include "twilio/token.h"

namespace twilio {

namespace {

std::string_view first(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

std::string sid_or_nothing(std::string_view text) { return is_fax_sid(text) ? std::string(text) : std::string(); }

}  // namespace

Webhook read_webhook(const Parameters& parameters) {
  Webhook hook;
  hook.fax_sid = sid_or_nothing(first(parameters, "FaxSid"));
  hook.account_sid = fit(first(parameters, "AccountSid"));
  hook.from = fit_caller(first(parameters, "From"));
  hook.to = fit(first(parameters, "To"));
  hook.remote_station_id = fit(first(parameters, "RemoteStationId"));
  hook.status_word = fit(first(parameters, "FaxStatus"));
  hook.status = read_status(hook.status_word);
  hook.pages = read_count(fit(first(parameters, "NumPages")));
  hook.media_url = fit_url(first(parameters, "MediaUrl"));
  hook.media_sid = sid_or_nothing(first(parameters, "MediaSid"));
  hook.original_media_url = fit_url(first(parameters, "OriginalMediaUrl"));
  hook.error_code = fit(first(parameters, "ErrorCode"));
  hook.error_message = fit_words(first(parameters, "ErrorMessage"));
  return hook;
}

}  // namespace twilio
