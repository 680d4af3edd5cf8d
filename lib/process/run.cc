#include "process/run.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fd.h"

#include "process/find.h"

namespace process {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kPath = "PATH=/usr/bin:/bin";

// All that the child needs, made before fork(2): after it, in a program with threads, memory must not be asked for.
struct Plan {
  std::string path = {};
  std::vector<char*> arguments = {};
  std::vector<char*> environment = {};
  const char* working_folder = nullptr;
  std::array<int, 3> standard_fds{};
  std::vector<int> passed_fds = {};
  ProgramLimits limits = {};
  int report_fd = -1;
  pid_t parent = 0;
};

[[noreturn]] void report_and_exit(const Plan& plan) {
  const int reason = errno;
  // The parent takes a report that is missing for a start that worked, and then sees this status.
  [[maybe_unused]] const ssize_t written = ::write(plan.report_fd, &reason, sizeof reason);
  ::_exit(127);
}

bool limit(__rlimit_resource resource, std::int64_t value) {
  if (value <= 0) return true;
  const rlimit both{.rlim_cur = static_cast<rlim_t>(value), .rlim_max = static_cast<rlim_t>(value)};
  return ::setrlimit(resource, &both) == 0;
}

bool limit_all(const ProgramLimits& limits) {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  // One second between the signal that can be told apart and the one that cannot be caught.
  const auto cpu = static_cast<rlim_t>(limits.cpu_seconds);
  const rlimit cpu_limit{.rlim_cur = cpu, .rlim_max = cpu + 1};
  return (limits.cpu_seconds <= 0 || ::setrlimit(RLIMIT_CPU, &cpu_limit) == 0) && limit(RLIMIT_AS, limits.address_space_bytes) &&
         limit(RLIMIT_FSIZE, limits.file_bytes) && limit(RLIMIT_NPROC, limits.processes) && ::setrlimit(RLIMIT_CORE, &none) == 0;
}

// In the child; only calls that are safe after fork(2) in a program with threads (signal-safety(7)).
[[noreturn]] void become(const Plan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  for (int fd = 0; fd < 3; ++fd)
    if (::dup2(plan.standard_fds[static_cast<std::size_t>(fd)], fd) < 0) report_and_exit(plan);
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  for (const int fd : plan.passed_fds)
    if (::fcntl(fd, F_SETFD, 0) < 0) report_and_exit(plan);
  if (::chdir(plan.working_folder) != 0 || !limit_all(plan.limits)) report_and_exit(plan);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.path.c_str(), plan.arguments.data(), plan.environment.data());
  report_and_exit(plan);
}

// Never 0, 1 or 2: dup2() above would overwrite one with another.
core::Result<core::UniqueFd> above_standard(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return core::errno_error("duplicate", "descriptor", errno);
  return core::UniqueFd(copy);
}

struct Pipe {
  core::UniqueFd reading;
  core::UniqueFd writing;
};

core::Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return core::errno_error("pipe", "", errno);
  core::UniqueFd reading(ends[0]), writing(ends[1]);
  CORE_TRY(high_reading, above_standard(reading.get()));
  CORE_TRY(high_writing, above_standard(writing.get()));
  return Pipe{.reading = std::move(high_reading), .writing = std::move(high_writing)};
}

// One output, read until its end.
struct Capture {
  core::UniqueFd fd;
  std::string* into = nullptr;

  void take(std::size_t most, bool& was_cut) {
    std::array<char, 16384> buffer{};
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) return fd.reset();
    const auto room = std::min(static_cast<std::size_t>(count), most - std::min(most, into->size()));
    into->append(buffer.data(), room);
    if (room < static_cast<std::size_t>(count)) was_cut = true;
  }
};

class Child {
 public:
  explicit Child(pid_t id) : id_(id), fd_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill_group();
    reap();
  }

  int fd() const { return fd_.get(); }

  // Only before reap(): until then nobody else can have this number.
  void kill_group() const {
    if (!reaped_) ::kill(-id_, SIGKILL);
  }

  int reap() {
    if (reaped_) return status_;
    while (::waitpid(id_, &status_, 0) < 0 && errno == EINTR) {}
    reaped_ = true;
    return status_;
  }

 private:
  pid_t id_;
  core::UniqueFd fd_;
  int status_ = 0;
  bool reaped_ = false;
};

int milliseconds_until(SteadyClock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

// Reads the outputs until the child has ended, or the time has. True: it ended by itself.
bool watch(const Child& child, std::array<Capture, 2>& captures, const ProgramLimits& limits, bool& was_cut) {
  const auto end = SteadyClock::now() + limits.wall_time;
  for (;;) {
    pollfd waiting[3] = {{.fd = child.fd(), .events = POLLIN, .revents = 0},
                         {.fd = captures[0].fd.get(), .events = POLLIN, .revents = 0},
                         {.fd = captures[1].fd.get(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waiting, 3, milliseconds_until(end));
    for (std::size_t i = 0; ready > 0 && i < 2; ++i)
      if (waiting[i + 1].revents != 0) captures[i].take(limits.output_bytes, was_cut);
    if (ready > 0 && waiting[0].revents != 0) return true;
    if (SteadyClock::now() >= end) return false;
  }
}

// What is in the pipes already. Nobody writes any more, but for one who left the group: for him nobody waits.
void drain(std::array<Capture, 2>& captures, std::size_t most, bool& was_cut) {
  for (Capture& capture : captures) {
    if (!capture.fd.valid()) continue;
    ::fcntl(capture.fd.get(), F_SETFL, O_NONBLOCK);
    for (int block = 0; capture.fd.valid() && block < 64; ++block) capture.take(most, was_cut);
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

core::Error cannot_start(const std::string& name, int reason) {
  if (reason == ENOENT || reason == EACCES) return not_installed(name);
  return core::errno_error("start", name, reason);
}

core::Result<pid_t> start(const Plan& plan, const std::string& name, core::UniqueFd& report) {
  // No handler of ours may run in the child before it has reset them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t id = ::fork();
  const int reason = errno;
  if (id == 0) become(plan);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (id < 0) return core::errno_error("fork for", name, reason);
  ::setpgid(id, id);
  report.reset();
  return id;
}

}  // namespace

bool Outcome::out_of_time() const {
  return timed_out || signal == SIGXCPU || signal == SIGKILL || exit_status == 128 + SIGXCPU || exit_status == 128 + SIGKILL;
}

core::Result<Outcome> run(const Program& program) {
  if (program.arguments.empty() || program.arguments[0].empty()) return core::Error{.code = core::Code::bad_request, .text = "run: no program given"};
  const std::string& name = program.arguments[0];
  Plan plan{.working_folder = program.working_folder.c_str(), .passed_fds = program.passed_fds, .limits = program.limits, .parent = ::getpid()};
  plan.path = find(name);
  if (plan.path.empty()) return not_installed(name);
  if (::access(plan.working_folder, X_OK) != 0) return core::errno_error("enter folder", program.working_folder, errno);

  std::vector<std::string> arguments = program.arguments;
  std::vector<std::string> environment{std::string(kPath)};
  environment.insert(environment.end(), program.environment.begin(), program.environment.end());
  plan.arguments = pointers(arguments);
  plan.environment = pointers(environment);

  core::UniqueFd nothing;
  if (program.stdin_fd < 0) {
    CORE_TRY(null, core::open_file("/dev/null", O_RDONLY));
    nothing = std::move(null);
  }
  CORE_TRY(input, above_standard(program.stdin_fd < 0 ? nothing.get() : program.stdin_fd));
  CORE_TRY(output, make_pipe());
  CORE_TRY(error_output, make_pipe());
  CORE_TRY(report, make_pipe());
  if (program.stdout_fd >= 0) {
    CORE_TRY(given, above_standard(program.stdout_fd));
    output.writing = std::move(given);
    output.reading.reset();
  }
  plan.standard_fds = {input.get(), output.writing.get(), error_output.writing.get()};
  plan.report_fd = report.writing.get();

  CORE_TRY(id, start(plan, name, report.writing));
  Child child(id);
  output.writing.reset();
  error_output.writing.reset();
  if (child.fd() < 0) return core::errno_error("watch", name, errno);

  int failed = 0;
  ssize_t reported = 0;
  while ((reported = ::read(report.reading.get(), &failed, sizeof failed)) < 0 && errno == EINTR) {}
  if (reported == static_cast<ssize_t>(sizeof failed)) return cannot_start(name, failed);

  Outcome outcome;
  std::array<Capture, 2> captures{Capture{std::move(output.reading), &outcome.output}, Capture{std::move(error_output.reading), &outcome.error_output}};
  outcome.timed_out = !watch(child, captures, program.limits, outcome.output_was_cut);
  child.kill_group();
  const int status = child.reap();
  drain(captures, program.limits.output_bytes, outcome.output_was_cut);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
  return outcome;
}

}  // namespace process
