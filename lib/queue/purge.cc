#include "queue/purge.h"

#include <algorithm>

#include "core/fail_point.h"
#include "core/log.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

constexpr auto kLeftoverLifetime = 24h;
constexpr auto kCopyLifetime = 1h;
constexpr auto kAttemptLifetime = 30 * 24h;
constexpr auto kKeyLifetime = 7 * 24h;  // of a deleted fax: far longer than anybody repeats a request
constexpr std::size_t kPage = 200;
constexpr auto kJournalLifetime = std::chrono::hours(90 * 24);  // where RECORD_RETENTION_DAYS is not set
constexpr std::int64_t kJournalEntries = 50'000;                // a few kilobytes each at most

std::string days(std::chrono::hours time) {
  const auto count = time.count() / 24;
  return std::to_string(count) + (count == 1 ? " day" : " days");
}

store::Event removed(const Options& options, core::Time now) {
  if (options.retention == 0h) return {now, "The document was removed", "It is kept until it is delivered, as RETENTION_DAYS says."};
  return {now, "The document was removed", "After " + days(options.retention) + ", as RETENTION_DAYS says."};
}

// The book first: a fax may have taken it up again since. A file without a row is nobody's. False: it is used.
core::Result<bool> remove_document(const Context& context, const std::string& id, const std::optional<store::Event>& event) {
  const auto forgotten = context.faxes.forget_document(id, event);
  if (!forgotten && forgotten.error().code == core::Code::conflict) return false;
  CORE_CHECK(forgotten);
  FAIL_POINT("queue.purge.forgotten");
  CORE_CHECK(context.spool.remove(id));
  FAIL_POINT("queue.purge.removed");
  return true;
}

// Page by page, until there is none or enough was done. `find` gives the ids after one, `take` removes one.
template <typename Find, typename Take>
core::Result<std::int64_t> each(Find find, Take take, bool& more) {
  std::int64_t count = 0;
  for (std::string last;;) {
    CORE_TRY(page, find(last));
    for (const auto& id : page) {
      if (count >= kPurgedAtOnce) {
        more = true;
        return count;
      }
      CORE_TRY(taken, take(id));
      count += taken ? 1 : 0;
    }
    if (page.size() < kPage) return count;
    last = page.back();
  }
}

core::Result<void> purge_documents(const Context& context, core::Time now, Purged& purged) {
  const auto before = now - context.options.retention;
  const auto event = removed(context.options, now);
  CORE_TRY(documents, each([&](const auto& after) { return context.faxes.outlived_documents(before, after); },
                           [&](const auto& id) { return remove_document(context, id, event); }, purged.more));
  CORE_TRY(unused, each([&](const auto& after) { return context.faxes.unused_documents(now - kLeftoverLifetime, after); },
                        [&](const auto& id) { return remove_document(context, id, std::nullopt); }, purged.more));
  purged.documents += documents;
  purged.leftovers += unused;
  return {};
}

core::Result<void> purge_records(const Context& context, core::Time now, Purged& purged) {
  if (!context.options.record_retention) return {};
  const auto before = now - *context.options.record_retention;
  CORE_TRY(records, each([&](const auto& after) { return context.faxes.outlived_faxes(before, after); },
                         [&](const auto& id) -> core::Result<bool> {
                           const auto done = context.faxes.remove(id, now);
                           if (!done && (done.error().code == core::Code::conflict || done.error().code == core::Code::not_found)) return false;
                           CORE_CHECK(done);
                           FAIL_POINT("queue.purge.record_removed");
                           return true;
                         },
                         purged.more));
  purged.records += records;
  return {};
}

// What deleted faxes leave: their calls, which say something about the next ones, and their keys.
core::Result<void> purge_traces(const Context& context, core::Time now) {
  CORE_CHECK(context.faxes.forget_attempts(now - kAttemptLifetime));
  FAIL_POINT("queue.purge.attempts_forgotten");
  return context.faxes.forget_keys(now - kKeyLifetime);
}

core::Result<void> purge_copies(const Context& context, core::Time now, Purged& purged) {
  CORE_TRY(wanted, context.faxes.open_attempts(now - context.options.retention));
  CORE_TRY(copies, context.spool.handed_out());
  for (const auto& name : copies) {
    // One that is being made has no attempt in the book yet.
    if (now - name.changed <= kCopyLifetime || std::find(wanted.begin(), wanted.end(), name.id) != wanted.end()) continue;
    CORE_CHECK(context.spool.take_back(name.id));
    FAIL_POINT("queue.purge.copy_taken_back");
    purged.leftovers += 1;
  }
  return {};
}

core::Result<void> purge_strangers(const Context& context, core::Time now, Purged& purged) {
  std::vector<std::string> page;
  const auto look = [&]() -> core::Result<void> {
    CORE_TRY(strangers, context.faxes.without_document(page));
    page.clear();
    for (const auto& id : strangers) {
      CORE_CHECK(context.spool.remove(id));
      FAIL_POINT("queue.purge.stranger_removed");
    }
    purged.leftovers += static_cast<std::int64_t>(strangers.size());
    return {};
  };
  CORE_CHECK(context.spool.visit([&](const spool::Found& file) -> core::Result<void> {
    if (now - file.changed < kLeftoverLifetime) return {};
    page.push_back(file.id);
    return page.size() < kPage ? core::Result<void>() : look();
  }));
  CORE_CHECK(look());
  CORE_TRY(temporary, context.spool.remove_old_temporary_files(now, kLeftoverLifetime));
  FAIL_POINT("queue.purge.temporary_removed");
  purged.leftovers += static_cast<std::int64_t>(temporary);
  return {};
}

core::Result<void> purge_journal(const Context& context, core::Time now, Purged& purged) {
  const auto before = now - context.options.record_retention.value_or(kJournalLifetime);
  for (int i = 0; i < 20; ++i) {
    CORE_TRY(count, context.faxes.trim_journal(before, kJournalEntries));
    purged.journal += count;
    if (count == 0) return {};
    FAIL_POINT("queue.purge.journal_trimmed");
  }
  purged.more = true;
  return {};
}

}  // namespace

core::Result<Purged> purge(const Context& context) {
  const auto now = context.clock.now();
  Purged purged;
  CORE_CHECK(purge_documents(context, now, purged));
  CORE_CHECK(purge_records(context, now, purged));
  CORE_CHECK(purge_traces(context, now));
  CORE_CHECK(purge_journal(context, now, purged));
  CORE_CHECK(purge_copies(context, now, purged));
  CORE_CHECK(purge_strangers(context, now, purged));
  if (purged.documents + purged.records + purged.leftovers + purged.journal > 0)
    core::log(core::Level::info, "purged", {{"documents", std::to_string(purged.documents)}, {"records", std::to_string(purged.records)}, {"leftovers", std::to_string(purged.leftovers)}, {"journal", std::to_string(purged.journal)}});
  return purged;
}

std::chrono::seconds purge_interval(const Options& options) { return options.retention == 0h ? 10s : std::chrono::seconds(1h); }

}  // namespace queue
