// Inside `sql` only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sql {

// The decimal number that is all of `text`; none for anything else, or beyond 64 bits.
std::optional<std::int64_t> whole_number(std::string_view text);

}  // namespace sql
