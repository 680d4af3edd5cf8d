// A provider that speaks Twilio's dialect, over HTTPS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "fax/provider.h"
#include "http/client.h"
#include "twilio/account.h"
#include "twilio/answer.h"
#include "twilio/api.h"

namespace twilio {

// Each call is one request (a list: one a page). Safe for several threads. Errors as fax::Provider has them. What the
// outcomes of submit() rest on (everything else is `unknown`):
//   taken         a 2xx with a sid, and not about another fax (fax::is_another())
//   not_taken     a 4xx whose body is the provider's own error (read_refusal())
//   rate_limited  429    unauthorized  401, 403: by their meaning nothing was taken, whatever the body
//   unreachable   no connection, or a base URL or CA file that no connection can be made with
class Provider final : public fax::Provider {
 public:
  // `client` must outlive it.
  Provider(http::Client& client, Account account);

  // With the account's quality, time to live and, for SIP URIs, credentials; what is not set is not sent.
  fax::SubmitOutcome submit(const fax::SubmitRequest& request) override;
  core::Result<fax::ProviderFax> fetch(const std::string& id) override;
  // too_late: a well-formed refusal, or an answer that tells another end.
  fax::CancelOutcome cancel(const std::string& id) override;
  // bad_request also when the pages do not end (500 of 200 faxes, or one twice), or lead to another host.
  core::Result<fax::FaxList> list(const fax::ListQuery& query) override;
  // By https (http: from loopback alone). From the provider's own host, with credentials, and from `media_hosts`, where
  // those of the URL count; both at whatever address they have, for the owner named them. From the dialect's media host
  // without credentials, or else, asked for them there, with the token; at public addresses alone, and the URL may hold no
  // credentials. At most 3 redirects, among these. An URL without a host is the provider's own.
  core::Result<std::int64_t> download(const std::string& media_url, int output_fd, std::int64_t max_bytes) override;
  core::Result<std::string> media_url(const std::string& fax_id) override;
  core::Result<void> delete_media(const std::string& fax_id) override;

  // The fax's record and its documents, for good. One that is gone already is no error; conflict: it is not final.
  core::Result<void> delete_fax(const std::string& id);
  // A fax's documents: their ids, one of them, and its end. not_found as fetch(); delete_medium() as delete_fax().
  core::Result<std::vector<std::string>> media(const std::string& fax_id);
  core::Result<Medium> medium(const std::string& fax_id, const std::string& media_id);
  core::Result<void> delete_medium(const std::string& fax_id, const std::string& media_id);

 private:
  core::Result<void> remove(const std::string& url, const std::string& what);
  std::string media_folder(const std::string& fax_id) const { return faxes_url_ + "/" + fax_id + "/Media"; }

  http::Client& client_;
  Account account_;  // its token is in api_
  Api api_;
  std::string faxes_url_;
};

}  // namespace twilio
