#include "fax/backoff.h"

#include <algorithm>

namespace fax {

namespace {
std::chrono::seconds doubled(std::chrono::seconds first, std::int64_t tries, std::chrono::seconds most) {
  for (; tries > 0 && first < most; --tries) first *= 2;
  return std::min(first, most);
}
}  // namespace

std::chrono::seconds retry_wait(std::chrono::seconds first, std::int64_t tries) { return std::max(first, doubled(first, tries, std::chrono::hours(6))); }
std::chrono::seconds fetch_wait(std::int64_t tries) { return doubled(std::chrono::seconds(10), tries, std::chrono::minutes(10)); }
std::chrono::seconds hold_wait(std::int64_t tries) { return doubled(std::chrono::seconds(30), tries, std::chrono::minutes(30)); }

}  // namespace fax
