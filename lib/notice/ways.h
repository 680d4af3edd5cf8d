// One try to tell of one notice by one way.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"
#include "http/client.h"
#include "maildir/maildir.h"
#include "notice/options.h"
#include "store/notices.h"

namespace notice {

// A document larger than this does not go along; the link does.
constexpr std::int64_t kMaxAttached = std::int64_t{10} << 20;  // to a mail
constexpr std::int64_t kMaxPosted = std::int64_t{5} << 20;     // to a webhook's JSON

// References only: whoever makes it keeps everything alive. The functions may be called from several threads at once.
struct Ways {
  const Options& options;
  const core::Clock& clock;
  http::Client& client;  // with NOTICE_CA_FILE
  std::function<core::Result<core::UniqueFd>(const std::string& document_id)> open_document;  // for reading; not_found
  std::function<core::Result<maildir::Delivery>(const std::string& name, int fd)> deliver;    // into the Maildir
  std::function<std::string(core::Time now, int fd)> new_mail_name;
  // Keeps the Maildir's file name before it is delivered under it.
  std::function<core::Result<void>(const store::Errand& errand, const std::string& name)> record_mail_name;
  const std::atomic<bool>* stop = nullptr;  // breaks off a mail
};

// What the other side said when it took the notice. Errors say for people, in the hint, what is wrong; their codes:
//   provider_down, unknown_outcome, unavailable  it cannot be reached, or did not answer in time: so it will be with others
//   provider_refused                             it answered, and did not take this one
//   those of http::Client, http::send_letter() and process::run() besides
core::Result<std::string> tell(const Ways& ways, const store::Errand& errand);

// The three headers of Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature) for a body. The signature is
// "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". A key that begins with "whsec_" is the base64 behind
// that; any other text is the key as it stands.
std::vector<std::pair<std::string, std::string>> webhook_headers(std::string_view key, const std::string& id, core::Time now, std::string_view body);

}  // namespace notice
