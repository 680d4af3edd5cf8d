// The least that the practice provider has to know of a PDF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"

namespace sandbox {

// True if the file begins (within 1024 bytes, as readers allow) with "%PDF-". Errors as core::errno_error() gives.
core::Result<bool> is_pdf(const std::string& path);

// Counts the page objects. Empty if it cannot tell: objects in compressed streams, no page, a file that cannot be read.
// Pages that an incremental update took away count too: good for practice only.
std::optional<std::int64_t> count_pages(const std::string& path);

}  // namespace sandbox
