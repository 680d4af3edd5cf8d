// The program `inbound`: what the provider tells us. It holds no mailbox and makes no connection.
#pragma once

#include <vector>

#include "app/line.h"
#include "core/secret.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "twilio/dialect.h"
#include "web/routes.h"

namespace app {

// Who may call, and what the provider is told.
struct ProviderSide {
  const twilio::Dialect* dialect = nullptr;
  std::string public_url;                      // no slash at the end
  std::string account;                         // TWILIO_SID, as webhooks name it
  core::SecretString account_token;            // for the diagnosis of signatures alone: it admits nobody
  std::vector<core::SecretString> signing_keys;  // the current one first
  bool signature_required = true;              // of first webhooks
  std::string auth_user;                       // Basic authentication of our routes; empty: none
  core::SecretString auth_password;
  bool auth_media = true;
  bool store_media = true;                     // RECEIVE_STORE_MEDIA
  std::string page_size;                       // RECEIVE_PAGE_SIZE
  std::vector<std::string> blocked_senders;    // E.164
  std::function<void(std::string_view)> hint;  // a datagram to the queue; never fails
};

// Nothing, or unauthenticated, for with_realm().
core::Result<void> check_basic(const ProviderSide& side, const web::Request& request);

// The answer as it is; unauthenticated becomes 401 with a realm, which makes a provider send its credentials.
core::Result<web::Response> with_realm(core::Result<web::Response> answer);

// The answer as it is; trouble of our own, of whatever kind, becomes unavailable: the provider may come again.
core::Result<web::Response> or_later(core::Result<web::Response> answer);

web::Routes inbound_routes(const Line& line, const ProviderSide& side, store::Faxes& faxes, const spool::Spool& spool);

}  // namespace app
