#include "process/run.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fd.h"

namespace process {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  core::UniqueFd read;
  core::UniqueFd write;
};

core::Result<Pipe> new_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return core::errno_error("pipe2", "", errno);
  return Pipe{core::UniqueFd(ends[0]), core::UniqueFd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const auto& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

void limit(__rlimit_resource what, std::int64_t value) {
  const rlimit both{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  ::setrlimit(what, &both);
}

// Between fork and exec: nothing but system calls, since another thread may have held the allocator's lock.
[[noreturn]] void become(const Program& program, char* const* arguments, char* const* environment, int output, int error_output, int failure) {
  constexpr int kSafe = 100;  // above every number that is given out
  ::setpgid(0, 0);
  const int in = program.input_fd >= 0 ? ::fcntl(program.input_fd, F_DUPFD, kSafe) : ::open("/dev/null", O_RDONLY);
  const int out = ::fcntl(output, F_DUPFD, kSafe);
  const int err = ::fcntl(error_output, F_DUPFD, kSafe);
  const int fail = ::fcntl(failure, F_DUPFD_CLOEXEC, kSafe);
  std::array<int, 18> copies{};
  const std::size_t count = std::min(program.passed.size(), copies.size());
  for (std::size_t i = 0; i < count; ++i) copies[i] = ::fcntl(program.passed[i].fd, F_DUPFD, kSafe);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::close_range(3, kSafe - 1, 0);
  for (std::size_t i = 0; i < count; ++i) ::dup2(copies[i], program.passed[i].as);
  for (int fd = kSafe; fd < kSafe + 64; ++fd)
    if (fd != fail) ::close(fd);
  ::close_range(kSafe + 64, ~0U, 0);
  limit(RLIMIT_CPU, program.limits.cpu_seconds);
  limit(RLIMIT_AS, program.limits.address_space_bytes);
  limit(RLIMIT_FSIZE, program.limits.file_bytes);
  limit(RLIMIT_CORE, 0);
  // Handlers first, then the mask: none of ours may run in here.
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  const int reason = errno;
  (void)!::write(fail, &reason, sizeof reason);
  ::_exit(127);
}

// Reads both streams until they end or time is up. True: they ended.
bool collect(const Pipe& output, const Pipe& error_output, const Program& program, Clock::time_point end, Outcome& outcome) {
  std::array<pollfd, 2> streams{pollfd{output.read.get(), POLLIN, 0}, pollfd{error_output.read.get(), POLLIN, 0}};
  const std::array<std::string*, 2> texts{&outcome.output, &outcome.error_output};
  std::array<char, 4096> block{};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    if (::poll(streams.data(), streams.size(), static_cast<int>(std::min<long>(left, 1000))) < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      const ssize_t count = ::read(streams[i].fd, block.data(), block.size());
      // At the end of a stream errno says nothing: it may hold an EINTR of long ago.
      if (count == 0 || (count < 0 && errno != EINTR)) streams[i].fd = -1;
      if (count > 0) texts[i]->append(block.data(), std::min(static_cast<std::size_t>(count), program.output_bytes - std::min(program.output_bytes, texts[i]->size())));
    }
  }
  return true;
}

// Waits for the child until `end`; false: it still runs.
bool wait_for(pid_t child, Clock::time_point end, int& status) {
  for (;;) {
    const pid_t done = ::waitpid(child, &status, WNOHANG);
    if (done == child || (done < 0 && errno == ECHILD)) return true;
    if (Clock::now() >= end) return false;
    ::poll(nullptr, 0, 5);
  }
}

}  // namespace

core::Result<Outcome> run(const Program& program) {
  if (program.arguments.empty()) return core::Error{core::Code::internal, "process: no program"};
  CORE_TRY(output, new_pipe());
  CORE_TRY(error_output, new_pipe());
  CORE_TRY(failure, new_pipe());
  const auto arguments = pointers(program.arguments);
  const auto environment = pointers(program.environment);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  const int fork_errno = errno;
  if (child == 0) become(program, arguments.data(), environment.data(), program.output_fd >= 0 ? program.output_fd : output.write.get(), error_output.write.get(), failure.write.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return core::errno_error("fork", program.arguments[0], fork_errno);
  for (auto* pipe : {&output, &error_output, &failure}) pipe->write.reset();
  int reason = 0;
  const bool failed = ::read(failure.read.get(), &reason, sizeof reason) == static_cast<ssize_t>(sizeof reason);
  Outcome outcome;
  const auto end = Clock::now() + program.limits.wall;
  int status = 0;
  const bool ended = collect(output, error_output, program, end, outcome) && wait_for(child, end, status);
  // Whatever it left behind goes with it.
  ::kill(-child, SIGKILL);
  if (!ended) {
    outcome.timed_out = true;
    ::kill(child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (failed) return core::errno_error("execve", program.arguments[0], reason);
  if (WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
  else outcome.signal = WTERMSIG(status);
  return outcome;
}

}  // namespace process
