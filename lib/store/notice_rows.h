// Notices written inside the transactions of others (peculiar to this module).
#pragma once

#include "sql/database.h"
#include "store/fax_rows.h"
#include "store/notices.h"

namespace store {

// The notice of a fax that has just been written as it is here, where its state is final and another than `before` was
// (nothing: the fax is new).
core::Result<void> insert_notice_of_end(sql::Connection& connection, const Fax& fax, std::optional<fax::Status> before, core::Time now);

// Any other notice about a fax. `fax` may be null.
core::Result<void> insert_notice(sql::Connection& connection, std::string_view event, const Fax* fax, std::string_view cause_code, std::string_view cause_text, core::Time now,
                                 std::string_view before = {});

}  // namespace store
