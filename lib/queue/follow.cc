#include <algorithm>
#include <random>

#include "core/fail_point.h"
#include "core/log.h"
#include "fax/backoff.h"
#include "fax/cause.h"
#include "queue/fence.h"
#include "queue/outbound.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

// How long a reason may come by callback after the API says "failed" without one.
constexpr auto kReasonWait = 6s;

std::chrono::seconds poll_wait(std::int64_t polls) {
  if (polls < 15) return 2s;
  if (polls < 60) return 5s;
  return std::min<std::chrono::seconds>(60s, std::chrono::seconds(polls / 6));
}

// So that faxes that were busy together do not all come back together.
double jitter() {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

// The attempt is the fax's last, and not over.
bool is_open_at_provider(const store::Fax& row, const store::Attempt& attempt) {
  return row.attempt == attempt.number && (row.status == fax::Status::submitting || row.status == fax::Status::checking || row.status == fax::Status::sending);
}

constexpr std::string_view kLowered = "The next attempts ask for the standard resolution";

// A final word that lets another attempt follow.
void wait_for_next(store::Fax& row, std::vector<store::Event>& events, const fax::Cause& cause, std::string_view words, const Options& options, core::Time now) {
  row.ends_to_retry += 1;
  const auto wait = fax::retry_wait(options.retry_wait, static_cast<int>(row.ends_to_retry), jitter());
  row.status = fax::Status::waiting;
  set_cause(row, cause.code, words);
  row.next_at = now + wait;
  events.push_back({now, std::string(cause.text), "Attempt " + std::to_string(row.attempt) + ". The next one follows by itself."});
  if (cause.code == "resolution_too_high") events.push_back({now, std::string(kLowered), ""});
}

void end_delivered(store::Fax& row, std::vector<store::Event>& events, const fax::ProviderFax& word, core::Time now) {
  row.pages_done = word.pages;
  if (word.pages && row.pages && *word.pages < *row.pages) {
    finish(row, events, fax::Status::partly_delivered, "pages_missing",
           std::to_string(*word.pages) + " of " + std::to_string(*row.pages) + " pages", now);
    return;
  }
  finish(row, events, fax::Status::delivered, "", "", now);
  events.back().why = word.pages ? std::to_string(*word.pages) + (*word.pages == 1 ? " page." : " pages.") : "Page count not reported.";
}

// Why the attempt failed. What a callback said counts only where the API itself gives no reason.
struct Reason {
  Reason(const store::Attempt& attempt, const fax::ProviderFax& word) {
    const bool by_api = !word.error_code.empty() || !word.error_message.empty();
    const auto& code = by_api ? word.error_code : attempt.error_code;
    const auto& message = by_api ? word.error_message : attempt.error_message;
    words = fax::words_of_provider(code, message);
    cause = fax::cause_of_provider(word.status, code, message);
    was_fetched = attempt.handed_out && fax::was_never_fetched(cause);
    if (was_fetched && cause.next == fax::Next::retry_later) {
      cause = fax::find_cause("provider_error");
      words = "error " + code + (message.empty() ? "" : ": " + message);
    }
  }
  bool no_page() const { return cause.pages == fax::Pages::no && !was_fetched; }
  bool to_retry() const { return cause.next == fax::Next::retry_later && no_page(); }

  fax::Cause cause;
  std::string words;
  bool was_fetched = false;  // the provider says that it could not fetch the document, and the book that it did
};

void end_failed(store::Fax& row, std::vector<store::Event>& events, const store::Attempt& attempt, const fax::ProviderFax& word, bool lowered, const Options& options, core::Time now) {
  const Reason reason(attempt, word);
  auto cause = reason.cause;
  // There is no lower one than it had.
  if (lowered && cause.code == "resolution_too_high") cause = fax::find_cause("remote_incompatible");
  const bool no_page = reason.no_page() && cause.pages == fax::Pages::no;
  const auto& words = reason.words;
  // "Canceled" tells people that nothing arrived.
  if (row.cancel_requested && no_page) return finish(row, events, fax::Status::canceled, "canceled_by_user", "", now);
  const bool again = cause.next == fax::Next::retry_later && no_page && !row.cancel_requested && row.ends_to_retry < options.retry_limit && !fax::is_final(row.status);
  if (again) return wait_for_next(row, events, cause, words, options, now);
  finish(row, events, fax::Status::failed, cause.code, words, now);
}

core::Result<bool> was_told(const Context& context, const store::Fax& fax, std::string_view what) {
  CORE_TRY(events, context.faxes.events(fax.id));
  return std::any_of(events.begin(), events.end(), [&](const store::Event& event) { return event.what == what; });
}

}  // namespace

core::Result<bool> was_lowered(const Context& context, const store::Fax& fax) {
  if (fax.ends_to_retry == 0) return false;
  return was_told(context, fax, kLowered);
}

core::Result<fax::ProviderFax> fetch_own(const Context& context, const store::Fax& fax, const store::Attempt& attempt) {
  CORE_TRY(word, context.provider.fetch(attempt.provider_id));
  if (fax::is_another(word, fax.to)) return core::Error{core::Code::bad_request, "the provider's id " + attempt.provider_id + " is that of a fax that this line did not send here"};
  return word;
}

bool lets_another_follow(const store::Attempt& attempt, const fax::ProviderFax& word) {
  return fax::is_final(word.status) && word.status != fax::ProviderStatus::delivered && Reason(attempt, word).to_retry();
}

core::Result<void> apply(const Context& context, const store::Fax& fax, const store::Attempt& attempt, const fax::ProviderFax& word) {
  const auto now = context.clock.now();
  if (!fax::is_final(word.status)) {
    CORE_CHECK(context.faxes.record_poll(attempt.id));
    FAIL_POINT("queue.follow.polled");
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) {
      if (!is_open_at_provider(row, attempt)) return;
      row.status = fax::Status::sending;
      row.provider_id = word.id;
      row.next_at = now + poll_wait(attempt.polls);
    }));
    return {};
  }
  // Twilio's API never says why; its callback does, and may be a moment behind.
  if (word.status == fax::ProviderStatus::failed && word.error_code.empty() && attempt.error_code.empty() && !attempt.ended) {
    if (!attempt.final_seen) CORE_CHECK(context.faxes.record_final_seen(attempt.id, now));
    // A clock that was set back makes nobody wait longer.
    if (!attempt.final_seen || (now >= *attempt.final_seen && now - *attempt.final_seen < kReasonWait)) return come_back(context, fax.id, 2s);
  }
  CORE_TRY(lowered, was_lowered(context, fax));
  CORE_TRY(told_too_late, was_told(context, fax, kTooLateToCancel));
  CORE_CHECK(end_attempt(context, attempt.id, false));
  // From here on nobody fetches the document any more: whether somebody did is read anew.
  CORE_TRY(last, context.faxes.last_attempt(fax.id));
  const auto& ended = last && last->id == attempt.id ? *last : attempt;
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    // A worker that slept in its question: the fax has gone on to another attempt.
    if (row.attempt != attempt.number) return;
    const bool corrected = fax::is_final(row.status);
    if (corrected && row.status != fax::Status::unresolved && store::decided_by(row) == fax::Decided::by_provider) return;
    row.provider_id = word.id;
    if (word.status == fax::ProviderStatus::delivered) end_delivered(row, events, word, now);
    else if (word.status == fax::ProviderStatus::canceled) finish(row, events, fax::Status::canceled, row.cancel_requested ? "canceled_by_user" : "canceled_at_provider", "", now);
    else end_failed(row, events, ended, word, lowered, context.options, now);
    // It may have said that it canceled the fax.
    if (row.cancel_requested && fax::is_final(row.status) && row.status != fax::Status::canceled && !told_too_late)
      events.insert(events.begin(), {now, std::string(kTooLateToCancel), "The provider went on with it to its end."});
    if (corrected && !events.empty()) events.back().why += " Corrected by what the provider said later.";
  }));
  FAIL_POINT("queue.apply.moved");
  return {};
}

core::Result<void> follow(const Context& context, const store::Fax& fax) {
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  if (!attempt || attempt->provider_id.empty()) return look_for(context, fax);
  const auto word = fetch_own(context, fax, *attempt);
  if (!word) {
    core::log(core::Level::warning, "the provider did not say how the fax is", word.error(), {{"fax", fax.id}});
    CORE_CHECK(context.faxes.record_poll(attempt->id));
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) {
      if (!is_open_at_provider(row, *attempt)) return;
      row.status = fax::Status::sending;
      row.next_at = context.clock.now() + fax::fetch_wait(static_cast<int>(std::min<std::int64_t>(attempt->polls, 10)));
    }));
    return {};
  }
  return apply(context, fax, *attempt, *word);
}

}  // namespace queue
