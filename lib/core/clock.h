// Time as Faxline keeps it: whole milliseconds since 1970 in UTC (the unit of
// every column `…_ms` and of every deadline), asked through a Clock so that a
// test can set it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace core {

using Milliseconds = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// A clock that stands until it is told to move: for tests.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time start) : now_(start) {}
  Time now() const override { return now_; }
  void set(Time time) { now_ = time; }
  void advance(Milliseconds step) { now_ += step; }

 private:
  Time now_;
};

constexpr std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
constexpr Time from_ms(std::int64_t ms) { return Time(Milliseconds(ms)); }

// RFC 3339 in UTC with seconds: "2026-11-25T07:40:49Z".
std::string rfc3339(Time time);

// Reads RFC 3339 with any offset, fraction allowed; else bad_request. Also the
// ISO 8601 form of Twilio's JSON, which is a subset.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace core
