// What Faxline asks of any fax provider, in words that belong to none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "fax/status.h"

namespace fax {

enum class ProviderStatus {
  queued, processing, sending, delivered, receiving, received, no_answer, busy, failed, canceled,
  unknown,  // a word that we do not know: never final, whatever it means
};

// "no_answer" and the like, for the log and the store. Never empty.
std::string_view name(ProviderStatus status);

// True for delivered, received, no_answer, busy, failed, canceled.
bool is_final(ProviderStatus status);

// A fax as the provider tells it.
struct ProviderFax {
  std::string id;
  ProviderStatus status = ProviderStatus::unknown;
  Direction direction = Direction::outbound;
  std::string from;  // as given; empty when withheld
  std::string to;
  std::optional<std::int64_t> pages = {};
  std::string error_code = {};     // the provider's; empty: none
  std::string error_message = {};
  std::optional<core::Time> created = {};
  std::string media_url = {};      // expires; empty: none
  std::string media_id = {};
};

// True for what cannot be the fax that was sent to `to`: a received one, or one to another number. What the provider
// leaves out proves nothing, nor do addresses that are no numbers (SIP).
bool is_another(const ProviderFax& fax, std::string_view to);

struct SubmitRequest {
  std::string from;          // E.164
  std::string to;            // E.164, or a SIP URI
  std::string media_url;     // capability: not to be logged, nor is the next
  std::string callback_url;
  std::string quality = {};  // "standard", "fine", "superfine"; empty: as this line's settings say
};

struct SubmitOutcome {
  enum class Kind {
    taken,         // `provider_id` is set
    not_taken,     // a well-formed refusal of this fax: trying the same again is of no use
    unreachable,   // no connection was made: certainly not taken
    rate_limited,  // certainly not taken; `retry_after`, 0: not said
    unauthorized,  // certainly not taken; holds the whole account
    unknown,       // may have been taken, may not
  };
  Kind kind = Kind::unknown;
  std::string provider_id = {};
  std::string error_code = {};  // the provider's, of a refusal; empty: none
  std::string message = {};     // the provider's words, for the person
  std::chrono::seconds retry_after{0};
  core::Error error = {};       // for the log, when not taken
};

struct CancelOutcome {
  enum class Kind { canceled, too_late, unknown };
  Kind kind = Kind::unknown;
  std::optional<ProviderFax> fax = {};  // as the answer told it
};

struct ListQuery {
  std::optional<core::Time> created_after = {};  // at this second, or later
  std::string from = {};                         // empty: all
  std::string to = {};                           // empty: all
  std::optional<core::Time> created_on_or_before = {};
};

struct FaxList {
  std::vector<ProviderFax> faxes;  // in the provider's order
  std::int64_t unreadable = 0;     // entries besides that could not be read: any fax may be one of them
};

// Calls of the provider's API. Each may take its time-out's length and may be made from several threads at once. Errors
// common to all: provider_down (certainly nothing was asked), unknown_outcome, unauthenticated (wrong account or token),
// limited (with retry_after), provider_refused (any other well-formed no), bad_request (the answer cannot be read).
class Provider {
 public:
  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  // Never repeated by itself: each call may send a fax.
  virtual SubmitOutcome submit(const SubmitRequest& request) = 0;

  // not_found: the provider does not know it (any more).
  virtual core::Result<ProviderFax> fetch(const std::string& id) = 0;

  virtual CancelOutcome cancel(const std::string& id) = 0;

  // All pages of the provider's answer.
  virtual core::Result<FaxList> list(const ListQuery& query) = 0;

  // Writes a received document to `output_fd`, from its position on; the number of bytes. too_large: more than
  // `max_bytes`; not_found, forbidden: the URL is not good (any more), ask media_url() anew; forbidden too for a host that
  // documents may not come from. After an error an unknown part of it is in the file.
  virtual core::Result<std::int64_t> download(const std::string& media_url, int output_fd, std::int64_t max_bytes) = 0;

  // A fresh URL of a received fax's document; not_found: no such fax, or it has no document.
  virtual core::Result<std::string> media_url(const std::string& fax_id) = 0;

  // Deletes a fax's document there, not the fax's record; a document that is gone already is no error.
  virtual core::Result<void> delete_media(const std::string& fax_id) = 0;
};

}  // namespace fax
