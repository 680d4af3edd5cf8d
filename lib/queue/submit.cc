#include <algorithm>

#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"
#include "fax/backoff.h"
#include "fax/cause.h"
#include "queue/fence.h"
#include "queue/outbound.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kUnauthorizedWait = 300s;
constexpr auto kProbeTime = 60s;
constexpr auto kNumberWait = 5s;

// The account is held: this fax waits, with the reason in its row.
core::Result<void> wait_for_account(const Context& context, const store::Fax& fax, const store::Hold& hold) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    wait_with(row, events, hold.kind == "unauthorized" ? "wrong_credentials" : "rate_limited", hold.until, context.clock.now());
  }));
  return {};
}

core::Result<void> hold_account(const Context& context, const std::string& kind, std::chrono::seconds wanted) {
  CORE_TRY(before, context.faxes.hold());
  store::Hold hold = before.value_or(store::Hold{kind, context.clock.now(), {}, 0});
  if (hold.kind != kind) hold = {kind, context.clock.now(), {}, 0};
  const auto wait = kind == "unauthorized" ? kUnauthorizedWait : wanted > 0s ? wanted : fax::hold_wait(static_cast<int>(std::min<std::int64_t>(hold.tries + 1, 20)));
  hold.tries += 1;
  hold.until = context.clock.now() + wait;
  core::log(core::Level::warning, "calls to the account are held", {{"kind", kind}, {"seconds", std::to_string(wait.count())}});
  return context.faxes.set_hold(hold);
}

core::Result<void> unknown(const Context& context, const store::Fax& fax, const std::string& attempt_id);

// False for a call that was outlived by its lease: the fax has gone on, and what the call says is its attempt's alone.
bool is_current(const store::Fax& row, const store::Fax& called) {
  return row.attempt == called.attempt && (row.status == fax::Status::submitting || row.status == fax::Status::checking);
}

// Nothing was taken: this attempt is over and counts for nothing. The next one has a time. Should somebody
// hold the document all the same, the provider's word is not enough.
core::Result<void> not_sent(const Context& context, const store::Fax& fax, const std::string& attempt_id, const std::string& cause, std::chrono::seconds wait) {
  CORE_TRY(voided, context.faxes.void_attempt(attempt_id, context.clock.now()));
  if (!voided) return unknown(context, fax, attempt_id);
  FAIL_POINT("queue.not_sent.voided");
  CORE_CHECK(end_attempt(context, attempt_id, true));
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (!is_current(row, fax)) return;
    wait_with(row, events, cause, context.clock.now() + wait, context.clock.now());
  }));
  FAIL_POINT("queue.not_sent.moved");
  return {};
}

core::Result<void> refused(const Context& context, const store::Fax& fax, const std::string& attempt_id, const fax::SubmitOutcome& outcome) {
  CORE_CHECK(end_attempt(context, attempt_id, true));
  // It was this fax that was refused, not the account: where that is held, the next one tries at once.
  CORE_CHECK(context.faxes.shorten_hold(context.clock.now()));
  FAIL_POINT("queue.refused.hold_shortened");
  const auto cause = fax::cause_of_refusal(outcome.error_code, outcome.message);
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (is_current(row, fax)) finish(row, events, fax::Status::failed, cause.code, fax::words_of_provider(outcome.error_code, outcome.message), context.clock.now());
  }));
  FAIL_POINT("queue.refused.moved");
  return {};
}

core::Result<void> taken(const Context& context, const store::Fax& fax, const std::string& attempt_id, const std::string& provider_id) {
  const auto recorded = context.faxes.record_provider_id(attempt_id, provider_id);
  if (!recorded && recorded.error().field == "provider_id") {
    // It answered with the fax of another call: what became of this one, nobody has said.
    core::log(core::Level::error, "the provider answered with the id of another call", recorded.error(), {{"fax", fax.id}, {"attempt", attempt_id}, {"provider_id", provider_id}});
    return unknown(context, fax, attempt_id);
  }
  CORE_CHECK(recorded);
  FAIL_POINT("queue.taken.id_written");
  CORE_CHECK(context.faxes.set_hold(std::nullopt));
  FAIL_POINT("queue.taken.hold_ended");
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (!is_current(row, fax)) return;
    row.status = fax::Status::sending;
    row.provider_id = provider_id;
    set_cause(row, "");
    row.next_at = context.clock.now() + 1s;
    events.push_back({context.clock.now(), "Handed to the provider", row.attempt > 1 ? "Attempt " + std::to_string(row.attempt) + "." : ""});
  }));
  FAIL_POINT("queue.taken.moved");
  return {};
}

core::Result<void> unknown(const Context& context, const store::Fax& fax, const std::string& attempt_id) {
  CORE_CHECK(context.faxes.record_unknown(attempt_id, context.clock.now()));
  FAIL_POINT("queue.unknown.recorded");
  CORE_TRY(row, change(context, fax.id, [&](store::Fax& it, auto& events) {
    if (it.status == fax::Status::checking || !is_current(it, fax)) return;
    it.status = fax::Status::checking;
    set_cause(it, "being_looked_for");
    it.next_at = context.clock.now();
    events.push_back({context.clock.now(), "Looking for it at the provider", "The provider's answer did not come, so it may or may not have the fax."});
  }));
  FAIL_POINT("queue.unknown.moved");
  return is_current(row, fax) ? look_for(context, row) : core::Result<void>();
}

// Whether this fax may call now: nobody holds the account, or it is the one that tries.
enum class Leave { none, free, to_try };

core::Result<Leave> may_call(const Context& context, const store::Fax& fax) {
  CORE_TRY(hold, context.faxes.hold());
  if (!hold) return Leave::free;
  const auto now = context.clock.now();
  if (now >= hold->until) {
    CORE_TRY(granted, context.faxes.take_probe(now, now + kProbeTime));
    if (granted) return Leave::to_try;
    // Another worker's fax tries.
    hold->until = now + kProbeTime;
  }
  CORE_CHECK(wait_for_account(context, fax, *hold));
  return Leave::none;
}

}  // namespace

core::Result<bool> is_number_free(const Context& context, const store::Fax& fax) {
  CORE_TRY(open, context.faxes.is_call_open(fax.to));
  if (!open) return true;
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (!fax::is_final(row.status)) wait_with(row, events, "behind_another_fax", context.clock.now() + kNumberWait, context.clock.now());
  }));
  return false;
}

core::Result<void> submit(const Context& context, const store::Fax& fax) {
  CORE_TRY(past, close_last_attempt(context, fax.id));
  if (past == Past::known) return follow(context, fax);
  if (past == Past::handed_out) return look_for(context, fax);
  // Before the account is asked for: a fax that cannot call must not be the one that tries.
  CORE_TRY(free, is_number_free(context, fax));
  if (!free) return {};
  CORE_TRY(leave, may_call(context, fax));
  if (leave == Leave::none) return {};
  CORE_TRY(lowered, was_lowered(context, fax));

  // The copy first, then the intent: a copy without an intent is nobody's, and the purge takes it.
  const auto urls = new_urls(context.options);
  const auto attempt_id = core::new_id(context.clock.now());
  CORE_CHECK(context.spool.hand_out(fax.document_id, attempt_id));
  FAIL_POINT("queue.submit.copied");
  store::Fax row = fax;
  row.status = fax::Status::submitting;
  row.attempt += 1;
  // Should this process die in the call, the lease ends and look_for() takes over from the book.
  row.next_at = context.clock.now();
  const auto attempt = context.faxes.begin_attempt(row, attempt_id, urls.media_token_hash, urls.callback_token_hash, context.clock.now(), context.worker);
  if (!attempt) {
    (void)context.spool.take_back(attempt_id);
    if (attempt.error().code != core::Code::conflict || is_lease_lost(attempt.error())) return attempt.error();
    // Another call to this number was begun, or the fax was changed (canceled, perhaps) in this moment.
    if (leave == Leave::to_try) CORE_CHECK(context.faxes.shorten_hold(context.clock.now()));
    return come_back(context, fax.id, 0s);
  }
  FAIL_POINT("queue.submit.intent_written");
  const auto outcome = context.provider.submit({row.from, row.to, urls.media, urls.callback, lowered ? "standard" : ""});
  FAIL_POINT("queue.submit.answered");
  using Kind = fax::SubmitOutcome::Kind;
  if (outcome.kind != Kind::taken) core::log(core::Level::warning, "call to the provider", outcome.error, {{"fax", fax.id}, {"attempt", attempt_id}});
  switch (outcome.kind) {
    case Kind::taken: return taken(context, row, attempt_id, outcome.provider_id);
    case Kind::not_taken: return refused(context, row, attempt_id, outcome);
    case Kind::unreachable: return not_sent(context, row, attempt_id, "provider_unreachable", fax::fetch_wait(static_cast<int>(std::min<std::int64_t>(row.attempt - 1, 20))));
    case Kind::rate_limited:
      CORE_CHECK(hold_account(context, "rate_limited", outcome.retry_after));
      FAIL_POINT("queue.hold.set");
      return not_sent(context, row, attempt_id, "rate_limited", 0s);
    case Kind::unauthorized:
      CORE_CHECK(hold_account(context, "unauthorized", 0s));
      return not_sent(context, row, attempt_id, "wrong_credentials", 0s);
    case Kind::unknown: break;
  }
  return unknown(context, row, attempt_id);
}

}  // namespace queue
