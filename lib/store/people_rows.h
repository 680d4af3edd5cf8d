// What the halves of People share. Inside `store` only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "sql/database.h"
#include "store/people.h"

namespace store {

// Under which a name is looked up: lower case; empty for what is no name.
std::string name_key_of(std::string_view name);

Role role_of(std::string_view text);  // all but "admin" is user: damage never makes an administrator
User user_of(const sql::Row& row);    // from columns of `users`

core::Error no_such_user(std::string_view field = {});
core::Error not_logged_in(std::string_view what);

// Runs `statement` with `now` and `id`, unless the last use is less than an hour away; a failure is only logged.
void note_use(sql::Connection& connection, std::string_view statement, std::optional<core::Time> last, std::string_view id, core::Time now);

}  // namespace store
