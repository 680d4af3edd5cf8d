#include "store/people.h"

#include <algorithm>

#include "core/id.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "store/people_rows.h"
#include "store/people_schema.h"

namespace store {

std::string_view name(Role role) { return role == Role::admin ? "admin" : "user"; }

bool is_user_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@'; };
  return !text.empty() && text.size() <= kMaxUserName && std::all_of(text.begin(), text.end(), allowed);
}

std::string name_key_of(std::string_view name) {
  if (!is_user_name(name)) return {};
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

Role role_of(std::string_view text) { return text == "admin" ? Role::admin : Role::user; }

User user_of(const sql::Row& row) { return {row.text("name"), role_of(row.text("role")), row.time("created_ms"), row.flag("disabled")}; }

core::Error no_such_user(std::string_view field) { return {core::Code::not_found, "no such user", "There is no user of that name.", std::string(field)}; }

core::Result<People> People::open(std::shared_ptr<sql::Database> database) {
  {
    CORE_TRY(connection, database->lease());
    CORE_CHECK(sql::migrate(connection, "people", people_migrations()));
  }
  return People(std::move(database));
}

// --- users ---

core::Result<User> People::add(std::string_view name, const core::SecretString& password, Role role, core::Time now) {
  const auto key = name_key_of(name);
  if (key.empty()) return core::Error{core::Code::invalid, "not a user name", "A user name has 1 to 64 letters, digits or the characters . _ - @.", "username"};
  CORE_TRY(hash, crypto::hash_password(password));
  CORE_TRY(connection, database_->lease());
  const auto added = connection.execute("INSERT INTO users (name_key, name, password_hash, role, created_ms, disabled) VALUES (:1, :2, :3, :4, :5, 0)", {key, name, hash, store::name(role), now});
  if (!added && added.error().code == core::Code::conflict) return core::Error{core::Code::conflict, "user name taken", "There is a user of that name already.", "username"};
  if (!added) return added.error();
  return User{std::string(name), role, now, false};
}

core::Result<std::vector<User>> People::list() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM users ORDER BY name_key"));
  std::vector<User> users;
  for (const auto& row : rows) users.push_back(user_of(row));
  return users;
}

core::Result<User> People::find(std::string_view name) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM users WHERE name_key = :1", {name_key_of(name)}));
  if (rows.empty()) return no_such_user();
  return user_of(rows.front());
}

core::Result<std::int64_t> People::count() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(row, connection.row("SELECT COUNT(*) AS users FROM users", {}, ""));
  return row.int64("users");
}

core::Result<void> People::set_password(std::string_view name, const core::SecretString& password, std::string_view kept_token) {
  const auto key = name_key_of(name);
  CORE_TRY(hash, crypto::hash_password(password));
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(changed, connection.execute("UPDATE users SET password_hash = :1 WHERE name_key = :2", {hash, key}));
  if (changed == 0) return no_such_user();
  CORE_CHECK(connection.execute("DELETE FROM sessions WHERE name_key = :1 AND token_hash <> :2", {key, crypto::token_hash(kept_token)}));
  CORE_CHECK(connection.execute("DELETE FROM log_in_tries WHERE name_key = :1", {key}));
  return transaction.commit();
}

core::Result<bool> People::has_password(std::string_view name, const core::SecretString& password) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT password_hash FROM users WHERE name_key = :1", {name_key_of(name)}));
  if (rows.empty()) return no_such_user();
  return crypto::check_password(password, rows.front().text("password_hash"));
}

core::Result<void> People::set_disabled(std::string_view name, bool disabled) {
  const auto key = name_key_of(name);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  CORE_TRY(changed, connection.execute("UPDATE users SET disabled = :1 WHERE name_key = :2", {disabled, key}));
  if (changed == 0) return no_such_user();
  if (disabled) CORE_CHECK(connection.execute("DELETE FROM sessions WHERE name_key = :1", {key}));
  return transaction.commit();
}

core::Result<void> People::remove(std::string_view name, core::Time now) {
  const auto key = name_key_of(name);
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));
  // The others are held to the end, so that of two who remove two administrators one waits for the other.
  CORE_TRY(administrators, connection.query("UPDATE users SET role = role WHERE role = :1 AND disabled = 0 RETURNING name_key", {store::name(Role::admin)}));
  if (administrators.size() == 1 && administrators[0].text("name_key") == key)
    return core::Error{core::Code::conflict, "the last administrator", std::string(name) + " is the only administrator. Make another one first, with `faxline user add NAME --admin`; then remove this one."};
  CORE_CHECK(connection.execute("DELETE FROM sessions WHERE name_key = :1", {key}));
  CORE_CHECK(connection.execute("UPDATE api_keys SET revoked_ms = :1 WHERE user_key = :2 AND revoked_ms IS NULL", {now, key}));
  CORE_TRY(removed, connection.execute("DELETE FROM users WHERE name_key = :1", {key}));
  if (removed == 0) return no_such_user();
  return transaction.commit();
}

// --- keys ---

core::Result<NewApiKey> People::create_key(std::string_view key_name, const std::optional<std::string>& user, Role role, core::Time now) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (key_name.empty() || key_name.size() > kMaxKeyName || std::any_of(key_name.begin(), key_name.end(), is_control))
    return core::Error{core::Code::invalid, "not a name for a key", "Give the key a name of 1 to 100 characters that says what it is for.", "name"};
  NewApiKey made{core::new_id(now), core::SecretString("fxl_" + crypto::new_token())};
  std::optional<std::string> user_key;
  CORE_TRY(connection, database_->lease());
  CORE_TRY(transaction, sql::Transaction::begin(connection));  // the user must not go meanwhile
  if (user) {
    user_key = name_key_of(*user);
    CORE_TRY(rows, connection.query("SELECT name FROM users WHERE name_key = :1", {*user_key}));
    if (rows.empty()) return no_such_user("user");
  }
  CORE_CHECK(connection.execute("INSERT INTO api_keys (id, name, key_hash, user_key, role, created_ms) VALUES (:1, :2, :3, :4, :5, :6)",
                                {made.id, key_name, crypto::token_hash(made.key.reveal()), user_key, store::name(role), now}));
  CORE_CHECK(transaction.commit());
  return made;
}

namespace {

ApiKey key_of(const sql::Row& row) {
  return {row.text("id"), row.text("name"), row.optional_text("user_key"), role_of(row.text("role")), row.time("created_ms"), row.optional_time("last_used_ms"), row.optional_time("revoked_ms")};
}

}  // namespace

core::Result<std::vector<ApiKey>> People::list_keys() {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT * FROM api_keys ORDER BY created_ms, id"));
  std::vector<ApiKey> keys;
  for (const auto& row : rows) keys.push_back(key_of(row));
  return keys;
}

core::Result<void> People::revoke_key(std::string_view id, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(known, connection.execute("UPDATE api_keys SET revoked_ms = COALESCE(revoked_ms, :1) WHERE id = :2", {now, id}));
  if (known == 0) return core::Error{core::Code::not_found, "no such key", "There is no key with that id."};
  return {};
}

core::Result<ApiKey> People::find_key(std::string_view key, core::Time now) {
  CORE_TRY(connection, database_->lease());
  CORE_TRY(rows, connection.query("SELECT api_keys.*, users.role AS user_role FROM api_keys LEFT JOIN users ON users.name_key = api_keys.user_key AND users.disabled = 0 "
                                  "WHERE api_keys.key_hash = :1 AND api_keys.revoked_ms IS NULL",
                                  {crypto::token_hash(key)}));
  if (rows.empty()) return not_logged_in("key");
  auto found = key_of(rows.front());
  const auto user_role = rows.front().optional_text("user_role");
  if (found.user && !user_role) return not_logged_in("key of a user that is gone");
  if (user_role && role_of(*user_role) == Role::user) found.role = Role::user;
  note_use(connection, "UPDATE api_keys SET last_used_ms = :1 WHERE id = :2", found.last_used, found.id, now);
  return found;
}

}  // namespace store
