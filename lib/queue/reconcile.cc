#include "queue/reconcile.h"

#include <algorithm>
#include <map>

#include "core/fail_point.h"
#include "core/log.h"
#include "fax/cause.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

// Twice the provider's own uncertainty about when something was made known to it.
constexpr auto kOverlap = 15min;
constexpr auto kBetweenComparisons = 3s;
constexpr auto kAnswerLifetime = 1h;  // who asked and went away does not take its answer
constexpr std::string_view kAfterAll = "The provider has its document after all";
constexpr auto kMostRetakes = 3;
constexpr auto kNotedLater = 24h;  // than it came in at the provider

std::string fact_name(const Options& options) { return "reconciled." + options.provider + "." + options.own_number; }

// When the oldest fax came in that failed for want of its document, and may still get it: younger than FAX_DEADLINE.
core::Result<core::Time> oldest_unkept(const Context& context, core::Time now) {
  auto oldest = now;
  CORE_TRY(failed, context.faxes.list({fax::Direction::inbound, {fax::Status::failed}, "", "", 200}));
  for (const auto& fax : failed)
    if (fax.cause_code == "not_kept" && fax.created <= now && now - fax.created < context.options.lifetime) oldest = std::min(oldest, fax.created - kNotedLater);
  return oldest;
}

// Since when the list is read; the first call of all writes down when this provider was configured.
core::Result<core::Time> start_of_list(const Context& context) {
  const auto now = context.clock.now();
  const auto name = fact_name(context.options);
  CORE_TRY(text, context.faxes.fact(name));
  CORE_TRY(first_text, context.faxes.fact(name + ".configured"));
  const auto last = core::parse_rfc3339(text);
  const auto first = core::parse_rfc3339(first_text);
  if (!first && !last && context.time != nullptr && !context.time->may_end()) return now - kOverlap;
  // A clock that was ahead wrote it: nobody's list goes into the future.
  const auto configured = std::min(first ? *first : last ? *last : now, now);
  if (!first || *first > now) CORE_CHECK(context.faxes.set_fact(name + ".configured", core::rfc3339(configured)));
  if (!last) CORE_CHECK(context.faxes.set_fact(name, core::rfc3339(now)));
  CORE_TRY(rewind, context.faxes.fact(kRewind));
  auto from = std::min(last.value_or(now), now);
  // While the clock was wrong, the list was asked for by wrong times.
  if (!rewind.empty()) from = std::min(from, now - context.options.lifetime);
  CORE_TRY(unkept, oldest_unkept(context, now));
  return std::max(std::min(from, unkept), configured) - kOverlap;
}

// `inbound` rejected it: it is no reception that failed. One that brought a document all the same is taken.
bool was_rejected(const Context& context, const fax::ProviderFax& word) {
  const auto& blocked = context.options.blocked_senders;
  return word.status == fax::ProviderStatus::canceled && word.media_url.empty() && std::find(blocked.begin(), blocked.end(), word.from) != blocked.end();
}

store::Reception reception_of(const Context& context, const fax::ProviderFax& word) {
  store::Reception reception;
  reception.fax_sid = word.id;
  reception.from = word.from;
  reception.to = word.to;
  reception.provider = context.options.provider;
  reception.pages_announced = word.pages;
  reception.media_url = word.media_url;
  reception.lifetime = context.options.lifetime;
  return reception;
}

core::Result<bool> take_up(const Context& context, const fax::ProviderFax& word) {
  const auto now = context.clock.now();
  // Without a document it is looked after as one that is coming in: its message may still be under way.
  if (word.media_url.empty()) {
    CORE_CHECK(context.faxes.note_receiving(word.id, word.from, word.to, context.options.provider, now, context.options.lifetime, 0s));
    FAIL_POINT("queue.reconcile.noted");
    CORE_TRY(noted, context.faxes.fax_of_provider_id(word.id));
    core::log(core::Level::warning, "a received fax without a document was found at the provider alone", {{"fax", noted.id}, {"provider_id", word.id}});
    return true;
  }
  CORE_TRY(stored, context.faxes.receive(reception_of(context, word), now));
  FAIL_POINT("queue.reconcile.recorded");
  if (stored.how != store::Stored::created) return false;
  core::log(core::Level::warning, "a received fax was found at the provider alone", {{"fax", stored.fax.id}, {"provider_id", word.id}});
  CORE_CHECK(context.faxes.add_event(stored.fax.id, {now, "Found at the provider", "Its message about this fax did not reach us."}));
  return true;
}

// A sent fax that ended there: whether it did here, too. If not, it is due at once.
core::Result<bool> differs(const Context& context, const fax::ProviderFax& word) {
  const auto fax = context.faxes.fax_of_provider_id(word.id);
  if (!fax && fax.error().code == core::Code::not_found) return false;  // other software's, or deleted here
  CORE_CHECK(fax);
  // Between two attempts the last one's end is known already.
  const bool open = !fax::is_final(fax->status) ? fax->status != fax::Status::waiting && fax->status != fax::Status::queued && fax->status != fax::Status::preparing
                                                : fax->status == fax::Status::unresolved || store::decided_by(*fax) != fax::Decided::by_provider;
  if (!open || fax->provider_id != word.id) return false;
  CORE_CHECK(change(context, fax->id, [&](store::Fax& row, auto&) { row.next_at = context.clock.now(); }));
  core::log(core::Level::warning, "a sent fax has ended at the provider, and not here yet", {{"fax", fax->id}, {"provider_id", word.id}});
  return true;
}

core::Result<void> compare_sent(const Context& context, core::Time from, Differences& differences) {
  fax::ListQuery query;
  query.created_after = from;
  query.from = context.options.own_number;
  CORE_TRY(list, context.provider.list(query));
  for (const auto& word : list.faxes) {
    if (word.direction != fax::Direction::outbound || !fax::is_final(word.status)) continue;
    CORE_TRY(open, differs(context, word));
    if (open) differences.settled += 1, differences.remaining += 1;
  }
  return {};
}

enum class Known { alike, on_its_way, taken_up };

// A fax that the book knows: its document may be there and not here yet, or be there after all.
core::Result<Known> compare_known(const Context& context, const fax::ProviderFax& word, bool asked) {
  const auto fax = context.faxes.fax_of_provider_id(word.id);
  if (!fax && fax.error().code == core::Code::not_found) return Known::alike;  // deleted here
  CORE_CHECK(fax);
  if (!fax::is_final(word.status)) return Known::alike;
  if (!fax::is_final(fax->status)) return Known::on_its_way;
  if (fax->status != fax::Status::failed || word.media_url.empty()) return Known::alike;
  if (!asked) {
    CORE_TRY(events, context.faxes.events(fax->id));
    const auto before = std::count_if(events.begin(), events.end(), [](const store::Event& event) { return event.what == kAfterAll; });
    if (before >= kMostRetakes) return Known::alike;
  }
  CORE_TRY(stored, context.faxes.receive(reception_of(context, word), context.clock.now()));
  if (stored.how != store::Stored::completed) return Known::alike;
  core::log(core::Level::warning, "a received fax that had failed has a document at the provider, and is taken up again", {{"fax", fax->id}, {"provider_id", word.id}});
  CORE_CHECK(context.faxes.add_event(fax->id, {context.clock.now(), std::string(kAfterAll), "It is fetched now."}));
  return Known::taken_up;
}

core::Result<void> compare_received(const Context& context, core::Time from, bool asked, Differences& differences, core::Time& unfinished_since) {
  const auto begun = context.clock.now();
  fax::ListQuery query;
  query.created_after = from;
  query.to = context.options.own_number;
  CORE_TRY(list, context.provider.list(query));
  // What cannot be read now may be later.
  if (list.unreadable > 0) unfinished_since = std::min(unfinished_since, from);
  for (const auto& word : list.faxes) {
    if (word.direction != fax::Direction::inbound || word.to != context.options.own_number) continue;
    CORE_TRY(known, context.faxes.is_known_or_forgotten(word.id));
    if (known) {
      CORE_TRY(differs, compare_known(context, word, asked));
      differences.retaken += differs == Known::taken_up ? 1 : 0;
      differences.remaining += differs == Known::alike ? 0 : 1;
      continue;
    }
    // One that just came in may have its webhook still under way: it is left to the next run.
    if (word.created && begun - *word.created < 2min && !asked) continue;
    if (!fax::is_final(word.status)) {
      differences.remaining += 1;
      if (word.created) unfinished_since = std::min(unfinished_since, *word.created);
      continue;
    }
    if (was_rejected(context, word)) continue;
    CORE_TRY(added, take_up(context, word));
    if (added) differences.added += 1, differences.remaining += 1;
  }
  return {};
}

}  // namespace

core::Result<Differences> reconcile(const Context& context, std::optional<core::Time> since, bool asked) {
  const auto begun = context.clock.now();
  core::Time from{};
  if (since) {
    from = *since;
  } else {
    CORE_TRY(start, start_of_list(context));
    from = start;
  }
  Differences differences;
  // The next run must see again what has not ended yet.
  auto unfinished_since = begun;
  CORE_CHECK(compare_sent(context, from, differences));
  CORE_CHECK(compare_received(context, from, asked || since, differences, unfinished_since));
  if (since) return differences;
  CORE_CHECK(context.faxes.set_fact(fact_name(context.options), core::rfc3339(std::max(unfinished_since, begun - context.options.lifetime))));
  CORE_TRY(rewound, context.faxes.fact(kRewind));
  if (!rewound.empty()) CORE_CHECK(context.faxes.set_fact(kRewind, ""));
  FAIL_POINT("queue.reconcile.remembered");
  return differences;
}

namespace {

// The answer to all who ask since the same time.
core::Result<std::string> compare_until_alike(const Context& context, std::optional<core::Time> since, const std::function<void(std::chrono::seconds)>& pause) {
  Differences sum;
  for (auto waited = 0s;; waited += kBetweenComparisons) {
    const auto found = reconcile(context, since, true);
    if (!found) {
      core::log(core::Level::warning, "the provider's list could not be compared", found.error());
      return "error " + (found.error().hint.empty() ? found.error().text : found.error().hint);
    }
    sum.added += found->added;
    sum.retaken += found->retaken;
    if (waited == 0s) sum.settled = found->settled;
    sum.remaining = found->remaining;
    if (found->remaining == 0 || waited >= kLongestComparison) break;
    pause(kBetweenComparisons);
  }
  return std::to_string(sum.added) + " " + std::to_string(sum.settled) + " " + std::to_string(sum.remaining) + " " + std::to_string(sum.retaken);
}

}  // namespace

core::Result<void> answer_reconcile(const Context& context, const std::function<void(std::chrono::seconds)>& pause) {
  CORE_TRY(asked, context.faxes.facts(std::string(store::kReconcileAsked)));
  std::map<std::string, std::string> answers;  // by what was asked: those who come meanwhile are answered by the next comparison
  for (const auto& [name, value] : asked) {
    if (!value.starts_with(store::kSince)) {
      const auto answered = core::parse_rfc3339(value.substr(0, value.find(' ')));
      if (!answered || context.clock.now() - *answered > kAnswerLifetime) CORE_CHECK(context.faxes.forget_fact(name));
      continue;
    }
    if (!answers.contains(value)) {
      const auto time = core::parse_rfc3339(value.substr(store::kSince.size()));
      CORE_TRY(answer, compare_until_alike(context, time ? std::optional(*time) : std::nullopt, pause));
      FAIL_POINT("queue.reconcile.compared");
      answers.emplace(value, answer);
    }
    CORE_CHECK(context.faxes.set_fact(name, core::rfc3339(context.clock.now()) + " " + answers.at(value)));
  }
  return {};
}

}  // namespace queue
