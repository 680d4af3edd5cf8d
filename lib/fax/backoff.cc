#include "fax/backoff.h"

#include <algorithm>

namespace fax {
namespace {

using std::chrono::seconds;

seconds doubled(seconds first, int times, seconds most) {
  seconds wait = std::clamp(first, seconds(1), most);
  for (int i = 0; i < times && wait < most; ++i) wait = std::min(wait * 2, most);
  return wait;
}

}  // namespace

seconds retry_wait(seconds base, int ends_so_far, double jitter) {
  const seconds wait = doubled(base, ends_so_far - 1, std::chrono::hours(6));
  const double factor = 0.9 + 0.2 * std::clamp(jitter, 0.0, 1.0);
  return std::max(seconds(1), std::chrono::round<seconds>(wait * factor));
}

seconds fetch_wait(int tries) { return doubled(seconds(10), tries - 1, std::chrono::minutes(10)); }

seconds hold_wait(int holds) { return doubled(seconds(30), holds - 1, std::chrono::minutes(30)); }

}  // namespace fax
