// Private to the module: room on the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace spool {

inline constexpr std::string_view kNoSpaceHint = "There is no room left for documents here. The administrator can make some, or lower the retention.";

// no_space if `bytes` more on the disk of `folder` would leave less than `reserve_bytes` to users without privileges.
core::Result<void> check_space(const std::string& folder, std::int64_t bytes, std::int64_t reserve_bytes);

}  // namespace spool
