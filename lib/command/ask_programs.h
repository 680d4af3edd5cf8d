// Whether FastCGI programs take work at their sockets. A socket that systemd holds for a program that does not run takes
// connections all the same: each is asked for a value (FastCGI Specification 1.0, section 4.1, FCGI_GET_VALUES), which
// libfcgi answers before any request of ours.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace command {

// Those of `sockets` (paths) where nobody answered within `patience`; all are asked at once.
std::vector<std::string> silent_programs(const std::vector<std::string>& sockets, std::chrono::milliseconds patience);

}  // namespace command
