#include "queue/reconcile.h"

#include <algorithm>

#include "core/log.h"
#include "fax/cause.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

// Twice the provider's own uncertainty about when something was made known to it.
constexpr auto kOverlap = 15min;
constexpr auto kUnusedLifetime = 24h;
constexpr auto kTemporaryLifetime = 24h;

std::string fact_name(const Options& options) { return "reconciled." + options.provider + "." + options.own_number; }

// Since when the list is read; the first call of all writes down when this provider was configured.
core::Result<core::Time> start_of_list(const Context& context) {
  CORE_TRY(text, context.faxes.fact(fact_name(context.options)));
  if (const auto time = core::parse_rfc3339(text)) return *time - kOverlap;
  const auto now = context.clock.now();
  CORE_CHECK(context.faxes.set_fact(fact_name(context.options), core::rfc3339(now)));
  return now - kOverlap;
}

// `inbound` rejected it: it is no reception that failed. One that brought a document all the same is taken.
bool was_rejected(const Context& context, const fax::ProviderFax& word) {
  const auto& blocked = context.options.blocked_senders;
  return word.status == fax::ProviderStatus::canceled && word.media_url.empty() && std::find(blocked.begin(), blocked.end(), word.from) != blocked.end();
}

core::Result<bool> take_up(const Context& context, const fax::ProviderFax& word) {
  const auto now = context.clock.now();
  // Without a document it is looked after as one that is coming in: its message may still be under way.
  if (word.media_url.empty()) {
    CORE_CHECK(context.faxes.note_receiving(word.id, word.from, word.to, context.options.provider, now, context.options.lifetime, 0s));
    CORE_TRY(noted, context.faxes.fax_of_provider_id(word.id));
    core::log(core::Level::warning, "a received fax without a document was found at the provider alone", {{"fax", noted.id}, {"provider_id", word.id}});
    return true;
  }
  store::Reception reception;
  reception.fax_sid = word.id;
  reception.from = word.from;
  reception.to = word.to;
  reception.provider = context.options.provider;
  reception.pages_announced = word.pages;
  reception.media_url = word.media_url;
  reception.lifetime = context.options.lifetime;
  CORE_TRY(stored, context.faxes.receive(reception, now));
  if (stored.how != store::Stored::created) return false;
  core::log(core::Level::warning, "a received fax was found at the provider alone", {{"fax", stored.fax.id}, {"provider_id", word.id}});
  CORE_CHECK(context.faxes.add_event(stored.fax.id, {now, "Found at the provider", "Its message about this fax did not reach us."}));
  return true;
}

}  // namespace

core::Result<Differences> reconcile(const Context& context, std::optional<core::Time> since) {
  const auto begun = context.clock.now();
  core::Time from{};
  if (since) {
    from = *since;
  } else {
    CORE_TRY(start, start_of_list(context));
    from = start;
  }
  fax::ListQuery query;
  query.created_after = from;
  query.to = context.options.own_number;
  CORE_TRY(list, context.provider.list(query));
  Differences differences;
  // The next run must see again what has not ended yet.
  auto unfinished_since = begun;
  for (const auto& word : list) {
    if (word.direction != fax::Direction::inbound || word.to != context.options.own_number) continue;
    CORE_TRY(known, context.faxes.is_known_or_forgotten(word.id));
    if (known) continue;
    // One that just came in may have its webhook still under way: it is left to the next run.
    if (word.created && begun - *word.created < 2min && !since) continue;
    if (!fax::is_final(word.status)) {
      differences.remaining += 1;
      if (word.created) unfinished_since = std::min(unfinished_since, *word.created);
      continue;
    }
    if (was_rejected(context, word)) continue;
    CORE_TRY(added, take_up(context, word));
    if (added) differences.added += 1;
  }
  if (!since) CORE_CHECK(context.faxes.set_fact(fact_name(context.options), core::rfc3339(std::max(unfinished_since, begun - context.options.lifetime))));
  return differences;
}

core::Result<void> purge(const Context& context) {
  const auto now = context.clock.now();
  CORE_TRY(outlived, context.faxes.outlived_documents(now - context.options.retention));
  CORE_TRY(unused, context.faxes.unused_documents(now - kUnusedLifetime));
  outlived.insert(outlived.end(), unused.begin(), unused.end());
  for (const auto& id : outlived) {
    // The book first: a fax may have taken it up again since. A file without a row is nobody's.
    const auto forgotten = context.faxes.forget_document(id);
    if (!forgotten && forgotten.error().code == core::Code::conflict) continue;
    CORE_CHECK(forgotten);
    CORE_CHECK(context.spool.remove(id));
    core::log(core::Level::info, "document removed: its time is over", {{"document", id}});
  }
  CORE_TRY(wanted, context.faxes.open_attempts());
  CORE_TRY(copies, context.spool.handed_out());
  for (const auto& name : copies) {
    // One that is being made has no attempt in the book yet.
    if (std::find(wanted.begin(), wanted.end(), name.id) == wanted.end() && now - name.changed > 1h) CORE_CHECK(context.spool.take_back(name.id));
  }
  CORE_TRY(stored, context.spool.list());
  for (const auto& file : stored) {
    if (now - file.changed < kTemporaryLifetime) continue;
    const auto row = context.faxes.document(file.id);
    if (!row && row.error().code == core::Code::not_found) CORE_CHECK(context.spool.remove(file.id));
  }
  CORE_CHECK(context.spool.remove_old_temporary_files(now, kTemporaryLifetime));
  return {};
}

}  // namespace queue
