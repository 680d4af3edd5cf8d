#include "twilio/account.h"

namespace twilio {

Account account_of(const config::Settings& settings) {
  Account account{.dialect = dialect_of(settings.dialect()), .base_url = settings.provider_url(), .sid = settings.text("TWILIO_SID"), .token = settings.secret("TWILIO_TOKEN")};
  account.media_hosts = settings.media_hosts();
  account.quality = settings.text("FAX_QUALITY");
  if (settings.is_set("FAX_TTL_MINUTES")) account.ttl_minutes = settings.integer("FAX_TTL_MINUTES");
  account.sip_user = settings.text("SIP_AUTH_USER");
  account.sip_password = settings.secret("SIP_AUTH_PASS");
  return account;
}

}  // namespace twilio
