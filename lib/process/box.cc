#include "process/box.h"

#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"

#include "process/find.h"

namespace process {

namespace {

constexpr std::string_view kNoBoxHint =
    "Documents cannot be looked at safely here: the program bwrap could not make its box. It needs user, mount and network "
    "namespaces: allow them (sysctl kernel.unprivileged_userns_clone=1, and no RestrictNamespaces= in the unit), and run Faxline "
    "neither in a plain chroot nor in a container without them.";

// Above the numbers of input and outputs, as run() asks for.
core::Result<core::UniqueFd> passable(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return core::errno_error("duplicate", "descriptor", errno);
  return core::UniqueFd(copy);
}

// What bwrap(1) says about itself goes into a file in memory; the program's own words stay apart.
core::Result<core::UniqueFd> status_file() {
  const core::UniqueFd low(::memfd_create("box-status", MFD_CLOEXEC));
  if (!low.valid()) return core::errno_error("create", "box status", errno);
  return passable(low.get());
}

void add(std::vector<std::string>& list, std::initializer_list<std::string> more) { list.insert(list.end(), more); }

// Without /proc: mounting one is refused to units that protect the kernel's tunables.
std::vector<std::string> frame(const Box& box) {
  return {"bwrap",     "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
          "--setenv",  "PATH",          "/usr/bin:/bin",     "--setenv",      "HOME",
          "/work",     "--setenv",      "TMPDIR",            "/work",         "--ro-bind",
          "/usr",      "/usr",          "--symlink",         "usr/lib",       "/lib",
          "--symlink", "usr/lib64",     "/lib64",            "--symlink",     "usr/bin",
          "/bin",      "--symlink",     "usr/sbin",          "/sbin",         "--dev",
          "/dev",      "--size",        std::to_string(box.work_bytes),       "--tmpfs",
          "/work",     "--chdir",       "/work"};
}

core::Result<void> add_input(const BoxInput& input, std::vector<std::string>& arguments, std::vector<core::UniqueFd>& opened) {
  struct stat found{};
  if (::fstat(input.fd, &found) != 0) return core::errno_error("fstat", input.inside, errno);
  if (!S_ISREG(found.st_mode)) return core::Error{.code = core::Code::bad_request, .text = "box input " + input.inside + ": no regular file"};
  // A descriptor of its own: the caller's may be written to, and its position is the caller's.
  CORE_TRY(low, core::open_file("/proc/self/fd/" + std::to_string(input.fd), O_RDONLY));
  CORE_TRY(fd, passable(low.get()));
  const std::string number = std::to_string(fd.get());
  // A file without a name cannot be bound; it is copied into memory.
  if (found.st_nlink == 0)
    add(arguments, {"--ro-bind-data", number, input.inside});
  else
    add(arguments, {"--ro-bind", "/proc/self/fd/" + number, input.inside});
  opened.push_back(std::move(fd));
  return {};
}

void add_environment(const std::vector<std::string>& environment, std::vector<std::string>& arguments) {
  for (const std::string& entry : environment) {
    const auto equals = entry.find('=');
    if (equals != std::string::npos) add(arguments, {"--setenv", entry.substr(0, equals), entry.substr(equals + 1)});
  }
}

// bwrap writes "exit-code" only once the program itself was started and has ended.
bool program_ran(int status_fd) {
  char text[1024];
  const ssize_t count = ::pread(status_fd, text, sizeof text, 0);
  return count > 0 && std::string_view(text, static_cast<std::size_t>(count)).find("\"exit-code\"") != std::string_view::npos;
}

core::Error no_box(const std::string& name, const Outcome& outcome) {
  if (outcome.error_output.find("bwrap: execvp") != std::string::npos) return not_installed(name);
  return {.code = core::Code::unavailable, .text = "box for " + name + ": " + outcome.error_output.substr(0, 500), .hint = std::string(kNoBoxHint)};
}

}  // namespace

core::Result<Outcome> run_in_box(const Program& program, const Box& box) {
  if (program.arguments.empty()) return core::Error{.code = core::Code::bad_request, .text = "box: no program given"};
  const std::string& name = program.arguments[0];
  if (find(name).empty()) return not_installed(name);

  std::vector<core::UniqueFd> opened;
  Program boxed{.arguments = frame(box), .stdin_fd = program.stdin_fd, .stdout_fd = program.stdout_fd, .limits = program.limits};
  for (const std::string& path : box.read_only) add(boxed.arguments, {"--ro-bind-try", path, path});
  for (const BoxInput& input : box.inputs) CORE_CHECK(add_input(input, boxed.arguments, opened));
  if (!box.output_folder.empty()) add(boxed.arguments, {"--bind", box.output_folder, "/output"});
  add_environment(program.environment, boxed.arguments);
  CORE_TRY(status, status_file());
  add(boxed.arguments, {"--json-status-fd", std::to_string(status.get()), "--"});
  // Outside, the limit would count what else this account runs, and keep bwrap from starting.
  boxed.limits.processes = 0;
  if (program.limits.processes > 0) add(boxed.arguments, {"prlimit", "--nproc=" + std::to_string(program.limits.processes), "--"});
  boxed.arguments.insert(boxed.arguments.end(), program.arguments.begin(), program.arguments.end());
  boxed.passed_fds.push_back(status.get());
  for (const core::UniqueFd& fd : opened) boxed.passed_fds.push_back(fd.get());

  CORE_TRY(outcome, run(boxed));
  if (!outcome.timed_out && outcome.signal == 0 && !program_ran(status.get())) return no_box(name, outcome);
  return outcome;
}

core::Result<void> check_box() {
  CORE_TRY(outcome, run_in_box({.arguments = {"true"}, .limits = {.wall_time = std::chrono::seconds(20)}}, {}));
  if (!outcome.succeeded()) return no_box("true", outcome);
  return {};
}

}  // namespace process
