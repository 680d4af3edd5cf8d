// What every handler knows of the line it works for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"

namespace app {

struct Line {
  std::string number;                      // our own, E.164
  std::string provider;                    // sandbox, twilio, signalwire
  bool practice = false;
  std::string default_country = "US";
  std::vector<std::string> always_legal;   // numbers that nobody checks: our own, the practice numbers
  std::vector<std::string> sip_hosts;      // SIP_HOSTS
  std::int64_t max_fax_bytes = 52428800;
  std::chrono::seconds lifetime{72 * 3600};  // FAX_DEADLINE
  const core::Clock* clock = nullptr;
  std::function<void()> wake;              // tells the queue of work; never fails
};

// Our own number, and in practice the sandbox's test numbers.
std::vector<std::string> legal_numbers(const std::string& own, bool practice);

}  // namespace app
