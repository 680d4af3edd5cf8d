// What every job of the queue is given, and how it changes a fax.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"
#include "document/pdf.h"
#include "fax/provider.h"
#include "maildir/maildir.h"
#include "queue/timekeeper.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/watch.h"

namespace queue {

struct Listeners;

inline constexpr const char* kSandbox = "sandbox";  // the provider of the practice line

struct Options {
  std::string own_number;
  std::string provider;    // sandbox, twilio, signalwire
  std::string public_url;  // no slash at the end
  std::string hostname;    // of mail addresses
  std::string mail_user = "fax";
  std::string auth_user;   // empty: no Basic authentication on our routes
  core::SecretString auth_password;
  bool auth_media = true;
  bool practice = false;
  bool delete_media = true;  // PROVIDER_DELETE_AFTER=stored
  std::int64_t retry_limit = 4;
  std::chrono::seconds retry_wait{300};
  std::chrono::seconds reconcile_interval{300};
  std::chrono::seconds check_time{1800};
  std::chrono::seconds lifetime{72 * 3600};
  std::chrono::hours retention{90 * 24};                // RETENTION_DAYS
  std::optional<std::chrono::hours> record_retention;  // RECORD_RETENTION_DAYS; nothing: for ever
  std::vector<std::string> blocked_senders;  // E.164
  std::int64_t max_fax_bytes = 52428800;
  std::chrono::seconds lease{300};  // after it another worker takes over what this one began
};

// References only: whoever makes it keeps everything alive. The functions may be called from
// several threads at once.
struct Context {
  const Options& options;
  const core::Clock& clock;
  store::Faxes& faxes;
  const spool::Spool& spool;
  fax::Provider& provider;
  std::function<core::Result<document::Pdf>(int fd)> examine;             // document::examine_pdf
  std::function<core::Result<void>(const std::vector<int>& fds, int output_fd)> join;  // document::join_pdf
  std::function<core::Result<maildir::Delivery>(const std::string& name, int fd)> deliver;
  std::function<std::string(core::Time now, int fd)> new_mail_name;       // maildir::new_name
  Timekeeper* time = nullptr;  // nothing: the clock is believed
  // Who leased the fax of this step, by run_one(): once another has it, nothing of this one's is written into the fax. Empty: nobody.
  std::string worker = {};
  // What the line knows of its own health; null, empty: nobody watches.
  store::Watch* watch = nullptr;
  std::function<core::Result<void>()> check_mailbox = {};                 // maildir::Remote::check
  const Listeners* listeners = nullptr;  // whose certificates are looked at (certificates.h); null: nobody's
};

// Whether the fax's deadline has passed, by a clock that may be believed.
bool is_over(const Context& context, const store::Fax& fax);

// What became of one step: changes to the fax, applied to the row as it is now.
using Change = std::function<void(store::Fax&, std::vector<store::Event>&)>;

// Reads the fax, applies the change, saves; again as long as somebody else was quicker. The
// answer is the fax as saved. `change` may run more than once: it looks at what it is given. conflict, field lease:
// this worker slept past its lease, and the fax is another's.
core::Result<store::Fax> change(const Context& context, const std::string& fax_id, const Change& what);

bool is_lease_lost(const core::Error& error);

// The fax comes back after `wait`, with nothing else changed.
core::Result<void> come_back(const Context& context, const std::string& fax_id, std::chrono::seconds wait);

// The cause, and the provider's own words for it, if it gave any: those of an earlier cause go with that.
void set_cause(store::Fax& fax, std::string_view code, std::string_view words = {});

// The fax waits with this cause, and comes back at that time. An event says so, unless that was its cause already.
void wait_with(store::Fax& fax, std::vector<store::Event>& events, std::string_view cause_code, core::Time until, core::Time now);

// Sets a final status with its cause, ends the waiting; writes the event from the cause's words.
void finish(store::Fax& fax, std::vector<store::Event>& events, fax::Status status, std::string_view cause_code, std::string_view own_words, core::Time now);

}  // namespace queue
