#include "queue/mail.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <unistd.h>

#include "core/fail_point.h"
#include "core/log.h"
#include "fax/backoff.h"
#include "queue/inbound.h"
#include "queue/watch.h"
#include "text/date.h"

namespace queue {

namespace {

constexpr std::string_view kPracticeLine = "PRACTICE LINE: the provider is the built-in sandbox; nothing came from a telephone line.\n\n";

std::string sender(const store::Fax& fax) { return fax.from.empty() ? "a withheld number" : fax.from; }

std::string pages_in_words(const std::optional<std::int64_t>& pages) {
  if (!pages) return "page count unknown";
  return std::to_string(*pages) + (*pages == 1 ? " page" : " pages");
}

// The left part of an address, of what a sender may be called.
std::string local_part(const store::Fax& fax) {
  std::string digits;
  for (const char c : fax.from)
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '+') digits += c;
  return digits.empty() ? "withheld" : digits;
}

mime::Message frame(const Options& options, const store::Fax& fax) {
  mime::Message message;
  message.from = {"Fax from " + sender(fax), local_part(fax) + "@" + options.hostname};
  message.to = {"", options.mail_user + "@" + options.hostname};
  message.date = fax.created;
  message.fax_sid = fax.provider_id;
  return message;
}

// A fax of the practice line stays one, whatever the provider is when its mail goes out.
bool is_practice(const Options& options, const store::Fax& fax) { return options.practice || fax.provider == kSandbox; }

// Composes into a temporary file that nobody else sees, then hands it over. A worker that slept past its lease hands
// over nothing: the mail may have been delivered by another, and be read and deleted since.
core::Result<void> hand_over(const Context& context, const store::Fax& fax, const std::string& name, int file) {
  if (!context.worker.empty()) {
    CORE_TRY(ours, context.faxes.has_lease(fax.id, context.worker));
    if (!ours) return core::Error{core::Code::conflict, "mail not handed over: the lease ran out", "", "lease"};
  }
  const auto how = context.deliver(name, file);
  if (!how) {
    mailbox_fails(context, how.error());
    return how.error();
  }
  mailbox_works(context);
  core::log(core::Level::info, "mail delivered", {{"name", name}, {"how", *how == maildir::Delivery::delivered ? "delivered" : "already there"}});
  return {};
}

core::Result<void> deliver_document(const Context& context, const store::Fax& fax, const store::Faxes::Mail& mail) {
  CORE_TRY(document, context.faxes.document(mail.document_id));
  CORE_TRY(file, context.spool.open(mail.document_id));
  CORE_TRY(incoming, context.spool.begin(spool::Use::keep));
  CORE_CHECK(mime::write_received(received_message(context.options, fax, document, mail.position), {file.get(), attachment_name(fax)}, incoming.fd()));
  FAIL_POINT("queue.deliver.composed");
  auto name = mail.mail_name;
  if (name.empty()) {
    name = context.new_mail_name(context.clock.now(), incoming.fd());
    CORE_CHECK(context.faxes.record_mail_name(fax.id, mail.position, name));
    FAIL_POINT("queue.deliver.name_recorded");
  }
  CORE_CHECK(hand_over(context, fax, name, incoming.fd()));
  FAIL_POINT("queue.deliver.handed_over");
  CORE_CHECK(context.faxes.record_mail_delivered(fax.id, mail.position, context.clock.now()));
  FAIL_POINT("queue.deliver.recorded");
  return {};
}

// Pages of a document that came in the webhook: nobody has looked into it yet.
core::Result<store::Fax> count_pages(const Context& context, const store::Fax& fax) {
  CORE_TRY(documents, context.faxes.documents_of(fax.id));
  for (auto& document : documents)
    if (document.state == store::DocumentState::queued) CORE_CHECK(examine_document(context, document));
  if (documents.empty()) return fax;
  CORE_TRY(first, context.faxes.document(documents.front().id));
  return change(context, fax.id, [&](store::Fax& row, auto&) { row.pages = first.pages ? first.pages : row.pages_announced; });
}

// How long it took from the payload to the mail.
void measure_delivery(const Context& context, const store::Fax& fax) {
  if (context.watch == nullptr) return;
  const auto events = context.faxes.events(fax.id);
  if (!events) return;
  for (const auto& event : *events) {
    if (!event.what.starts_with("Received") && !event.what.starts_with("Found at the provider")) continue;
    return context.watch->measure(store::Watch::kToMailbox, context.clock.now() - event.at);
  }
}

core::Result<void> deliver_all(const Context& context, const store::Fax& fax) {
  // A box that cannot be had now must not keep a mail back.
  auto counted = count_pages(context, fax);
  if (!counted) core::log(core::Level::warning, "pages not counted", counted.error(), {{"fax", fax.id}});
  const store::Fax& row = counted ? *counted : fax;
  CORE_TRY(mails, context.faxes.mails_due(fax.id));
  for (const auto& mail : mails) CORE_CHECK(deliver_document(context, row, mail));
  return {};
}

}  // namespace

mime::Message received_message(const Options& options, const store::Fax& fax, const store::Document& document, std::int64_t position) {
  auto message = frame(options, fax);
  const auto pages = document.pages ? document.pages : fax.pages_announced;
  message.subject = (is_practice(options, fax) ? "PRACTICE LINE: " : "") + ("Fax from " + sender(fax)) + ", " + pages_in_words(pages);
  message.message_id = "fax." + fax.provider_id + (position > 0 ? "." + std::to_string(position) : "") + "@" + options.hostname;
  message.text = std::string(is_practice(options, fax) ? kPracticeLine : "") + "A fax has come in.\n\nFrom:     " + sender(fax) + "\nTo:       " + fax.to +
                 "\nReceived: " + text::local_words(fax.created) + "\nPages:    " + pages_in_words(pages) + "\n\nThe document is attached.\n";
  if (!document.cause_text.empty()) message.text += "\nMind: the document may not open everywhere. " + document.cause_text + "\n";
  if (position > 0) message.text += "\nThis is another document for a fax that you have already got; both are kept.\n";
  return message;
}

std::string attachment_name(const store::Fax& fax) {
  std::string when = core::rfc3339(fax.created).substr(0, 16);
  std::replace(when.begin(), when.end(), 'T', '-');
  when.erase(std::remove(when.begin(), when.end(), ':'), when.end());
  return "fax-" + local_part(fax) + "-" + when + ".pdf";
}

core::Result<void> deliver_mail(const Context& context, const store::Fax& fax) {
  const auto done = deliver_all(context, fax);
  if (!done && is_lease_lost(done.error())) return done.error();
  if (!done) {
    core::log(core::Level::error, "mail not delivered yet", done.error(), {{"fax", fax.id}});
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
      if (row.mail_tries == 0) events.push_back({context.clock.now(), "Waiting for the mailbox", done.error().hint.empty() ? "It is tried again by itself; the document is kept." : done.error().hint});
      row.mail_tries += 1;
      row.next_at = context.clock.now() + fax::fetch_wait(static_cast<int>(std::min<std::int64_t>(row.mail_tries - 1, 20)));
    }));
    FAIL_POINT("queue.deliver.put_off");
    return {};
  }
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    row.next_at = context.clock.now();
    // Asked with the row at hand: another document may have come for the same fax meanwhile.
    const auto left = context.faxes.mails_due(fax.id);
    if (!left || !left->empty()) return;
    row.mail_due = false;
    if (row.status == fax::Status::received) measure_delivery(context, row);
    events.push_back({context.clock.now(), "Delivered to the mailbox", ""});
  }));
  FAIL_POINT("queue.deliver.noted");
  return {};
}

}  // namespace queue
