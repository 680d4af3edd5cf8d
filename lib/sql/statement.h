// A statement's text, made ready: one statement, its `:1`, `:2` … found. Inside `sql` only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sql {

struct StatementText {
  std::string text;                // each placeholder under a name of its own, in order
  std::vector<std::size_t> binds;  // for each of them: which of the caller's values, from 0
  bool changes_rows = false;       // INSERT, UPDATE, DELETE, REPLACE, or WITH … before one
};

// By its first word: INSERT, UPDATE, DELETE, REPLACE, or WITH, which may stand before one.
bool may_change_rows(std::string_view statement);

// `:1` may stand more than once. Quoted text, quoted names and comments are passed over.
// internal: none at all, a second statement behind `;`, a NUL, a placeholder of another kind than `:1`, one
// without a value, a value without one.
core::Result<StatementText> read_statement(std::string_view statement, std::size_t values);

// The beginning of the statement, for the log. Statements of ours hold no values.
std::string shortened(std::string_view statement);

}  // namespace sql
