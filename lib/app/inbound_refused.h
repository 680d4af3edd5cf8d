// The provider's messages that `inbound` refused although they name our account and our number: each may be a fax that is
// lost. They are counted by likely cause, in the book and the log, until a first webhook is taken again.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "app/inbound.h"
#include "twilio/signature.h"
#include "twilio/webhook.h"

namespace app {

// Thread-safe. Never an error: what cannot be written is in the log alone.
class Refused {
 public:
  Refused(const Line& line, const ProviderSide& side, store::Faxes& faxes) : line_(line), side_(side), faxes_(faxes) {}

  // For a request that is_signed() said no to. Its account and number must be ours, else nothing is noted.
  void by_signature(const web::Request& request, const twilio::SignedRequest& signed_request, const twilio::Webhook& hook);
  // A payload whose token is ours and has expired; `token_sid` is the token's.
  void too_late(const web::Request& request, const std::string& token_sid, const twilio::Webhook& hook);
  // A first webhook was taken: what was refused before is over. Of one that was not signed, only what was refused for that.
  void taken(bool is_signed);

 private:
  // A stranger who knows account and number may cost us this many writes of a cause at once, and one a second.
  static constexpr int kBurst = 10;
  struct Allowance {
    core::Time filled{};
    int left = kBurst;
    std::int64_t unwritten = 0;
  };

  void note(const web::Request& request, store::Refusal refusal);
  // How many are to be written with this one; nothing: not now.
  std::optional<std::int64_t> allowance(const std::string& cause);

  const Line& line_;
  const ProviderSide& side_;
  store::Faxes& faxes_;
  std::mutex mutex_;
  std::map<std::string, Allowance> allowances_;
};

// Whether two telephone numbers have the same digits: a "+" in a query may have become a blank.
bool is_same_number(std::string_view one, std::string_view other);

}  // namespace app
