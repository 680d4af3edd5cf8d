#include "store/notices.h"

#include <algorithm>

#include "core/id.h"
#include "store/faxes.h"
#include "store/notice_rows.h"

namespace store {

namespace {

constexpr std::string_view kColumns = "id, fax_id, event, before_state, at_ms, direction, owner, from_number, to_number, provider, provider_id, pages, pages_done, cause_code, cause_text, "
                                      "document_id, attempt, fax_created_ms";

Notice notice_of(const sql::Row& row) {
  Notice notice;
  notice.id = row.text("id");
  notice.fax_id = row.text("fax_id");
  notice.event = row.text("event");
  notice.before = row.text("before_state");
  notice.at = row.time("at_ms");
  notice.direction = row.text("direction");
  notice.owner = row.text("owner");
  notice.from = row.text("from_number");
  notice.to = row.text("to_number");
  notice.provider = row.text("provider");
  notice.provider_id = row.text("provider_id");
  notice.pages = row.optional_int64("pages");
  notice.pages_done = row.optional_int64("pages_done");
  notice.cause_code = row.text("cause_code");
  notice.cause_text = row.text("cause_text");
  notice.document_id = row.text("document_id");
  notice.attempt = row.int64("attempt");
  notice.created = row.time("fax_created_ms");
  return notice;
}

// "(:3, :4)" for two values from the third on.
std::string places(std::size_t from, std::size_t count) {
  std::string text = "(";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? ":" : ", :") + std::to_string(from + i);
  return text + ")";
}

void append(sql::Binds& binds, std::span<const std::string> ways) {
  for (const auto& way : ways) binds.emplace_back(way);
}

}  // namespace

core::Result<void> insert_notice(sql::Connection& connection, std::string_view event, const Fax* fax, std::string_view cause_code, std::string_view cause_text, core::Time now,
                                 std::string_view before) {
  const Fax none;
  const Fax& it = fax != nullptr ? *fax : none;
  CORE_CHECK(connection.execute("INSERT INTO notices (shared, " + std::string(kColumns) + ") VALUES (0, " + places(1, 18).substr(1),
                                {core::new_id(now), it.id, event, before, now, fax != nullptr ? fax::name(it.direction) : std::string_view(), it.owner, it.from, it.to, it.provider,
                                 it.provider_id, it.pages, it.pages_done, cause_code, cause_text, it.document_id, it.attempt, fax != nullptr ? it.created : now}));
  return {};
}

core::Result<void> insert_notice_of_end(sql::Connection& connection, const Fax& fax, std::optional<fax::Status> before, core::Time now) {
  if (!fax::is_final(fax.status) || before == fax.status) return {};
  const auto corrected = before && fax::is_final(*before) ? fax::name(*before) : std::string_view();
  return insert_notice(connection, fax::name(fax.status), &fax, fax.cause_code, fax.cause_text, now, corrected);
}

Notices Faxes::notices() const { return Notices(database_); }

core::Result<std::int64_t> Notices::share_out(const std::function<std::vector<std::string>(const Notice&)>& ways_of, core::Time now) {
  constexpr std::string_view kNew = "SELECT * FROM notices WHERE shared = 0 ORDER BY id LIMIT 100";
  CORE_TRY(connection, database_->lease());
  // A look first: this is asked every second, and must not take the write lock for nothing.
  CORE_TRY(glance, connection.query("SELECT id FROM notices WHERE shared = 0 LIMIT 1"));
  if (glance.empty()) return std::int64_t{0};
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(rows, connection.query(kNew));
  for (const auto& row : rows) {
    const auto notice = notice_of(row);
    for (const auto& way : ways_of(notice))
      CORE_CHECK(connection.execute("INSERT INTO errands (notice_id, way, tries, next_at_ms, mail_name, trouble, lease_owner, lease_until_ms) VALUES (:1, :2, 0, :3, '', '', '', 0) "
                                    "ON CONFLICT (notice_id, way) DO NOTHING",
                                    {notice.id, way, now}));
    CORE_CHECK(connection.execute("UPDATE notices SET shared = 1 WHERE id = :1", {notice.id}));
  }
  CORE_CHECK(transaction.commit());
  return static_cast<std::int64_t>(rows.size());
}

core::Result<std::optional<Errand>> Notices::claim(std::span<const std::string> ways, const std::string& worker, core::Time now, core::Milliseconds lease) {
  if (ways.empty()) return std::optional<Errand>();
  const std::string due = "SELECT errands.notice_id, errands.way, errands.tries, errands.mail_name FROM errands WHERE next_at_ms <= :1 AND (lease_until_ms <= :1 OR lease_owner = :2) AND way IN " +
                          places(3, ways.size()) + " ORDER BY next_at_ms, notice_id LIMIT 1";
  sql::Binds binds{now, worker};
  append(binds, ways);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(glance, connection.query(due, binds));
  if (glance.empty()) return std::optional<Errand>();
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(rows, connection.query(due, binds));
  if (rows.empty()) return std::optional<Errand>();
  const auto& row = rows.front();
  CORE_TRY(notice, connection.row("SELECT * FROM notices WHERE id = :1", {row.text("notice_id")}, ""));
  CORE_CHECK(connection.execute("UPDATE errands SET lease_owner = :1, lease_until_ms = :2 WHERE notice_id = :3 AND way = :4", {worker, now + lease, row.text("notice_id"), row.text("way")}));
  CORE_CHECK(transaction.commit());
  return std::optional(Errand{notice_of(notice), row.text("way"), row.int64("tries"), row.text("mail_name")});
}

core::Result<void> Notices::record_mail_name(const Errand& errand, const std::string& name) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE errands SET mail_name = :1 WHERE notice_id = :2 AND way = :3", {name, errand.notice.id, errand.way}));
  return {};
}

core::Result<void> Notices::done(const Errand& errand, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE errands SET next_at_ms = NULL, done_ms = :1, trouble = '', lease_owner = '', lease_until_ms = 0 WHERE notice_id = :2 AND way = :3",
                                {now, errand.notice.id, errand.way}));
  return {};
}

core::Result<void> Notices::put_off(const Errand& errand, const std::string& trouble, core::Time now, core::Time next) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE errands SET next_at_ms = :1, tries = tries + 1, failed_ms = :2, trouble = :3, lease_owner = '', lease_until_ms = 0 WHERE notice_id = :4 AND way = :5",
                                {next, now, trouble, errand.notice.id, errand.way}));
  return {};
}

core::Result<void> Notices::give_up(const Errand& errand, const std::string& trouble, const Event& event, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_CHECK(connection.execute("UPDATE errands SET next_at_ms = NULL, tries = tries + 1, failed_ms = :1, given_up_ms = :1, trouble = :2, lease_owner = '', lease_until_ms = 0 "
                                "WHERE notice_id = :3 AND way = :4",
                                {now, trouble, errand.notice.id, errand.way}));
  CORE_TRY(faxes, connection.query("SELECT id FROM faxes WHERE id = :1", {errand.notice.fax_id}));
  if (!faxes.empty()) CORE_CHECK(insert_event(connection, errand.notice.fax_id, event));
  return transaction.commit();
}

core::Result<void> Notices::hasten(std::span<const std::string> ways, core::Time now) {
  if (ways.empty()) return {};
  sql::Binds binds{now};
  append(binds, ways);
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("UPDATE errands SET next_at_ms = :1 WHERE next_at_ms > :1 AND way IN " + places(2, ways.size()), binds));
  return {};
}

core::Result<std::int64_t> Notices::drop_other_ways(std::span<const std::string> ways, core::Time now) {
  sql::Binds binds{now};
  append(binds, ways);
  CORE_TRY(connection, database_->lease());
  return connection.execute("UPDATE errands SET next_at_ms = NULL, given_up_ms = :1, trouble = '' WHERE next_at_ms IS NOT NULL" +
                                (ways.empty() ? std::string() : " AND way NOT IN " + places(2, ways.size())),
                            binds);
}

core::Result<std::vector<WayTrouble>> Notices::troubles(core::Time since) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT way, trouble, failed_ms, given_up_ms FROM errands WHERE trouble <> '' AND failed_ms IS NOT NULL AND (given_up_ms IS NULL OR given_up_ms > :1) "
                                  "ORDER BY failed_ms DESC LIMIT 1000",
                                  {since}));
  std::vector<WayTrouble> troubles;
  for (const auto& row : rows) {
    auto found = std::find_if(troubles.begin(), troubles.end(), [&](const WayTrouble& it) { return it.way == row.text("way"); });
    if (found == troubles.end()) found = troubles.insert(troubles.end(), {row.text("way"), 0, 0, row.time("failed_ms"), row.text("trouble")});
    ++(row.optional_time("given_up_ms") ? found->given_up : found->waiting);
  }
  return troubles;
}

core::Result<void> Notices::forget(core::Time before) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT id FROM notices WHERE at_ms < :1 AND shared = 1 AND NOT EXISTS (SELECT 1 FROM errands WHERE notice_id = notices.id AND next_at_ms IS NOT NULL) LIMIT 500", {before}));
  if (rows.empty()) return {};
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  for (const auto& row : rows) {
    CORE_CHECK(connection.execute("DELETE FROM errands WHERE notice_id = :1", {row.text("id")}));
    CORE_CHECK(connection.execute("DELETE FROM notices WHERE id = :1", {row.text("id")}));
  }
  return transaction.commit();
}

}  // namespace store
