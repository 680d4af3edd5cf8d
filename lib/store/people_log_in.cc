// Log-ins, their throttle, and the sessions that they begin.
#include <algorithm>
#include <arpa/inet.h>

#include "core/id.h"
#include "core/log.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "store/people.h"
#include "store/people_rows.h"

namespace store {

namespace {

using namespace std::chrono_literals;

constexpr core::Milliseconds kWindow = 15min;
constexpr std::int64_t kNameLimit = 5;
constexpr std::int64_t kAddressLimit = 20;
// So many may have their password checked at once before they count as wrong: a person's programs that all log in at the
// same moment are no attack, a hundred guesses sent at once are.
constexpr std::int64_t kAtOnce = 4;
constexpr core::Milliseconds kFirstWait = 30s;
constexpr core::Milliseconds kUseNoted = 1h;

// One customer of a provider has 2^64 addresses of IPv6: they are one address here.
std::string throttled_address(std::string_view address) {
  in6_addr binary{};
  const std::string text(address.substr(0, 64));
  if (::inet_pton(AF_INET6, text.c_str(), &binary) != 1 || IN6_IS_ADDR_V4MAPPED(&binary)) return text.substr(0, text.find('\0'));
  std::fill(std::begin(binary.s6_addr) + 8, std::end(binary.s6_addr), static_cast<std::uint8_t>(0));
  char written[INET6_ADDRSTRLEN] = {};
  return ::inet_ntop(AF_INET6, &binary, written, sizeof written) == nullptr ? text : std::string(written) + "/64";
}

core::Milliseconds wait_after(std::int64_t over) {
  core::Milliseconds wait = kFirstWait;
  for (; over > 0 && wait < kWindow; --over) wait *= 2;
  return std::min(wait, kWindow);
}

// How long `subject` must still wait; not positive: not at all.
core::Result<core::Milliseconds> wait_of(sql::Connection& connection, std::string_view column, const std::string& subject, std::int64_t limit, core::Time now) {
  CORE_TRY(row, connection.row("SELECT COUNT(*) AS tries, CAST(COALESCE(SUM(pending), 0) AS BIGINT) AS pending, COALESCE(MAX(at_ms), 0) AS last_ms FROM log_in_tries WHERE " + std::string(column) +
                                   " = :1 AND at_ms > :2 AND at_ms <= :3",
                               {subject, now - kWindow, now + kWindow}, ""));
  const auto counted = row.int64("tries") - std::min(row.int64("pending"), kAtOnce);
  if (counted < limit) return core::Milliseconds(0);
  // A clock that was set back must not make the wait longer.
  return std::min(row.time("last_ms"), now) + wait_after(counted - limit) - now;
}

core::Error limited(core::Milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  const auto words = seconds < 2min ? std::to_string(seconds.count()) + " seconds" : std::to_string(std::chrono::ceil<std::chrono::minutes>(seconds).count()) + " minutes";
  core::Error error{core::Code::limited, "log-in throttled", "Too many wrong log-ins. Try again in " + words + "."};
  error.retry_after = seconds;
  return error;
}

}  // namespace

core::Error not_logged_in(std::string_view what) { return {core::Code::unauthenticated, "no such " + std::string(what), "You are not logged in. Log in again."}; }

void note_use(sql::Connection& connection, std::string_view statement, std::optional<core::Time> last, std::string_view id, core::Time now) {
  // Also when the last use lies in the future: the clock was set back.
  if (last && now - *last < kUseNoted && *last - now < kUseNoted) return;
  if (const auto noted = connection.execute(statement, {now, id}); !noted) core::log(core::Level::warning, "use not noted", noted.error());
}

// --- log-in ---

// The try is written down before the password is checked: guesses sent all at once are counted too.
core::Result<std::string> People::begin_try(const std::string& name_key, std::string_view address, core::Time now) {
  const auto from = throttled_address(address);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  core::Milliseconds wait{0};
  if (!name_key.empty()) {
    CORE_TRY(for_name, wait_of(connection, "name_key", name_key, kNameLimit, now));
    wait = std::max(wait, for_name);
  }
  if (!from.empty()) {
    CORE_TRY(for_address, wait_of(connection, "address", from, kAddressLimit, now));
    wait = std::max(wait, for_address);
  }
  if (wait > 0ms) return limited(wait);
  auto id = core::new_id(now);
  CORE_CHECK(connection.execute("DELETE FROM log_in_tries WHERE at_ms <= :1 OR at_ms > :2", {now - kWindow, now + kWindow}));
  CORE_CHECK(connection.execute("INSERT INTO log_in_tries (id, name_key, address, at_ms, pending) VALUES (:1, :2, :3, :4, 1)", {id, name_key, from, now}));
  CORE_CHECK(transaction.commit());
  return id;
}

core::Result<void> People::end_try(const std::string& id, const std::string& name_key, bool right) {
  CORE_TRY(connection, database_->lease());
  if (right) CORE_CHECK(connection.execute("DELETE FROM log_in_tries WHERE name_key = :1", {name_key}));
  if (!right) CORE_CHECK(connection.execute("UPDATE log_in_tries SET pending = 0 WHERE id = :1", {id}));
  return {};
}

core::Result<User> People::log_in(std::string_view name, const core::SecretString& password, std::string_view address, core::Time now) {
  const auto key = name_key_of(name);
  CORE_TRY(id, begin_try(key, address, now));
  std::optional<User> user;
  std::string hash;
  {
    CORE_TRY(connection, database_->lease());
    CORE_TRY(rows, connection.query("SELECT * FROM users WHERE name_key = :1 AND disabled = 0", {key}));
    if (!rows.empty()) {
      user = user_of(rows.front());
      hash = rows.front().text("password_hash");
    }
  }  // no connection is held while the password is checked
  const bool right = user ? crypto::check_password(password, hash) : crypto::dummy_check(password);
  CORE_CHECK(end_try(id, key, right));
  if (!right) return core::Error{core::Code::unauthenticated, "log-in refused", "That user name or password is not right."};
  return *user;
}

// --- sessions ---

core::Result<NewSession> People::create_session(std::string_view user, core::Time now) {
  const auto key = name_key_of(user);
  NewSession made{core::SecretString(crypto::new_token()), now + kSessionLifetime};
  CORE_TRY(connection, database_->lease());
  // One statement: a user that is removed at the same time gets none.
  CORE_TRY(added, connection.execute("INSERT INTO sessions (token_hash, name_key, created_ms, last_seen_ms, expires_ms) SELECT :1, name_key, :2, :2, :3 FROM users WHERE name_key = :4 AND disabled = 0",
                                     {crypto::token_hash(made.token.reveal()), now, made.expires, key}));
  if (added == 0) return no_such_user();
  return made;
}

core::Result<User> People::find_session(std::string_view token, core::Time now) {
  const auto hash = crypto::token_hash(token);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT users.*, sessions.last_seen_ms FROM sessions JOIN users ON users.name_key = sessions.name_key "
                                  "WHERE sessions.token_hash = :1 AND sessions.expires_ms > :2 AND sessions.last_seen_ms > :3 AND users.disabled = 0",
                                  {hash, now, now - kSessionIdle}));
  if (rows.empty()) return not_logged_in("session");
  note_use(connection, "UPDATE sessions SET last_seen_ms = :1 WHERE token_hash = :2", rows.front().time("last_seen_ms"), hash, now);
  return user_of(rows.front());
}

core::Result<void> People::remove_session(std::string_view token) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("DELETE FROM sessions WHERE token_hash = :1", {crypto::token_hash(token)}));
  return {};
}

core::Result<void> People::remove_sessions_of(std::string_view user) {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("DELETE FROM sessions WHERE name_key = :1", {name_key_of(user)}));
  return {};
}

core::Result<void> People::remove_all_sessions() {
  CORE_TRY(connection, database_->lease());
  CORE_CHECK(connection.execute("DELETE FROM sessions"));
  CORE_CHECK(connection.execute("DELETE FROM log_in_tries"));
  return {};
}

core::Result<std::int64_t> People::purge(core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(sessions, connection.execute("DELETE FROM sessions WHERE expires_ms <= :1 OR last_seen_ms <= :2", {now, now - kSessionIdle}));
  CORE_TRY(tries, connection.execute("DELETE FROM log_in_tries WHERE at_ms <= :1 OR at_ms > :2", {now - kWindow, now + kWindow}));
  return sessions + tries;
}

}  // namespace store
