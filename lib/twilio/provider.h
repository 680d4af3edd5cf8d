// A provider that speaks Twilio's dialect, over HTTPS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/secret.h"
#include "fax/provider.h"
#include "http/client.h"
#include "twilio/dialect.h"

namespace twilio {

struct Account {
  const Dialect& dialect;
  std::string base_url;  // scheme, host, port; a slash at the end does no harm
  std::string sid;       // is_fax_sid()
  core::SecretString token;
  std::vector<std::string> media_hosts = {};  // MEDIA_HOSTS, "host[:port]"
  std::string quality = {};                      // FAX_QUALITY; empty: the provider's own choice
  std::optional<std::int64_t> ttl_minutes = {};  // FAX_TTL_MINUTES; not given: the provider's own choice
  std::string sip_user = {};                     // of SIP URIs; empty: none
  core::SecretString sip_password = {};
};

// Each call is one request (a list: one a page). Safe for several threads. Deletes no fax, only its media. Errors as
// fax::Provider has them. What the outcomes of submit() rest on (everything else is `unknown`):
//   taken         a 2xx with a sid
//   not_taken     a 4xx whose body is the provider's own error (read_refusal())
//   rate_limited  429    unauthorized  401, 403: by their meaning nothing was taken, whatever the body
//   unreachable   no connection, or a base URL or CA file that no connection can be made with
class Provider final : public fax::Provider {
 public:
  // `client` must outlive it.
  Provider(http::Client& client, Account account);

  fax::SubmitOutcome submit(const fax::SubmitRequest& request) override;
  core::Result<fax::ProviderFax> fetch(const std::string& id) override;
  // too_late: a well-formed refusal, or an answer that tells another end.
  fax::CancelOutcome cancel(const std::string& id) override;
  // bad_request also when the pages do not end (500 of 200 faxes, or one twice), or lead to another host.
  core::Result<std::vector<fax::ProviderFax>> list(const fax::ListQuery& query) override;
  // From the provider's own host, with credentials; from `media_hosts` and the dialect's media host, without; at most 3
  // redirects, among these.
  core::Result<std::int64_t> download(const std::string& media_url, int output_fd, std::int64_t max_bytes) override;
  core::Result<std::string> media_url(const std::string& fax_id) override;
  core::Result<void> delete_media(const std::string& fax_id) override;

 private:
  core::Result<http::Answer> call(std::string method, std::string url, std::string body = {});

  http::Client& client_;
  Account account_;
  http::Credentials credentials_;
  std::string faxes_url_;
};

}  // namespace twilio
