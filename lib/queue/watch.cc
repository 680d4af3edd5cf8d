#include "queue/watch.h"

#include <utility>

#include "core/fail_point.h"
#include "core/log.h"
#include "queue/certificates.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kBeat = 1min;
constexpr auto kDiskWait = 30s;
constexpr auto kCertificates = 1h;

// A clock that was set back makes everything due.
bool is_due(core::Time last, core::Time now, core::Milliseconds interval) { return now - last >= interval || now < last; }

void warn(std::string_view what, const core::Error& error) { core::log(core::Level::warning, what, error); }

void begin_trouble(const Context& context, std::string_view kind, const core::Error& error) {
  if (context.watch == nullptr) return;
  const auto noted = context.watch->note_trouble(kind, error.hint.empty() ? error.text : error.hint, context.clock.now());
  if (!noted) return warn("trouble not noted", noted.error());
  FAIL_POINT("queue.watch.trouble_noted");
  if (*noted) core::log(core::Level::error, "TROUBLE: people are told of it until it is over", error, {{"kind", kind}, {"cure", error.hint}});
}

void hurry(const Context& context, std::string_view kind, core::Time now) {
  if (const auto done = context.watch->hurry(kind, now); !done) return warn("what waited is not due at once", done.error());
  FAIL_POINT("queue.watch.hurried");
}

void end_trouble(const Context& context, std::string_view kind) {
  if (context.watch == nullptr) return;
  const auto ended = context.watch->end_trouble(kind);
  if (!ended) return warn("trouble not ended", ended.error());
  if (!*ended) return;
  FAIL_POINT("queue.watch.trouble_ended");
  core::log(core::Level::info, "the trouble is over", {{"kind", kind}});
  hurry(context, kind, context.clock.now());
}

bool has_trouble(const Context& context, std::string_view kind) {
  const auto troubles = context.watch->troubles();
  if (!troubles) return false;
  for (const auto& trouble : *troubles)
    if (trouble.kind == kind) return true;
  return false;
}

void look_at_mailbox(const Context& context, Looks& looks, core::Time now) {
  if (!context.check_mailbox || (!is_due(looks.mailbox, now, kBeat) && !has_trouble(context, kMailboxTrouble))) return;
  // A trouble is looked at each time, and written down once a minute.
  const bool write = is_due(looks.mailbox, now, kBeat);
  if (write) looks.mailbox = now;
  const auto checked = context.check_mailbox();
  const bool failed_before = std::exchange(looks.mailbox_failed, !checked);
  if (!checked) {
    if (write) begin_trouble(context, kMailboxTrouble, checked.error());
    return;
  }
  // A mail may be too large for a mailbox that takes a small file: while one waits, its delivery alone ends the trouble.
  const auto waiting = context.watch->is_mail_waiting();
  if (!waiting) return warn("mails that wait not read", waiting.error());
  if (!*waiting) return end_trouble(context, kMailboxTrouble);
  if (!failed_before) return;
  hurry(context, kMailboxTrouble, now);
}

void look_at_disk(const Context& context, Looks& looks, core::Time now) {
  const auto room = context.spool.check_room(spool::Use::upload);
  if (room) return end_trouble(context, kDiskTrouble);
  if (!is_due(looks.disk, now, kBeat) && has_trouble(context, kDiskTrouble)) return;
  looks.disk = now;
  auto error = room.error();
  const auto space = context.spool.space();
  if (space && !space->allows(spool::Use::receive))
    error.hint = "The disk of the fax line is full: " + spool::megabytes(space->free_bytes) + " are left. Faxes that come in are put off, and nothing can be sent. Make room on it; nothing is deleted by itself.";
  else if (space)
    error.hint = "The disk of the fax line is nearly full: " + spool::megabytes(space->free_bytes) + " are left, and " + spool::megabytes(space->upload_level) +
                 " are kept free for faxes that come in. Nothing new is taken to be sent. Make room on it; nothing is deleted by itself.";
  begin_trouble(context, kDiskTrouble, error);
}

void look_at_listeners(const Context& context, Looks& looks, core::Time now) {
  if (context.listeners == nullptr || !is_due(looks.certificates, now, looks.certificates_well ? core::Milliseconds(kCertificates) : core::Milliseconds(kBeat))) return;
  looks.certificates = now;
  const auto well = look_at_certificates(context, *context.listeners);
  if (!well) return warn("certificates not noted", well.error());
  looks.certificates_well = *well;
}

}  // namespace

void look_after(const Context& context, Looks& looks) {
  if (context.watch == nullptr) return;
  const auto now = context.clock.now();
  if (is_due(looks.beaten, now, kBeat)) {
    const auto beaten = context.watch->beat(store::Watch::kQueue, now);
    FAIL_POINT("queue.watch.beaten");
    if (beaten) looks.beaten = now;
    else warn("sign of life not written", beaten.error());
  }
  look_at_mailbox(context, looks, now);
  look_at_disk(context, looks, now);
  look_at_listeners(context, looks, now);
  if (const auto done = context.watch->flush(); !done) warn("durations not written", done.error());
  FAIL_POINT("queue.watch.measured");
}

void mailbox_works(const Context& context) { end_trouble(context, kMailboxTrouble); }
void mailbox_fails(const Context& context, const core::Error& error) { begin_trouble(context, kMailboxTrouble, error); }

core::Result<void> wait_for_disk(const Context& context, const store::Fax& fax, const core::Error& error) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    row.next_at = context.clock.now() + kDiskWait;
    if (fax::is_final(row.status) || row.cause_code == "disk_full") return;
    row.cause_code = "disk_full";
    row.cause_text.clear();
    events.push_back({context.clock.now(), "Waiting for room on the disk", error.hint.empty() ? "It goes on by itself when there is room." : error.hint});
  }));
  FAIL_POINT("queue.watch.disk_waited_for");
  return {};
}

}  // namespace queue
