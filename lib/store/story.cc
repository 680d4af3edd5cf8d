#include "store/story.h"

#include <algorithm>

namespace store {

namespace {

Next next_of_sent(const Fax& fax) {
  if (fax.cancel_requested && !fax.cancel_tried) return {"It is canceled, if that is not too late.", {}};
  if (fax.cause_code == "disk_full") return {"It goes on when there is room on the disk; that is looked at again.", fax.next_at};
  switch (fax.status) {
    case fax::Status::queued: return {"The document is looked at, then handed to the provider.", {}};
    case fax::Status::preparing: return {"It is handed to the provider.", {}};
    case fax::Status::submitting: return {"The provider's answer is waited for.", {}};
    case fax::Status::checking: return {"It is looked for at the provider, again and again. If it cannot be found, you decide.", {}};
    case fax::Status::sending: return {"The provider says how it ended.", {}};
    default: break;
  }
  if (fax.cause_code == "rate_limited" || fax.cause_code == "wrong_credentials") return {"The next try follows by itself, when the provider takes calls again.", fax.next_at};
  return {"The next try follows by itself.", fax.next_at};
}

}  // namespace

core::Result<std::vector<Event>> read_story(Faxes& faxes, const Fax& fax) {
  CORE_TRY(events, faxes.events(fax.id));
  if (fax.attempt == 0) return events;
  CORE_TRY(attempts, faxes.attempts(fax.id));
  for (const auto& attempt : attempts) {
    if (!attempt.handed_out) continue;
    const auto later = std::find_if(events.begin(), events.end(), [&](const Event& event) { return event.at > *attempt.handed_out; });
    events.insert(later, {*attempt.handed_out, "The provider fetched the document", "Attempt " + std::to_string(attempt.number) + ". It calls the other side next."});
  }
  return events;
}

std::optional<Next> next_of(const Fax& fax) {
  if (fax::is_final(fax.status)) {
    if (fax.mail_due && fax.mail_tries > 0) return Next{"It is kept here, and put into the mailbox when that works; it is tried again.", fax.next_at};
    return std::nullopt;
  }
  if (fax.direction == fax::Direction::outbound) return next_of_sent(fax);
  if (fax.status == fax::Status::receiving) return Next{"The document is waited for.", {}};
  if (fax.fetch_tries > 0 || !fax.cause_code.empty()) return Next{"The document is fetched again.", fax.next_at};
  return Next{"The document is fetched from the provider.", {}};
}

}  // namespace store
