#include <algorithm>

#include "core/fail_point.h"
#include "core/log.h"
#include "fax/backoff.h"
#include "fax/cause.h"
#include "queue/fence.h"
#include "queue/outbound.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kClockError = 5min;
constexpr auto kLookInterval = 10s;
constexpr auto kVoidedCallsCount = 24h;
constexpr auto kLateLooks = 7 * 24h;

bool is_own(const store::Fax& fax, const fax::ProviderFax& word) { return word.direction == fax::Direction::outbound && word.to == fax.to; }

// The fax at the provider that a callback named, if it can be this one's: an id is one call's alone. One that is another's is
// forgotten, so that the next callback counts. Errors: of the API, not_found too.
core::Result<std::optional<fax::ProviderFax>> hinted(const Context& context, const store::Fax& fax, const store::Attempt& attempt) {
  CORE_TRY(word, context.provider.fetch(attempt.hinted_id));
  CORE_TRY(known, context.faxes.is_provider_id_known(word.id));
  if (is_own(fax, word) && !known) return std::optional(word);
  core::log(core::Level::warning, "a callback named a fax that is not this one", {{"fax", fax.id}, {"provider_id", attempt.hinted_id}});
  CORE_CHECK(context.faxes.forget_hint(attempt.id, attempt.hinted_id));
  return std::optional<fax::ProviderFax>();
}

// What the provider says of the attempt's fax, by its id or by the one that a callback named; nothing if that is another's.
core::Result<std::optional<fax::ProviderFax>> own_word(const Context& context, const store::Fax& fax, const store::Attempt& attempt) {
  if (attempt.provider_id.empty()) return hinted(context, fax, attempt);
  CORE_TRY(word, context.provider.fetch(attempt.provider_id));
  return is_own(fax, word) ? std::optional(word) : std::nullopt;
}

bool is_at_call(const store::Fax& row) { return row.status == fax::Status::submitting || row.status == fax::Status::checking; }

core::Result<void> adopt(const Context& context, const store::Fax& fax, const store::Attempt& attempt, const fax::ProviderFax& word) {
  CORE_CHECK(context.faxes.record_provider_id(attempt.id, word.id));
  FAIL_POINT("queue.adopt.id_written");
  core::log(core::Level::info, "fax found at the provider", {{"fax", fax.id}, {"provider_id", word.id}});
  CORE_TRY(found, change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (row.attempt != attempt.number) return;
    row.provider_id = word.id;
    if (!fax::is_final(row.status)) row.status = fax::Status::sending, set_cause(row, "");
    events.push_back({context.clock.now(), "Found at the provider", ""});
  }));
  FAIL_POINT("queue.adopt.moved");
  auto known = attempt;
  known.provider_id = word.id;
  return apply(context, found, known, word);
}

// The one fax in the provider's list that can only be this attempt's, if the list can decide.
core::Result<std::optional<fax::ProviderFax>> candidate(const Context& context, const store::Fax& fax, const store::Attempt& attempt) {
  CORE_TRY(list, context.provider.list({attempt.intent - kClockError, fax.from, fax.to}));
  CORE_TRY(decides, context.faxes.list_may_decide(attempt, context.clock.now() - kVoidedCallsCount));
  if (!decides || list.unreadable > 0) return std::optional<fax::ProviderFax>();
  std::optional<fax::ProviderFax> only;
  for (auto& one : list.faxes) {
    if (!is_own(fax, one) || one.from != fax.from || !one.created || *one.created < attempt.intent - kClockError) continue;
    if (attempt.handed_out && *one.created > *attempt.handed_out + kClockError) continue;
    if (fax::is_final(one.status) && fax::was_never_fetched(fax::cause_of_provider(one.status, one.error_code, one.error_message))) continue;
    CORE_TRY(known, context.faxes.is_provider_id_known(one.id));
    if (known) continue;
    if (only) return std::optional<fax::ProviderFax>();
    only = std::move(one);
  }
  return only;
}

// The call left no trace here, and its document was never fetched.
core::Result<void> safe_again(const Context& context, const store::Fax& fax) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (!is_at_call(row)) return;
    row.status = fax::Status::waiting;
    set_cause(row, "never_fetched");
    row.next_at = context.clock.now() + fax::fetch_wait(static_cast<int>(std::min<std::int64_t>(row.attempt - 1, 10)));
    events.push_back({context.clock.now(), "Trying again", "The provider never fetched the document, so nothing can have been sent."});
  }));
  FAIL_POINT("queue.safe_again.moved");
  return {};
}

// After a restore: the call that the copy knows ended in a way after which this line tries again. Whether it did, the copy
// cannot know.
bool proves_nothing(const store::Fax& fax, const fax::ProviderFax& word) {
  if (fax.cause_code != "restored" || !fax::is_final(word.status) || word.status == fax::ProviderStatus::delivered) return false;
  return fax::cause_of_provider(word.status, word.error_code, word.error_message).next == fax::Next::retry_later;
}

core::Result<void> leave_open(const Context& context, const store::Fax& fax) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    row.next_at.reset();
    row.provider_id.clear();  // the provider's list has no more to say
    events.push_back({context.clock.now(), "The call that the backup knows did not succeed", "Whether another one was made afterwards is not known."});
  }));
  return {};
}

}  // namespace

core::Result<void> look_for(const Context& context, const store::Fax& fax) {
  CORE_TRY(past, close_last_attempt(context, fax.id));
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  if (past == Past::known) {
    CORE_TRY(known, change(context, fax.id, [&](store::Fax& row, auto&) {
      if (!is_at_call(row) || row.attempt != attempt->number) return;
      row.status = fax::Status::sending;
      row.provider_id = attempt->provider_id;
      set_cause(row, "");
    }));
    return follow(context, known);
  }
  if (past == Past::over) return attempt ? safe_again(context, fax) : submit(context, fax);
  if (!attempt->unknown_since) CORE_CHECK(context.faxes.record_unknown(attempt->id, context.clock.now()));

  core::Result<std::optional<fax::ProviderFax>> found = std::optional<fax::ProviderFax>();
  if (!attempt->hinted_id.empty()) {
    const auto word = hinted(context, fax, *attempt);
    if (word && *word) return adopt(context, fax, *attempt, **word);
    // The list must not name another one while the hint is unread.
    if (!word && word.error().code != core::Code::not_found) found = word.error();
  }
  if (found) found = candidate(context, fax, *attempt);
  const auto now = context.clock.now();
  auto looked_ms = attempt->looked_ms;
  if (!found) {
    core::log(core::Level::warning, "the provider's list could not be read", found.error(), {{"fax", fax.id}});
  } else if (*found) {
    return adopt(context, fax, *attempt, **found);
  } else {
    const auto since = attempt->last_look.value_or(now);
    looked_ms += std::clamp<std::int64_t>((now - since).count(), 0, std::chrono::milliseconds(3 * kLookInterval).count());
    CORE_CHECK(context.faxes.record_look(attempt->id, looked_ms, now));
    FAIL_POINT("queue.look.recorded");
  }
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (!is_at_call(row) || row.attempt != attempt->number) return;
    if (core::Milliseconds(looked_ms) >= context.options.check_time) return finish(row, events, fax::Status::unresolved, "unknown_outcome", "", now);
    row.status = fax::Status::checking;
    set_cause(row, "being_looked_for");
    row.next_at = now + kLookInterval;
  }));
  FAIL_POINT("queue.look.moved");
  return {};
}

std::optional<core::Time> next_late_look(const store::Fax& fax, core::Time now) {
  if (now - fax.deadline >= kLateLooks) return std::nullopt;
  return now + std::clamp<core::Milliseconds>((now - fax.deadline) / 2, 30s, 6h);
}

core::Result<void> take_late_evidence(const Context& context, const store::Fax& fax) {
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  const bool ours_to_correct = fax.status == fax::Status::unresolved || store::decided_by(fax) != fax::Decided::by_provider;
  if (attempt && (!attempt->ended || !attempt->provider_id.empty()) && !attempt->voided && ours_to_correct) {
    if (!attempt->provider_id.empty() || !attempt->hinted_id.empty()) {
      const auto found = own_word(context, fax, *attempt);
      if (found && *found) {
        const auto& word = **found;
        if (attempt->provider_id.empty()) CORE_CHECK(context.faxes.record_provider_id(attempt->id, word.id));
        FAIL_POINT("queue.late.id_written");
        if (proves_nothing(fax, word)) return leave_open(context, fax);
        if (fax::is_final(word.status)) return apply(context, fax, *attempt, word);
      }
      const bool may_change = found ? found->has_value() : found.error().code != core::Code::not_found;
      if (may_change) {
        CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) { row.next_at = next_late_look(row, context.clock.now()); }));
        return {};
      }
    }
  }
  CORE_CHECK(change(context, fax.id, [](store::Fax& row, auto&) { row.next_at.reset(); }));
  return {};
}

}  // namespace queue
