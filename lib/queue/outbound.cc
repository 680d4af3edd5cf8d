#include "queue/outbound.h"

#include "core/fail_point.h"
#include "core/log.h"
#include "fax/cause.h"
#include "queue/fence.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kAfterSilence = 60s;
constexpr auto kFirstLateLook = 10min;

// Before an automatic retry the last fax is read once more, and must be final there too.
core::Result<void> try_again(const Context& context, const store::Fax& fax) {
  CORE_TRY(last, context.faxes.last_attempt(fax.id));
  CORE_TRY(free, is_number_free(context, fax));
  if (!free) return {};
  if (last && !last->provider_id.empty()) {
    const auto word = fetch_own(context, fax, *last);
    if (!word && word.error().code != core::Code::not_found) {
      core::log(core::Level::warning, "next attempt put off: the provider does not answer", word.error(), {{"fax", fax.id}});
      return come_back(context, fax.id, 30s);
    }
    if (word && !fax::is_final(word->status)) return come_back(context, fax.id, 30s);
    // It may say more than it did when the wait began.
    if (word && !lets_another_follow(*last, *word)) return apply(context, fax, *last, *word);
  }
  return fax.document_id.empty() ? prepare(context, fax) : submit(context, fax);
}

}  // namespace

core::Result<void> cancel(const Context& context, const store::Fax& fax) {
  CORE_TRY(past, close_last_attempt(context, fax.id));
  const auto now = context.clock.now();
  if (past == Past::over) {
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
      if (!fax::is_final(row.status)) finish(row, events, fax::Status::canceled, "canceled_by_user", "", now);
    }));
    FAIL_POINT("queue.cancel.moved");
    return {};
  }
  if (past == Past::handed_out) return look_for(context, fax);
  if (fax.cancel_tried) return follow(context, fax);
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  const auto outcome = context.provider.cancel(attempt->provider_id);
  FAIL_POINT("queue.cancel.answered");
  using Kind = fax::CancelOutcome::Kind;
  if (outcome.kind == Kind::unknown) return follow(context, fax);
  CORE_TRY(row, change(context, fax.id, [&](store::Fax& it, auto& events) {
    if (fax::is_final(it.status)) return;
    it.cancel_tried = true;
    if (outcome.kind == Kind::too_late) events.push_back({now, std::string(kTooLateToCancel), "The provider is already sending it; it goes on to its end."});
  }));
  FAIL_POINT("queue.cancel.noted");
  return follow(context, row);
}

core::Result<void> end_in_time(const Context& context, const store::Fax& fax) {
  CORE_TRY(past, close_last_attempt(context, fax.id));
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  bool unread = false;
  if (past == Past::known) {
    const auto word = fetch_own(context, fax, *attempt);
    if (word && fax::is_final(word->status)) return apply(context, fax, *attempt, *word);
    unread = !word;
  }
  const bool submitted = attempt && !attempt->provider_id.empty();
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    const auto now = context.clock.now();
    // Its time began anew meanwhile: the clock was set.
    if (fax::is_final(row.status) || row.deadline > now) return;
    const auto words = row.cause_code.empty() ? "" : fax::find_cause(row.cause_code).text;
    // What was handed out may have been sent: that is not for us to say.
    if (past == Past::over) finish(row, events, fax::Status::failed, submitted ? "deadline_passed" : "never_submitted", words, now);
    else finish(row, events, fax::Status::unresolved, "deadline_passed", words, now);
    // It may have ended long ago, or end later: the provider is asked again.
    if (past == Past::known) row.next_at = now + (unread ? kAfterSilence : kFirstLateLook);
  }));
  return {};
}

core::Result<void> step_outbound(const Context& context, const store::Fax& fax) {
  if (fax::is_final(fax.status)) return take_late_evidence(context, fax);
  if (is_over(context, fax)) return end_in_time(context, fax);
  if (fax.cancel_requested && fax.status != fax::Status::checking) return cancel(context, fax);
  switch (fax.status) {
    case fax::Status::queued:
    case fax::Status::preparing: return prepare(context, fax);
    case fax::Status::submitting:
    case fax::Status::checking: return look_for(context, fax);
    case fax::Status::sending: return follow(context, fax);
    case fax::Status::waiting: return try_again(context, fax);
    default: return core::Error{core::Code::internal, "fax " + fax.id + " is in a state that no sent fax has"};
  }
}

}  // namespace queue
