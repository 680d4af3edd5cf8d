// Who may use this line: users, sessions, API keys, and the brake on guessing passwords.
//
// Passwords are kept as yescrypt, tokens and keys as SHA-256: a copy of the database lets nobody in. Every change is one
// transaction, on the disk when the call returns; after an error nothing is changed. Errors of all calls, besides those
// named: unavailable (database locked for too long), no_space, unknown_outcome (connection lost in COMMIT), internal.
// Thread-safe; copies share one database. The caller gives the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"
#include "sql/database.h"

namespace store {

enum class Role { user, admin };

// "user" or "admin": how the database, the API and nginx's parameters say it.
std::string_view name(Role role);

struct User {
  std::string name;  // as typed when it was added
  Role role = Role::user;
  core::Time created{};
  bool disabled = false;  // may not log in; its sessions and keys are dead
};

struct NewSession {
  core::SecretString token;  // for the cookie; given here only
  core::Time expires{};
};

struct ApiKey {
  std::string id;
  std::string name;                 // what it is for
  std::optional<std::string> user;  // in lower case; none: the key of a program
  Role role = Role::user;
  core::Time created{};
  std::optional<core::Time> last_used;  // to the hour
  std::optional<core::Time> revoked;
};

struct NewApiKey {
  std::string id;
  core::SecretString key;  // "fxl_" and 43 characters; given here only
};

constexpr std::size_t kMaxUserName = 64;
constexpr std::size_t kMaxKeyName = 100;  // bytes
constexpr std::chrono::hours kSessionLifetime{30 * 24};
constexpr std::chrono::hours kSessionIdle{14 * 24};

// True for 1 to 64 of letters, digits and . _ - @ (ASCII).
bool is_user_name(std::string_view text);

class People {
 public:
  // Makes or updates the tables. settings: the database is of a newer Faxline.
  static core::Result<People> open(std::shared_ptr<sql::Database> database);

  // --- users; names are compared without regard to case ---

  // invalid (field username: not a name; field password: empty or too long), conflict (the name is taken).
  core::Result<User> add(std::string_view name, const core::SecretString& password, Role role, core::Time now);
  core::Result<std::vector<User>> list();              // by name
  core::Result<User> find(std::string_view name);      // not_found
  core::Result<std::int64_t> count();
  // Ends the user's sessions, all but that of `kept_token` (empty: all), and forgets the wrong log-ins. not_found,
  // invalid (field password).
  core::Result<void> set_password(std::string_view name, const core::SecretString& password, std::string_view kept_token = {});
  // For the administrator's command alone: no throttle. not_found.
  core::Result<bool> has_password(std::string_view name, const core::SecretString& password);
  // not_found.
  core::Result<void> set_disabled(std::string_view name, bool disabled);
  // Ends the sessions and revokes the keys with it. not_found; conflict: the only administrator who can log in.
  core::Result<void> remove(std::string_view name, core::Time now);

  // The user, if name and password are right. `address`: whom the throttle counts; IPv6 by its first 64 bits.
  // unauthenticated: one answer, after the same time, for a wrong password, an unknown and a disabled user.
  // limited, before any hashing: 5 wrong log-ins for the name or 20 from the address in 15 minutes; retry_after begins
  // at 30 s and doubles with each further one, to 15 minutes. A right one forgets the wrong ones of its name.
  core::Result<User> log_in(std::string_view name, const core::SecretString& password, std::string_view address, core::Time now);

  // --- sessions ---

  // 30 days at most, 14 without use. not_found: no such user, or a disabled one.
  core::Result<NewSession> create_session(std::string_view user, core::Time now);
  // The user as it is now. unauthenticated: unknown, ended, expired, or the user is gone. Notes the use once an hour;
  // that this could not be noted is no error.
  core::Result<User> find_session(std::string_view token, core::Time now);
  core::Result<void> remove_session(std::string_view token);      // an unknown one is no error
  core::Result<void> remove_sessions_of(std::string_view user);   // nor is an unknown user
  core::Result<void> remove_all_sessions();                       // after a copy was put in place

  // --- API keys ---

  // Without `user` it is no person's. It can do no more than `role`, nor than its user. invalid (field name: empty, over
  // 100 bytes, or with control characters), not_found (field user).
  core::Result<NewApiKey> create_key(std::string_view key_name, const std::optional<std::string>& user, Role role, core::Time now);
  core::Result<std::vector<ApiKey>> list_keys();  // oldest first, revoked ones too
  core::Result<void> revoke_key(std::string_view id, core::Time now);  // not_found; twice is no error
  // The key with its role of now. unauthenticated: unknown, revoked, or its user is gone or disabled. Notes the use once
  // an hour, as find_session() does.
  core::Result<ApiKey> find_key(std::string_view key, core::Time now);

  // Forgets ended sessions and wrong log-ins older than the window; how many. For once a day.
  core::Result<std::int64_t> purge(core::Time now);

 private:
  explicit People(std::shared_ptr<sql::Database> database) : database_(std::move(database)) {}
  // The id of a new, pending try; or limited.
  core::Result<std::string> begin_try(const std::string& name_key, std::string_view address, core::Time now);
  core::Result<void> end_try(const std::string& id, const std::string& name_key, bool right);
  std::shared_ptr<sql::Database> database_;
};

}  // namespace store
