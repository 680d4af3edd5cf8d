// An account at a provider that speaks the dialect: where, who, and what its owner wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/secret.h"
#include "twilio/dialect.h"

namespace twilio {

struct Account {
  const Dialect& dialect;
  std::string base_url;  // scheme, host, port; a slash at the end does no harm
  std::string sid;       // is_fax_sid()
  core::SecretString token;
  std::vector<std::string> media_hosts = {};     // MEDIA_HOSTS, "host[:port]"
  std::string quality = {};                      // FAX_QUALITY; empty: the provider's own choice
  std::optional<std::int64_t> ttl_minutes = {};  // FAX_TTL_MINUTES; not given: the provider's own choice
  std::string sip_user = {};                     // of SIP URIs; empty: none
  core::SecretString sip_password = {};
};

// As the settings say.
Account account_of(const config::Settings& settings);

}  // namespace twilio
