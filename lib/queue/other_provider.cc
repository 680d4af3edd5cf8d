#include "queue/other_provider.h"

#include "fax/cause.h"
#include "queue/fence.h"
#include "queue/inbound.h"
#include "queue/outbound.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr const char* kWaits = "other_provider";
constexpr auto kLookAgain = 5min;

core::Result<void> end(const Context& context, const store::Fax& fax, fax::Status status, std::string_view cause, std::string_view words = "") {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (fax::is_final(row.status)) return;
    finish(row, events, status, cause, words, context.clock.now());
    if (status == fax::Status::unresolved) row.next_at = next_late_look(row, context.clock.now());
  }));
  return {};
}

core::Result<void> wait(const Context& context, const store::Fax& fax) {
  const auto now = context.clock.now();
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (fax::is_final(row.status)) return;
    if (row.cause_code != kWaits) events.push_back({now, "It waits", "It was begun with " + row.provider + ", and the line has " + context.options.provider + " now."});
    row.cause_code = kWaits;
    row.cause_text.clear();
    row.next_at = now + kLookAgain;
  }));
  return {};
}

// Its provider was set back.
core::Result<void> go_on(const Context& context, const store::Fax& fax) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (row.cause_code != kWaits) return;
    row.cause_code.clear();
    row.next_at = context.clock.now();
    events.push_back({context.clock.now(), "It goes on", "The line has " + row.provider + " again."});
  }));
  return {};
}

core::Result<void> step_of_final(const Context& context, const store::Fax& fax) {
  if (fax.direction == fax::Direction::inbound && fax.mail_due) return deliver_mail(context, fax);
  const auto now = context.clock.now();
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (row.mail_due) return;
    if (row.media_delete_due) events.push_back({now, "Kept at the provider", "The line has another provider now, so the copy there is not deleted."});
    row.media_delete_due = false;
    row.next_at.reset();
    // Evidence may still come, should the provider be set back.
    if (row.direction == fax::Direction::outbound && row.provider != kSandbox) row.next_at = next_late_look(row, now);
  }));
  return {};
}

// Nothing of the practice line is at anybody's but here, so that its URLs may simply go.
core::Result<void> end_practice(const Context& context, const store::Fax& fax) {
  if (fax.direction == fax::Direction::outbound) {
    CORE_TRY(past, close_last_attempt(context, fax.id));
    CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
    if (past != Past::over && attempt) CORE_CHECK(end_attempt(context, attempt->id, false));
  }
  return end(context, fax, fax::Status::failed, "practice_over");
}

}  // namespace

bool is_with_other_provider(const Context& context, const store::Fax& fax) { return fax.provider != context.options.provider || fax.cause_code == kWaits; }

core::Result<void> step_with_other_provider(const Context& context, const store::Fax& fax) {
  if (fax.provider == context.options.provider) return go_on(context, fax);
  if (fax::is_final(fax.status)) return step_of_final(context, fax);
  if (fax.provider == kSandbox) return end_practice(context, fax);
  const auto words = fax::find_cause(kWaits).text;
  if (fax.direction == fax::Direction::inbound) {
    if (is_over(context, fax)) return end(context, fax, fax::Status::failed, "deadline_passed", words);
    return wait(context, fax);
  }
  CORE_TRY(past, close_last_attempt(context, fax.id));
  if (past == Past::over && fax.cancel_requested) return end(context, fax, fax::Status::canceled, "canceled_by_user");
  if (!is_over(context, fax)) return wait(context, fax);
  CORE_TRY(attempt, context.faxes.last_attempt(fax.id));
  if (past != Past::over) return end(context, fax, fax::Status::unresolved, "deadline_passed", words);
  return end(context, fax, fax::Status::failed, attempt && !attempt->provider_id.empty() ? "deadline_passed" : "never_submitted", words);
}

}  // namespace queue
