// How long to wait before something is tried again. The first wait is that for `tries` 0.
#pragma once

#include <chrono>
#include <cstdint>

namespace fax {

std::chrono::seconds retry_wait(std::chrono::seconds first, std::int64_t tries);  // doubles, at most 6 h: another call to the receiver
std::chrono::seconds fetch_wait(std::int64_t tries);  // 10 s, doubling to 10 min: the provider or our own disk
std::chrono::seconds hold_wait(std::int64_t tries);   // 30 s, doubling to 30 min: 429 without Retry-After

}  // namespace fax
