// Whether one value is fit for its setting, and how it is shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/table.h"

namespace config {

// What is wrong with the value, as the end of a sentence that began with the
// setting's name ("must be a whole number from 1 to 65535"), or nothing.
std::optional<std::string> complaint(const Setting& setting, std::string_view value);

// The value as anybody may see it, fit or not: without the passwords of an address, and of a link the host alone (its path
// is often a password, too). "(set)" for a secret.
std::string shown(const Setting& setting, std::string_view value);

std::optional<std::int64_t> read_integer(std::string_view value);
std::optional<std::chrono::seconds> read_duration(std::string_view value);
std::optional<bool> read_flag(std::string_view value);
std::vector<std::string> read_list(std::string_view value);  // at commas, blanks trimmed

}  // namespace config
