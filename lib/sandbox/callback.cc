// What is told of a fax, and the status callbacks.
#include <algorithm>
#include <limits>

#include "core/log.h"
#include "sandbox/state.h"

namespace sandbox {
namespace {

using std::chrono::seconds;

constexpr std::chrono::milliseconds kCallBackAgain[] = {seconds(1), seconds(5), seconds(30)};
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 4;

// Whether somebody who asked for these events of SignalWire's, which are a call's, is told of a fax's status.
bool is_asked_for(const Fax& fax) {
  if (fax.callback_events.empty()) return true;
  const auto event = [&](std::string_view word) { return (" " + fax.callback_events + " ").find(" " + std::string(word) + " ") != std::string::npos; };
  if (fax.is_final()) return event("completed");
  if (fax.status == "sending") return event("ringing") || event("answered");
  return event("initiated");
}

}  // namespace

void Sandbox::State::tell(Fax& fax) const {
  const auto fault = [&](std::string_view name) { return fault_in(fax.faults, name); };
  if (fax.status_callback.empty() || !is_asked_for(fax) || fault("callbacks-never")) return;
  std::vector<std::string> words{fax.status};
  if (fault("callbacks-contradicting") && fax.is_final()) {
    const std::string opposite = fax.status == "delivered" ? "failed" : "delivered";
    words = {opposite, fax.status, opposite};
  }
  const std::int64_t due = fax.updated_ms + (in(seconds(fault("callbacks-late").value_or(0))) - now_ms());
  const bool reordered = fault("callbacks-reordered").has_value();
  for (const std::string& word : words)
    for (int i = 0; i < (fault("callbacks-twice") ? 2 : 1); ++i)
      fax.callbacks.insert(reordered ? fax.callbacks.begin() : fax.callbacks.end(), {word, reordered ? kNever : due, 0});
  if (!reordered || !fax.is_final()) return;
  for (Callback& callback : fax.callbacks) callback.due_ms = due;
}

Pairs Sandbox::State::parameters(const Fax& fax, std::string_view status) const {
  Pairs pairs{{"FaxSid", fax.sid}, {"AccountSid", options.account_sid}, {"From", fax.from}, {"To", fax.to}, {"ApiVersion", "v1"}};
  if (status.empty()) return pairs;
  pairs.emplace_back("FaxStatus", status);
  pairs.emplace_back("RemoteStationId", fax.direction == "inbound" ? fax.from : fax.to);
  if (!fax.given_media_url.empty()) pairs.emplace_back("OriginalMediaUrl", fax.given_media_url);
  if (fax.pages && status != "failed") pairs.emplace_back("NumPages", std::to_string(*fax.pages));
  if (status == "failed") {
    pairs.emplace_back("ErrorCode", fax.error_code.empty() ? "34004" : fax.error_code);
    pairs.emplace_back("ErrorMessage", fax.error_code.empty() ? "Fax transmission error" : fax.error_message);
  }
  if (fax.has_media && fax.store_media && fax.is_final() && !fault_in(fax.faults, "no-media-url")) {
    if (dialect.media_in_callbacks) pairs.emplace_back("MediaSid", fax.media_sid);
    pairs.emplace_back("MediaUrl", media_url(fax, fault_in(fax.faults, "media-url-expired").has_value()));
  }
  if (dialect.media_in_callbacks) pairs.emplace_back("Timestamp", core::rfc3339(core::from_ms(now_ms())));
  return pairs;
}

void Sandbox::State::call_back(const Fax& fax) {
  const Callback callback = fax.callbacks.front();
  const auto answer = caller.send({.method = fax.callback_method,
                                   .url = fax.status_callback,
                                   .parameters = parameters(fax, callback.status),
                                   .wrong_signature = fault_in(fax.faults, "callbacks-wrong-signature").has_value()});
  const auto again = wait_after(kCallBackAgain, callback.tries);
  if (!is_success(answer)) core::log(core::Level::warning, "a status callback of the sandbox was not taken", {{"sid", fax.sid}, {"said", said(answer)}});

  const std::lock_guard lock(mutex);
  const Fax* now = book.find(fax.sid);
  if (now == nullptr) return;
  Fax done = *now;
  const auto made = std::find_if(done.callbacks.begin(), done.callbacks.end(), [&](const Callback& one) { return one.status == callback.status && one.due_ms == callback.due_ms; });
  if (made == done.callbacks.end()) return;
  if (is_success(answer) || !again) {
    done.callbacks.erase(made);
  } else {
    made->tries += 1;
    made->due_ms = in(*again);
  }
  if (!book.put(done)) held[fax.sid + "/callback"] = in(kStoreAgain);
}

}  // namespace sandbox
