#include "store/faxes.h"
#include "store/notice_rows.h"

namespace store {

namespace {

constexpr auto kOften = std::chrono::minutes(1);
constexpr auto* kTaken = "webhook.taken";

}  // namespace

core::Result<void> Faxes::note_refused(const Refusal& refused, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(open, connection.query("SELECT cause FROM refusals WHERE cause = :1 AND open > 0", {refused.cause}));
  if (open.empty()) CORE_CHECK(insert_notice(connection, "webhooks_refused", nullptr, refused.cause, refused.detail, now));
  CORE_TRY(known, connection.execute("UPDATE refusals SET first_ms = CASE WHEN open = 0 THEN :1 ELSE first_ms END, open = open + :2, total = total + :2, last_ms = :1, fax_sid = :3, "
                                     "from_number = :4, detail = :5 WHERE cause = :6",
                                     {now, refused.count, refused.fax_sid, refused.from, refused.detail, refused.cause}));
  if (known == 0)
    CORE_CHECK(connection.execute("INSERT INTO refusals (cause, open, total, first_ms, last_ms, fax_sid, from_number, detail) VALUES (:1, :2, :2, :3, :3, :4, :5, :6)",
                                  {refused.cause, refused.count, now, refused.fax_sid, refused.from, refused.detail}));
  return transaction.commit();
}

core::Result<std::vector<Refusal>> Faxes::refusals() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM refusals WHERE open > 0 ORDER BY last_ms DESC, cause LIMIT 50"));
  std::vector<Refusal> refusals;
  for (const auto& row : rows)
    refusals.push_back({row.text("cause"), row.text("detail"), row.text("fax_sid"), row.text("from_number"), row.int64("open"), row.time("first_ms"), row.time("last_ms")});
  return refusals;
}

core::Result<std::int64_t> Faxes::refused_in_all() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) AS n FROM refusals", {}, ""));
  return row.int64("n");
}

core::Result<void> Faxes::note_taken(bool is_signed, std::string_view unsigned_cause, core::Time now) {
  // Reading waits for nobody: where there is nothing to write, the provider's answer is not held up.
  CORE_TRY(last, last_taken());
  CORE_TRY(refused, refusals());
  const bool is_due = !last || now - *last >= kOften || now < *last;
  if (refused.empty() && !is_due) return {};
  {
    CORE_TRY(connection, database_->lease());
    CORE_CHECK(connection.execute("UPDATE refusals SET open = 0 WHERE open > 0 AND (:1 = 1 OR cause = :2)", {is_signed, unsigned_cause}));
  }
  return is_due ? set_fact(kTaken, core::rfc3339(now)) : core::Result<void>();
}

core::Result<std::optional<core::Time>> Faxes::last_taken() {
  CORE_TRY(text, fact(kTaken));
  const auto time = core::parse_rfc3339(text);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace store
