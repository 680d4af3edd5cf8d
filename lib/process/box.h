// Runs a program that touches hostile bytes in a box (bubblewrap): no network, no files but those listed, no /proc, no
// other processes, an empty environment. The program sees
//
//   /usr (with /bin and /lib)   read only
//   /dev                        null, zero, random and the like
//   /work                       its folder, empty and in memory: HOME, TMPDIR and working folder
//   /output                     `output_folder`, the one place where it can leave something
//   what the Box lists          read only
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "process/run.h"

namespace process {

struct BoxInput {
  int fd = -1;         // borrowed, a regular file; what is seen is the whole file, wherever the descriptor stands
  std::string inside;  // absolute path in the box: "/input.pdf"
};

struct Box {
  std::vector<BoxInput> inputs = {};
  // Folders or files of the machine, seen under the same path if they are there: "/etc/fonts".
  std::vector<std::string> read_only = {};
  std::string output_folder = {};  // of this account; empty: none
  std::int64_t work_bytes = 64 << 20;  // the most that /work may hold
};

// As run(), in the box. `program.working_folder` and `passed_fds` are not looked at; limits.processes counts in the box.
// A program that a signal ended shows as exit status 128 + signal; out_of_time() knows.
// Errors besides run()'s: unavailable if there can be no box here, or the program is not installed: `hint` says the cure.
core::Result<Outcome> run_in_box(const Program& program, const Box& box);

// Tries the box with a program that does nothing: for the start of a daemon, and for the doctor. Errors as above.
core::Result<void> check_box();

}  // namespace process
