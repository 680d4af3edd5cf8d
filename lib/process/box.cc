#include "process/box.h"

#include <unistd.h>

namespace process {

namespace {

constexpr const char* kBubblewrap = "/usr/bin/bwrap";
constexpr int kFirstFd = 3;

core::Error no_box(std::string_view reason) {
  return {core::Code::unavailable, "box: " + std::string(reason), "Documents cannot be looked at on this machine now: bubblewrap is missing, or it may make no namespaces. The administrator should install bubblewrap and allow user namespaces."};
}

// bubblewrap's own failures all begin with its name; the program's never do.
bool is_box_failure(const Outcome& outcome) { return outcome.exit_status != 0 && outcome.error_output.compare(0, 6, "bwrap:") == 0; }

}  // namespace

core::Result<Outcome> run_in_box(const Boxed& boxed) {
  if (::access(kBubblewrap, X_OK) != 0) return no_box("bubblewrap is not installed");
  Program program;
  program.arguments = {kBubblewrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/work", "--setenv", "LC_ALL", "C.UTF-8",
                       "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--dev", "/dev", "--tmpfs", "/work", "--chdir", "/work"};
  for (std::size_t i = 0; i < boxed.files.size(); ++i) {
    const int inside = kFirstFd + static_cast<int>(i);
    program.passed.push_back({boxed.files[i], inside});
    // The descriptor, not the path: whatever happens to the name meanwhile.
    program.arguments.insert(program.arguments.end(), {"--ro-bind", "/proc/self/fd/" + std::to_string(inside), "/work/" + std::to_string(i)});
  }
  program.arguments.insert(program.arguments.end(), boxed.arguments.begin(), boxed.arguments.end());
  program.limits = boxed.limits;
  program.output_fd = boxed.output_fd;
  CORE_TRY(outcome, run(program));
  if (is_box_failure(outcome)) return no_box(outcome.error_output.substr(0, 200));
  return outcome;
}

}  // namespace process
