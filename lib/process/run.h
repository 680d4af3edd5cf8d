// Runs one program to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace process {

struct Limits {
  std::chrono::milliseconds wall{60'000};
  std::int64_t cpu_seconds = 30;
  std::int64_t address_space_bytes = std::int64_t{1} << 30;
  std::int64_t file_bytes = std::int64_t{256} << 20;
};

// A descriptor of ours that the program gets under another number.
struct Passed {
  int fd = -1;  // stays the caller's
  int as = 3;   // 3 to 20
};

struct Program {
  std::vector<std::string> arguments;    // the first is an absolute path
  std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
  Limits limits;
  std::vector<Passed> passed;
  int output_fd = -1;                    // where standard output goes; -1: into Outcome::output
  std::size_t output_bytes = 64 * 1024;  // of each stream that is kept; what is more is thrown away
  int input_fd = -1;                     // standard input, from where it stands; -1: /dev/null. Stays the caller's
};

struct Outcome {
  int exit_status = -1;  // -1: ended by a signal
  int signal = 0;
  bool timed_out = false;
  std::string output;
  std::string error_output;
};

// No other descriptor of ours gets in. On a time-out its whole process group is killed.
// However it ends is an Outcome. Errors: not_found (no such program), unavailable (no memory, no process).
core::Result<Outcome> run(const Program& program);

}  // namespace process
