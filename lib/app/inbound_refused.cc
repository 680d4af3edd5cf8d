#include "app/inbound_refused.h"

#include <algorithm>

#include "core/log.h"
#include "fax/cause.h"
#include "text/words.h"

namespace app {

namespace {

constexpr std::string_view kUnsigned = "webhook_unsigned";

std::string_view cause_of(twilio::Mismatch mismatch) {
  switch (mismatch) {
    case twilio::Mismatch::no_signature: return kUnsigned;
    case twilio::Mismatch::other_url: return "webhook_other_url";
    case twilio::Mismatch::other_key: return "webhook_other_key";
    case twilio::Mismatch::unknown: break;
  }
  return "webhook_signature_wrong";
}

std::string digits_of(std::string_view number) {
  std::string digits;
  std::copy_if(number.begin(), number.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

store::Refusal refusal_of(std::string_view cause, const twilio::Webhook& hook) {
  store::Refusal refusal;
  refusal.cause = cause;
  refusal.fax_sid = hook.fax_sid;
  refusal.from = hook.from.substr(0, 100);
  return refusal;
}

}  // namespace

bool is_same_number(std::string_view one, std::string_view other) {
  const auto digits = digits_of(one);
  return !digits.empty() && digits == digits_of(other);
}

void Refused::by_signature(const web::Request& request, const twilio::SignedRequest& signed_request, const twilio::Webhook& hook) {
  const bool names_us = !side_.account.empty() && text::equal_ignoring_case(hook.account_sid, side_.account) && is_same_number(hook.to, line_.number);
  if (!names_us) return;
  const auto diagnosis = twilio::diagnose(signed_request, side_.signing_keys, *side_.dialect, request.host(), side_.account_token);
  auto refusal = refusal_of(cause_of(diagnosis.mismatch), hook);
  if (!diagnosis.url.empty()) refusal.detail = "signed for " + diagnosis.url;
  note(request, std::move(refusal));
}

void Refused::too_late(const web::Request& request, const std::string& token_sid, const twilio::Webhook& hook) {
  auto refusal = refusal_of("webhook_too_late", hook);
  refusal.fax_sid = token_sid;
  note(request, std::move(refusal));
}

void Refused::taken(bool is_signed) {
  if (const auto noted = faxes_.note_taken(is_signed, kUnsigned, line_.clock->now()); !noted) core::log(core::Level::warning, "first webhook taken, but that is not in the book", noted.error());
}

void Refused::note(const web::Request& request, store::Refusal refusal) {
  const auto count = allowance(refusal.cause);
  if (!count) return;
  refusal.count = *count;
  const auto cause = fax::find_cause(refusal.cause);
  core::log(core::Level::warning, "A MESSAGE THAT NAMES OUR ACCOUNT AND NUMBER WAS REFUSED: perhaps a lost fax",
            {{"cause", refusal.cause}, {"what", cause.text}, {"cure", cause.advice}, {"detail", refusal.detail}, {"count", std::to_string(refusal.count)}, {"provider_id", refusal.fax_sid},
             {"from", core::masked(refusal.from)}, {"request", request.id()}});
  if (const auto noted = faxes_.note_refused(refusal, line_.clock->now()); !noted) core::log(core::Level::warning, "refused message not in the book", noted.error());
}

std::optional<std::int64_t> Refused::allowance(const std::string& cause) {
  const auto now = line_.clock->now();
  const std::lock_guard lock(mutex_);
  auto& it = allowances_.try_emplace(cause, Allowance{now}).first->second;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now - it.filled).count();
  if (seconds < 0) it.filled = now;  // the clock was set back
  if (seconds > 0) {
    it.left = static_cast<int>(std::min<std::int64_t>(kBurst, it.left + seconds));
    it.filled += std::chrono::seconds(seconds);
  }
  it.unwritten += 1;
  if (it.left == 0) return std::nullopt;
  it.left -= 1;
  return std::exchange(it.unwritten, 0);
}

}  // namespace app
