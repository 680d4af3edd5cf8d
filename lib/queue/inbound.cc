#include "queue/inbound.h"

#include <algorithm>
#include <array>
#include <unistd.h>

#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"

#include "fax/backoff.h"
#include "fax/cause.h"
#include "queue/lease_keeper.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kTooLargeWait = 600s;
constexpr auto kReceivingWait = 60s;
constexpr auto kMessageTime = 15min;

std::chrono::seconds wait_after(std::int64_t tries) { return fax::fetch_wait(static_cast<int>(std::min<std::int64_t>(tries, 20))); }

// The deadline has passed, and has not begun anew since this was read.
core::Result<void> end_in_time(const Context& context, const store::Fax& fax, std::string_view cause, std::string_view words) {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    const auto now = context.clock.now();
    if (fax::is_final(row.status) || row.deadline > now) return;
    finish(row, events, fax::Status::failed, cause, words, now);
    row.mail_due = true;
    row.next_at = now;
  }));
  return {};
}

// Received faxes end by the provider's word, or at their deadline.
core::Result<void> give_up(const Context& context, const store::Fax& fax, std::string_view cause, std::string_view words = "") {
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (fax::is_final(row.status)) return;
    finish(row, events, fax::Status::failed, cause, words, context.clock.now());
  }));
  FAIL_POINT("queue.give_up.moved");
  return {};
}

// Tried again, until the deadline has passed: then this was the last time.
core::Result<void> fetch_later(const Context& context, const store::Fax& fax, const core::Error& error) {
  if (error.code == core::Code::no_space) return error;
  core::log(core::Level::warning, "document not fetched yet", error, {{"fax", fax.id}});
  const bool too_large = error.code == core::Code::too_large;
  const bool elsewhere = error.code == core::Code::forbidden && error.field == "MEDIA_HOSTS";
  const std::string cause = too_large ? "too_large" : elsewhere ? "media_host_not_allowed" : error.field == "no_document" ? "no_document" : "provider_unreachable";
  if (is_over(context, fax)) {
    if (too_large || elsewhere) return end_in_time(context, fax, cause, elsewhere ? error.hint : "");
    return end_in_time(context, fax, "deadline_passed", "Its document could not be fetched from the provider.");
  }
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    const std::string why = too_large ? std::string(fax::find_cause(cause).text) : elsewhere ? error.hint : "The provider keeps it; it is tried again by itself.";
    if (row.status != fax::Status::fetching) return;
    if (row.cause_code != cause) events.push_back({context.clock.now(), "Document not fetched yet", why});
    row.cause_code = cause;
    row.cause_text = elsewhere ? error.hint : "";
    row.fetch_tries += 1;
    row.next_at = context.clock.now() + (too_large ? kTooLargeWait : wait_after(row.fetch_tries - 1));
  }));
  FAIL_POINT("queue.fetch.put_off");
  return {};
}

// An answer that an expired URL may have: where the file was refused, not where nobody answered.
bool may_have_moved(const core::Error& error) {
  using core::Code;
  return error.field != "MEDIA_HOSTS" && error.code != Code::unavailable && error.code != Code::provider_down && error.code != Code::no_space && error.code != Code::too_large && error.code != Code::unknown_outcome;
}

// The book's row of a document that has just been fetched, with what the box says of it.
core::Result<store::Document> describe(const Context& context, const store::Fax& fax, const spool::Incoming& incoming) {
  store::Document document;
  document.created = context.clock.now();
  document.id = core::new_id(document.created);
  // One that is refused is kept as it came: the person may be able to read it.
  const auto looked = look_into(context, incoming.fd(), document);
  if (looked) return document;
  // Without a box for so long, it is kept without having been looked at, and at the provider too.
  if (!is_over(context, fax)) return looked.error();
  core::log(core::Level::warning, "document kept unseen, since its time is over", looked.error(), {{"fax", fax.id}});
  return document;
}

// Our copy is whole: it opens, and has the pages that the provider counted.
bool is_whole(const store::Document& document, const std::optional<std::int64_t>& announced) {
  return document.state == store::DocumentState::ready && (!announced || document.pages == announced);
}

}  // namespace

core::Result<void> ask_for_media(const Context& context, const store::Fax& fax) {
  const auto now = context.clock.now();
  const auto word = context.provider.fetch(fax.provider_id);
  if (!word) {
    if (word.error().code == core::Code::not_found) return give_up(context, fax, "not_kept");
    return is_over(context, fax) ? end_in_time(context, fax, "deadline_passed", "The provider did not say what became of it.") : come_back(context, fax.id, kReceivingWait);
  }
  if (!fax::is_final(word->status)) return is_over(context, fax) ? end_in_time(context, fax, "deadline_passed", "The provider did not say that it ended.") : come_back(context, fax.id, kReceivingWait);
  if (word->media_url.empty()) {
    // Its message may still be under way.
    if (fax.fetch_tries == 0) {
      CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) {
        if (row.status == fax::Status::receiving) row.fetch_tries = 1, row.next_at = now + kMessageTime;
      }));
      return {};
    }
    if (word->status == fax::ProviderStatus::received) return give_up(context, fax, "not_kept");
    return give_up(context, fax, fax::cause_of_reception(word->error_code, word->error_message).code, fax::words_of_provider(word->error_code, word->error_message));
  }
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    if (row.status != fax::Status::receiving) return;
    row.status = fax::Status::fetching;
    row.fetch_tries = 0;
    row.media_url = word->media_url;
    row.pages_announced = word->pages;
    row.next_at = now;
    events.push_back({now, "Found at the provider", "Its message about this fax did not reach us."});
  }));
  FAIL_POINT("queue.ask_for_media.moved");
  return {};
}

core::Result<void> fetch(const Context& context, const store::Fax& fax) {
  const LeaseKeeper keeper(context, fax.id);
  CORE_TRY(incoming, context.spool.begin(spool::Use::receive));
  auto url = fax.media_url;
  auto done = context.provider.download(url, incoming.fd(), context.options.max_fax_bytes);
  if (!done && may_have_moved(done.error())) {
    // The URL was good for a time only: it is asked anew.
    const auto fresh = context.provider.media_url(fax.provider_id);
    if (fresh && *fresh != url) {
      url = *fresh;
      done = context.provider.download(url, incoming.fd(), context.options.max_fax_bytes);
    }
  }
  if (!done) return fetch_later(context, fax, done.error());
  FAIL_POINT("queue.fetch.downloaded");
  CORE_TRY(document, describe(context, fax, incoming));
  if (document.cause_code == "document_unsupported" && fax.fetch_tries < 5 && !is_over(context, fax)) {
    // A page that says that the URL has expired, perhaps: the next try asks at the one that is good now.
    if (const auto fresh = context.provider.media_url(fax.provider_id); fresh && *fresh != url)
      CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) { row.media_url = *fresh; }));
    return fetch_later(context, fax, core::Error{core::Code::unavailable, "what came from the media URL is not a PDF", "", "no_document"});
  }
  // Who slept past the lease brings what another has fetched since; where the provider makes its PDF anew, it would be a second document.
  if (!context.worker.empty()) {
    CORE_TRY(ours, context.faxes.has_lease(fax.id, context.worker));
    if (!ours) return core::Error{core::Code::conflict, "fetched document not stored: the lease ran out", "", "lease"};
  }
  CORE_TRY(committed, incoming.commit(document.id));
  FAIL_POINT("queue.fetch.committed");
  document.bytes = committed.bytes;
  document.sha256 = committed.sha256;
  const bool whole = is_whole(document, fax.pages_announced);
  store::Reception reception;
  reception.fax_sid = fax.provider_id;
  reception.from = fax.from;
  reception.to = fax.to;
  reception.provider = fax.provider;
  reception.pages_announced = fax.pages_announced;
  reception.document = document;
  reception.media_delete_due = whole && context.options.delete_media;
  reception.lifetime = context.options.lifetime;
  CORE_TRY(stored, context.faxes.receive(reception, context.clock.now()));
  FAIL_POINT("queue.fetch.recorded");
  if (stored.how == store::Stored::repeated || stored.how == store::Stored::forgotten) CORE_CHECK(context.spool.remove(document.id));
  if (!whole && stored.how == store::Stored::completed)
    CORE_CHECK(context.faxes.add_event(fax.id, {context.clock.now(), "Kept at the provider, too",
                                                document.state == store::DocumentState::ready
                                                    ? "It has " + std::to_string(*document.pages) + " pages, but the provider counted " + std::to_string(fax.pages_announced.value_or(0)) + "."
                                                    : document.cause_text}));
  return {};
}

core::Result<void> delete_media(const Context& context, const store::Fax& fax) {
  const auto done = context.provider.delete_media(fax.provider_id);
  FAIL_POINT("queue.delete_media.deleted");
  if (!done && done.error().code != core::Code::not_found) {
    core::log(core::Level::warning, "the provider's copy is not deleted yet", done.error(), {{"fax", fax.id}});
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto&) {
      row.fetch_tries += 1;
      row.next_at = context.clock.now() + wait_after(row.fetch_tries);
    }));
    return {};
  }
  CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
    row.media_delete_due = false;
    events.push_back({context.clock.now(), "Deleted at the provider", "The document is whole and kept here."});
  }));
  FAIL_POINT("queue.delete_media.noted");
  return {};
}

core::Result<void> step_inbound(const Context& context, const store::Fax& fax) {
  if (fax.status == fax::Status::receiving) return ask_for_media(context, fax);
  if (fax.status == fax::Status::fetching) {
    const auto done = fetch(context, fax);
    if (done || !is_over(context, fax)) return done;
    core::log(core::Level::error, "document not fetched in time", done.error(), {{"fax", fax.id}});
    return end_in_time(context, fax, "deadline_passed", "Its document could not be stored here.");
  }
  if (fax.mail_due) return deliver_mail(context, fax);
  if (fax.media_delete_due) return delete_media(context, fax);
  CORE_CHECK(change(context, fax.id, [](store::Fax& row, auto&) {
    if (!row.mail_due && !row.media_delete_due) row.next_at.reset();
  }));
  return {};
}

}  // namespace queue
