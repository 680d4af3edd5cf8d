#include "store/people_schema.h"

#include <array>

namespace store {

namespace {

// A step that was released is never edited: add another one.
const std::array<sql::Migration, 1> kMigrations{{
    {1,
     {
         // name_key: the name in lower case, by which it is looked up; name: as it was typed.
         "CREATE TABLE users (name_key TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, password_hash TEXT NOT NULL, role TEXT NOT NULL, created_ms BIGINT NOT NULL, disabled BIGINT NOT NULL)",

         "CREATE TABLE sessions (token_hash TEXT NOT NULL PRIMARY KEY, name_key TEXT NOT NULL REFERENCES users (name_key), created_ms BIGINT NOT NULL, last_seen_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL)",
         "CREATE INDEX sessions_of_user ON sessions (name_key)",

         // Revoked keys stay in the list, and may have outlived their user: user_key refers to nobody then.
         "CREATE TABLE api_keys (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, key_hash TEXT NOT NULL UNIQUE, user_key TEXT, role TEXT NOT NULL, created_ms BIGINT NOT NULL, last_used_ms BIGINT, revoked_ms BIGINT)",
         "CREATE INDEX api_keys_of_user ON api_keys (user_key)",

         // One row a try; pending until its password is checked. name_key is empty for what cannot be a name.
         "CREATE TABLE log_in_tries (id TEXT NOT NULL PRIMARY KEY, name_key TEXT NOT NULL, address TEXT NOT NULL, at_ms BIGINT NOT NULL, pending BIGINT NOT NULL)",
         "CREATE INDEX log_in_tries_of_name ON log_in_tries (name_key, at_ms)",
         "CREATE INDEX log_in_tries_of_address ON log_in_tries (address, at_ms)",
         "CREATE INDEX log_in_tries_by_time ON log_in_tries (at_ms)",
     }},
}};

}  // namespace

std::span<const sql::Migration> people_migrations() { return kMigrations; }

}  // namespace store
