// Places where a test kills the process: the line must lose nothing and do nothing twice wherever it is cut off.
//
//   FAIL_POINT("queue.submit.intent_written");
//
// A name is module.step.moment: what has just been done, durably or not. lib/queue/README.md has a row for each ("The
// steps, and what a kill at each leaves"), test/system/test_crash.py a case; a test holds the three together.
//
// In the programs that people run a point is nothing at all. With -DFAXLINE_FAIL_POINTS (`make fail`) a point looks into
// the folder that FAXLINE_FAIL_POINT_FOLDER names, each time it is passed:
//
//   NAME     renamed to NAME.fired; then the process ends by SIGKILL, with nothing tidied up
//   NAME.n   (n from 2 to 9) renamed to NAME.n-1, and NAME.2 to NAME: the point fires when it is passed the n-th time
//
// The rename is what decides: of all threads and programs that pass an armed point at once, one dies. With it die, at that
// moment, the process groups that the file `groups` of that folder names, an id a line: what else is up of the line would
// go on with the work meanwhile.
#pragma once

#ifdef FAXLINE_FAIL_POINTS

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace core {

inline void fail_point(const char* name) {
  const char* folder = std::getenv("FAXLINE_FAIL_POINT_FOLDER");
  if (folder == nullptr) return;
  const std::string path = std::string(folder) + "/" + name;
  for (int n = 2; n <= 9; ++n)
    if (std::rename((path + "." + std::to_string(n)).c_str(), n == 2 ? path.c_str() : (path + "." + std::to_string(n - 1)).c_str()) == 0) return;
  if (std::rename(path.c_str(), (path + ".fired").c_str()) != 0) return;
  if (std::FILE* groups = std::fopen((std::string(folder) + "/groups").c_str(), "re"); groups != nullptr)
    for (int group = 0; std::fscanf(groups, "%d", &group) == 1;)
      if (group > 1 && group != ::getpgrp()) ::kill(-group, SIGKILL);
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

}  // namespace core

#define FAIL_POINT(name) ::core::fail_point(name)
#else
#define FAIL_POINT(name) static_cast<void>(0)
#endif
