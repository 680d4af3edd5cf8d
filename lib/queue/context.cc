#include "queue/context.h"

#include "core/log.h"
#include "fax/cause.h"

namespace queue {

namespace {
constexpr int kTries = 20;
}

core::Result<store::Fax> change(const Context& context, const std::string& fax_id, const Change& what) {
  for (int i = 0;; ++i) {
    CORE_TRY(fax, context.faxes.fax(fax_id));
    const auto status = fax.status;
    std::vector<store::Event> events;
    what(fax, events);
    // No wait, however long somebody asked for it, is longer than the fax may take.
    // (Past it, nobody believes the clock yet, or this is its last step.)
    if (!fax::is_final(fax.status) && fax.next_at && *fax.next_at > fax.deadline && fax.deadline > context.clock.now()) fax.next_at = fax.deadline;
    const auto saved = context.faxes.save(fax, context.clock.now(), events, context.worker);
    if (saved) {
      if (fax.status != status)
        core::log(core::Level::info, "fax moved", {{"fax", fax_id}, {"from", fax::name(status)}, {"to", fax::name(fax.status)}, {"cause", fax.cause_code}});
      return fax;
    }
    if (saved.error().code != core::Code::conflict || is_lease_lost(saved.error()) || i >= kTries) return saved.error();
  }
}

bool is_lease_lost(const core::Error& error) { return error.code == core::Code::conflict && error.field == "lease"; }

core::Result<void> come_back(const Context& context, const std::string& fax_id, std::chrono::seconds wait) {
  CORE_CHECK(change(context, fax_id, [&](store::Fax& fax, auto&) { fax.next_at = context.clock.now() + wait; }));
  return {};
}

bool is_over(const Context& context, const store::Fax& fax) {
  return context.clock.now() >= fax.deadline && (context.time == nullptr || context.time->may_end());
}

void set_cause(store::Fax& fax, std::string_view code, std::string_view words) {
  fax.cause_code = std::string(code);
  fax.cause_text = std::string(words);
}

void wait_with(store::Fax& fax, std::vector<store::Event>& events, std::string_view cause_code, core::Time until, core::Time now) {
  if (fax.cause_code != cause_code) events.push_back({now, "Waiting", std::string(fax::find_cause(cause_code).text)});
  fax.status = fax::Status::waiting;
  set_cause(fax, cause_code);
  fax.next_at = until;
}

void finish(store::Fax& fax, std::vector<store::Event>& events, fax::Status status, std::string_view cause_code, std::string_view own_words, core::Time now) {
  fax.status = status;
  set_cause(fax, cause_code, own_words);
  fax.next_at.reset();
  std::string what;
  switch (status) {
    case fax::Status::delivered: what = "Delivered"; break;
    case fax::Status::partly_delivered: what = "Delivered in part"; break;
    case fax::Status::canceled: what = "Canceled"; break;
    case fax::Status::unresolved: what = "Nobody can say whether it was delivered"; break;
    case fax::Status::received: what = "Received"; break;
    default: what = "Not delivered"; break;
  }
  if (status == fax::Status::failed && fax.direction == fax::Direction::inbound) what = "Not received";
  std::string why;
  if (!cause_code.empty()) why = fax::find_cause(cause_code).text;
  if (!own_words.empty()) why += (why.empty() ? "" : " ") + std::string("(") + std::string(own_words) + ")";
  events.push_back({now, what, why});
}

}  // namespace queue
