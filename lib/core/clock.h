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

  // Since the machine was started, its sleep included: what now() would go by if nobody ever set it. A clock that does
  // not say otherwise is never set, and right.
  virtual Milliseconds since_boot() const { return now().time_since_epoch(); }

  // Which start of the machine since_boot() counts from: another text after each. Empty: not known.
  virtual std::string boot() const { return {}; }

  // Whether somebody who knows the time (NTP) has set now() since the machine was started. False may be because nobody
  // does on this machine, or because it may not be asked.
  virtual bool is_synchronised() const { return true; }
};

// The machine's clock. Synchronised is: the kernel says so (adjtimex(2), STA_UNSYNC), or systemd-timesyncd(8) has left its
// mark, /run/systemd/timesync/synchronized.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  Milliseconds since_boot() const override;  // CLOCK_BOOTTIME
  std::string boot() const override;         // /proc/sys/kernel/random/boot_id
  bool is_synchronised() const override;
};

// A clock that stands until it is told to move: for tests. advance() is time that goes by, set() is somebody who sets it.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time start) : now_(start) {}
  Time now() const override { return now_; }
  Milliseconds since_boot() const override { return since_boot_; }
  std::string boot() const override { return "boot" + std::to_string(boots_); }
  bool is_synchronised() const override { return synchronised_; }
  void set(Time time) { now_ = time; }
  void advance(Milliseconds step) { now_ += step, since_boot_ += step; }
  void start_machine(bool synchronised) { since_boot_ = Milliseconds(0), synchronised_ = synchronised, ++boots_; }
  void synchronise() { synchronised_ = true; }

 private:
  Time now_;
  Milliseconds since_boot_ = std::chrono::hours(24);
  bool synchronised_ = true;
  int boots_ = 1;
};

constexpr std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
constexpr Time from_ms(std::int64_t ms) { return Time(Milliseconds(ms)); }

// RFC 3339 in UTC with seconds: "2026-11-25T07:40:49Z".
std::string rfc3339(Time time);

// Reads RFC 3339 with any offset, fraction allowed; else bad_request. Also the
// ISO 8601 form of Twilio's JSON, which is a subset.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace core
