// The schema of the fax database, as migrations (peculiar to this module).
#pragma once

#include <span>

#include "sql/migrate.h"

namespace store {

std::span<const sql::Migration> fax_migrations();

}  // namespace store
