#include <charconv>
#include <cstdlib>

#include "core/log.h"
#include "sql/database.h"
#include "sql/values.h"

namespace sql {

namespace {

[[noreturn]] void misread(std::string_view column, std::string_view why) {
  core::log(core::Level::error, "SQL column misread", {{"column", column}, {"why", why}});
  std::abort();
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

const Value& Row::at(std::string_view column) const {
  const auto found = columns_.find(column);
  if (found == columns_.end()) misread(column, "not in the answer");
  return found->second;
}

std::int64_t Row::int64(std::string_view column) const {
  const auto& value = at(column);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) misread(column, "NULL read as a number");
  const auto number = whole_number(*text);
  if (!number) misread(column, "text read as a number");
  return *number;
}

const std::string& Row::text(std::string_view column) const {
  const auto* value = std::get_if<std::string>(&at(column));
  if (value == nullptr) misread(column, "NULL or a number read as text");
  return *value;
}

std::optional<std::int64_t> Row::optional_int64(std::string_view column) const {
  if (std::holds_alternative<std::nullptr_t>(at(column))) return std::nullopt;
  return int64(column);
}

std::optional<std::string> Row::optional_text(std::string_view column) const {
  if (std::holds_alternative<std::nullptr_t>(at(column))) return std::nullopt;
  return text(column);
}

std::optional<core::Time> Row::optional_time(std::string_view column) const {
  const auto ms = optional_int64(column);
  return ms ? std::optional(core::from_ms(*ms)) : std::nullopt;
}

}  // namespace sql
