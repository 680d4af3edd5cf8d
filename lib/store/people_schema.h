// The tables of people.db, step by step. Inside `store` only.
#pragma once

#include <span>

#include "sql/migrate.h"

namespace store {

std::span<const sql::Migration> people_migrations();

}  // namespace store
