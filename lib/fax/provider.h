// What a fax provider can do for us. An implementation may be called from several threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "fax/status.h"

namespace fax {

// The provider's own words for a fax; unknown is for a word that nobody has told us of: never a success.
enum class ProviderStatus { queued, processing, sending, delivered, receiving, received, no_answer, busy, failed, canceled, unknown };

constexpr bool is_final(ProviderStatus status) {
  using enum ProviderStatus;
  return status == delivered || status == received || status == no_answer || status == busy || status == failed || status == canceled;
}

// A fax as the provider describes it. An empty text is one that it did not give.
struct ProviderFax {
  std::string id;
  ProviderStatus status = ProviderStatus::unknown;
  Direction direction = Direction::outbound;
  std::string from;
  std::string to;
  std::optional<std::int64_t> pages;
  std::string error_code;
  std::string error_message;
  std::optional<core::Time> created;
  std::string media_url;
  std::string media_id;
};

struct SubmitRequest {
  std::string from;
  std::string to;
  std::string media_url;     // with user information where the settings ask for it
  std::string callback_url;
};

struct SubmitOutcome {
  enum class Kind {
    taken,         // provider_id is the fax's
    not_taken,     // a well-formed refusal: error_code, message
    unreachable,   // no connection could be made: certainly nothing was taken
    rate_limited,  // 429: nothing was taken; retry_after, 0 if not said
    unauthorized,  // 401, 403: nothing was taken
    unknown,       // anything else
  };
  Kind kind = Kind::unknown;
  std::string provider_id = {};
  std::string error_code = {};
  std::string message = {};
  std::chrono::seconds retry_after{0};
  core::Error error = {};  // for the log
};

struct CancelOutcome {
  enum class Kind { canceled, too_late, unknown };
  Kind kind = Kind::unknown;
};

struct ListQuery {
  std::optional<core::Time> created_after = {};
  std::string from = {};  // empty: all
  std::string to = {};
};

class Provider {
 public:
  virtual ~Provider() = default;

  virtual SubmitOutcome submit(const SubmitRequest& request) = 0;

  // Errors of the calls below: not_found, unauthenticated (401, 403), limited (429), provider_refused (another
  // well-formed refusal), provider_down (no connection), unavailable (no usable answer).
  virtual core::Result<ProviderFax> fetch(const std::string& id) = 0;
  virtual CancelOutcome cancel(const std::string& id) = 0;
  // All pages of the list.
  virtual core::Result<std::vector<ProviderFax>> list(const ListQuery& query) = 0;
  // The URL of a received fax's document, asked anew. not_found: there is none.
  virtual core::Result<std::string> media_url(const std::string& id) = 0;
  // The document into `output_fd`, a regular file, from its beginning (what stood there is cut off); its size. Besides the errors above:
  // forbidden (403, or a host that documents may not come from), too_large.
  virtual core::Result<std::int64_t> download(const std::string& media_url, int output_fd, std::int64_t max_bytes) = 0;
  // Deletes the documents of a fax, never the fax.
  virtual core::Result<void> delete_media(const std::string& id) = 0;
};

}  // namespace fax
