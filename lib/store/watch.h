// What the line knows of its own health, in the book, so that all who tell people read the same: the page, /healthz,
// /metrics, `faxline doctor`. The queue writes it; nothing here says anything of a single fax.
//
// Errors of all calls are those of store/faxes.h. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "sql/database.h"

namespace store {

// Something of the whole line that does not work now, and is tried again until it does.
struct Trouble {
  std::string kind;  // "mailbox", "disk"
  std::string text;  // what, and the cure, in sentences for people
  core::Time since{};
  core::Time last{};       // last try
  std::int64_t tries = 0;
};

// Durations, counted by length.
struct Histogram {
  // In seconds; what is longer than the last one is counted without bound.
  static constexpr std::array<std::int64_t, 10> kBounds{1, 2, 5, 10, 30, 60, 300, 600, 3600, 86400};
  std::array<std::int64_t, kBounds.size() + 1> counts{};
  std::int64_t sum_ms = 0;
};

class Watch {
 public:
  // The schema is made by Faxes::open().
  explicit Watch(std::shared_ptr<sql::Database> database) : database_(std::move(database)) {}

  // --- troubles ---
  core::Result<bool> note_trouble(std::string_view kind, std::string_view text, core::Time now);  // true: it is new
  core::Result<bool> end_trouble(std::string_view kind);  // true: there was one. Writes only then
  core::Result<std::vector<Trouble>> troubles();          // the oldest first
  // Faxes that wait for the mailbox or the disk are due at once.
  core::Result<void> hurry(std::string_view kind, core::Time now);

  core::Result<bool> is_mail_waiting();  // one that was tried, and failed

  // --- signs of life ---
  core::Result<void> beat(std::string_view name, core::Time now);
  core::Result<std::optional<core::Time>> last_beat(std::string_view name);  // nothing: never
  static constexpr std::string_view kQueue = "queue";
  static constexpr std::string_view kReconciled = "reconciled";  // the provider's list was read to its end
  // Takes the write lock and gives it back: no write. Errors say that the book cannot be written.
  core::Result<void> check_writable();

  // --- durations: counted in memory, added to the book by flush() ---
  void measure(std::string_view name, core::Milliseconds time);
  core::Result<void> flush();
  core::Result<Histogram> histogram(std::string_view name);
  static constexpr std::string_view kToMailbox = "to_mailbox";    // from the payload to the mail
  static constexpr std::string_view kQueueDelay = "queue_delay";  // from due to begun

  // --- numbers ---
  struct Numbers {
    std::map<std::string, core::Time> oldest_open;  // by direction; of faxes that have not ended
    std::int64_t mails_waiting = 0;
    std::int64_t overdue = 0;   // faxes that should have been looked at a minute ago
    std::int64_t attempts = 0;  // calls begun; never falls
    std::int64_t retries = 0;   // those of them that were not a fax's first
  };
  core::Result<Numbers> numbers(core::Time now);

 private:
  std::shared_ptr<sql::Database> database_;
  std::mutex mutex_;
  std::map<std::string, Histogram, std::less<>> measured_;
};

}  // namespace store
