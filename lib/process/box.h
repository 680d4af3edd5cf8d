// A program in a box (bubblewrap): no network, no users, no /proc, nothing of the disk but /usr, read-only, and a work
// folder in memory that goes with it.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "process/run.h"

namespace process {

struct Boxed {
  std::vector<std::string> arguments;  // within the box; the first is an absolute path
  Limits limits;
  std::vector<int> files;              // regular files of ours, open for reading: inside /work/0, /work/1 …, in order, and the only ones it can reach
  int output_fd = -1;                  // where standard output goes; -1: into Outcome::output
};

// As run(). Besides: unavailable, with a hint that says the cure, if there can be no box here (bubblewrap
// is missing, or the kernel gives no namespaces): that is never the program's own failure.
core::Result<Outcome> run_in_box(const Boxed& boxed);

}  // namespace process
