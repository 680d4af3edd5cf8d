#include "store/watch.h"

#include <algorithm>

namespace store {

namespace {

constexpr auto kOverdue = std::chrono::minutes(1);

core::Result<std::int64_t> number(sql::Connection& connection, std::string_view query, const sql::Binds& values = {}) {
  CORE_TRY(row, connection.row(query, values, ""));
  return row.int64("n");
}

}  // namespace

core::Result<bool> Watch::note_trouble(std::string_view kind, std::string_view text, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(known, connection.execute("UPDATE troubles SET text = :1, last_ms = :2, tries = tries + 1 WHERE kind = :3", {text, now, kind}));
  if (known == 0) CORE_CHECK(connection.execute("INSERT INTO troubles (kind, text, since_ms, last_ms, tries) VALUES (:1, :2, :3, :3, 1)", {kind, text, now}));
  CORE_CHECK(transaction.commit());
  return known == 0;
}

core::Result<bool> Watch::end_trouble(std::string_view kind) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(there, connection.query("SELECT kind FROM troubles WHERE kind = :1", {kind}));
  if (there.empty()) return false;
  CORE_TRY(gone, connection.execute("DELETE FROM troubles WHERE kind = :1", {kind}));
  return gone > 0;
}

core::Result<std::vector<Trouble>> Watch::troubles() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM troubles ORDER BY since_ms, kind"));
  std::vector<Trouble> troubles;
  for (const auto& row : rows) troubles.push_back({row.text("kind"), row.text("text"), row.time("since_ms"), row.time("last_ms"), row.int64("tries")});
  return troubles;
}

core::Result<void> Watch::hurry(std::string_view kind, core::Time now) {
  CORE_TRY(connection, database_->lease());
  const std::string_view which = kind == "mailbox" ? "UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE mail_due = 1 AND mail_tries > 0"
                                                   : "UPDATE faxes SET next_at_ms = :1, version = version + 1 WHERE final_ms IS NULL AND cause_code = 'disk_full'";
  CORE_CHECK(connection.execute(which, {now}));
  return {};
}

core::Result<bool> Watch::is_mail_waiting() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT id FROM faxes WHERE mail_due = 1 AND mail_tries > 0 LIMIT 1"));
  return !rows.empty();
}

core::Result<void> Watch::beat(std::string_view name, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(known, connection.execute("UPDATE beats SET at_ms = :1 WHERE name = :2", {now, name}));
  if (known == 0) CORE_CHECK(connection.execute("INSERT INTO beats (name, at_ms) VALUES (:1, :2)", {name, now}));
  return transaction.commit();
}

core::Result<std::optional<core::Time>> Watch::last_beat(std::string_view name) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT at_ms FROM beats WHERE name = :1", {name}));
  return rows.empty() ? std::optional<core::Time>() : std::optional(rows.front().time("at_ms"));
}

core::Result<void> Watch::check_writable() {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(sql::Transaction::begin(connection));
  return {};
}

void Watch::measure(std::string_view name, core::Milliseconds time) {
  const auto ms = std::max<std::int64_t>(time.count(), 0);
  const auto* bound = std::find_if(Histogram::kBounds.begin(), Histogram::kBounds.end(), [&](std::int64_t seconds) { return ms <= seconds * 1000; });
  const std::lock_guard lock(mutex_);
  auto& histogram = measured_[std::string(name)];
  histogram.counts.at(static_cast<std::size_t>(bound - Histogram::kBounds.begin())) += 1;
  histogram.sum_ms += ms;
}

core::Result<void> Watch::flush() {
  decltype(measured_) measured;
  {
    const std::lock_guard lock(mutex_);
    measured.swap(measured_);
  }
  if (measured.empty()) return {};
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  for (const auto& [name, histogram] : measured) {
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      const auto count = histogram.counts.at(i);
      const auto sum = i == 0 ? histogram.sum_ms : 0;  // one row of a name holds the whole sum
      if (count == 0 && sum == 0) continue;
      const auto bucket = static_cast<std::int64_t>(i);
      CORE_TRY(known, connection.execute("UPDATE measures SET n = n + :1, sum_ms = sum_ms + :2 WHERE name = :3 AND bucket = :4", {count, sum, name, bucket}));
      if (known == 0) CORE_CHECK(connection.execute("INSERT INTO measures (name, bucket, n, sum_ms) VALUES (:1, :2, :3, :4)", {name, bucket, count, sum}));
    }
  }
  return transaction.commit();
}

core::Result<Histogram> Watch::histogram(std::string_view name) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT bucket, n, sum_ms FROM measures WHERE name = :1", {name}));
  Histogram histogram;
  for (const auto& row : rows) {
    const auto bucket = static_cast<std::size_t>(row.int64("bucket"));
    if (bucket < histogram.counts.size()) histogram.counts.at(bucket) += row.int64("n");
    histogram.sum_ms += row.int64("sum_ms");
  }
  return histogram;
}

core::Result<Watch::Numbers> Watch::numbers(core::Time now) {
  CORE_TRY(connection, database_->lease());
  Numbers numbers;
  CORE_TRY(oldest, connection.query("SELECT direction, MIN(created_ms) AS oldest_ms FROM faxes WHERE final_ms IS NULL GROUP BY direction"));
  for (const auto& row : oldest) numbers.oldest_open[row.text("direction")] = row.time("oldest_ms");
  CORE_TRY(mails, number(connection, "SELECT COUNT(*) AS n FROM faxes WHERE mail_due = 1"));
  CORE_TRY(overdue, number(connection, "SELECT COUNT(*) AS n FROM faxes WHERE next_at_ms < :1 AND lease_until_ms <= :2", {now - kOverdue, now}));
  CORE_TRY(attempts, number(connection, "SELECT COUNT(*) AS n FROM attempts"));
  CORE_TRY(retries, number(connection, "SELECT COUNT(*) AS n FROM attempts WHERE number > 1"));
  numbers.mails_waiting = mails;
  numbers.overdue = overdue;
  numbers.attempts = attempts;
  numbers.retries = retries;
  return numbers;
}

}  // namespace store
