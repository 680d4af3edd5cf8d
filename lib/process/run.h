// Runs a program to its end, within limits, without a shell.
//
//   CORE_TRY(outcome, process::run({.arguments = {"qpdf", "--version"}, .limits = {.wall_time = 5s}}));
//   if (outcome.succeeded()) …
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace process {

// 0: not limited, except for wall_time and the captured bytes.
struct ProgramLimits {
  std::int64_t cpu_seconds = 0;
  std::int64_t address_space_bytes = 0;  // of each process
  std::int64_t file_bytes = 0;           // of each file written; beyond it SIGXFSZ
  std::int64_t processes = 0;            // of the account, see setrlimit(2); root is not bound by it
  std::chrono::milliseconds wall_time{60'000};
  std::size_t output_bytes = 65536;      // captured of each of the two outputs; more is read and dropped
};

struct Program {
  // The program first: a path, or a name that is looked for in /usr/bin and /bin alone.
  std::vector<std::string> arguments;
  // All of its environment, "NAME=value"; a PATH is put before it, nothing is inherited.
  std::vector<std::string> environment = {};
  std::string working_folder = "/";
  int stdin_fd = -1;                     // borrowed; -1: an empty input
  int stdout_fd = -1;                    // borrowed; -1: captured
  std::vector<int> passed_fds = {};      // borrowed, above 2, open under the same numbers there; no others are
  ProgramLimits limits = {};
};

struct Outcome {
  int exit_status = -1;                  // -1 if it ended by a signal
  int signal = 0;                        // 0 if it exited by itself
  bool timed_out = false;                // killed for its wall_time; `signal` is SIGKILL then
  bool output_was_cut = false;           // one of the two was longer than output_bytes
  std::string output;
  std::string error_output;

  bool succeeded() const { return exit_status == 0; }
  // Ended for its time: wall, or CPU (SIGXCPU, SIGKILL), also if a program in between reports it as 128 + signal.
  bool out_of_time() const;
};

// Starts it in a process group of its own, waits, and kills what is left of the group; so it returns soon after
// wall_time at the latest, and the program ends with the calling thread. Signals are at their defaults in it, there is no
// core file. Safe in a program with threads. That the program failed is no error, but an Outcome.
// Errors: bad_request (no arguments), unavailable if there is no such program (with a hint that names it) or the machine
// has no room for another process; else as core::errno_error().
core::Result<Outcome> run(const Program& program);

}  // namespace process
