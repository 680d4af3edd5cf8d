// Whether the programs behind nginx answer. Systemd holds their sockets, so that one can be connected with though nobody
// is there.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace command {

enum class Answers {
  closed,  // nobody listens at the socket, or this user may not ask there
  silent,  // it is open, and no answer came in time: the program ends again and again, or hangs
  away,    // it answers 503: it cannot start, and its log says why
  yes,
};

// Asks all of them at once, as nginx does (FastCGI), for "/"; in the order of `sockets`. Takes `patience` at most, which
// should be longer than a unit's RestartSec, 2 s.
std::vector<Answers> ask_programs(std::span<const std::string> sockets, std::chrono::milliseconds patience);

}  // namespace command
