#include "process/run.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "core/fd.h"

using namespace process;
using namespace std::chrono_literals;

namespace {

Program shell(const std::string& script, ProgramLimits limits = {}) {
  return {.arguments = {"sh", "-c", script}, .limits = limits};
}

Outcome ran(const Program& program) {
  auto outcome = run(program);
  REQUIRE(outcome.has_value());
  return *outcome;
}

bool gone(pid_t id) { return ::kill(id, 0) != 0 && errno == ESRCH; }

}  // namespace

TEST_CASE("a program runs to its end, and its words are kept") {
  const Outcome outcome = ran(shell("echo out; echo err >&2; exit 3"));
  CHECK(outcome.exit_status == 3);
  CHECK(outcome.signal == 0);
  CHECK_FALSE(outcome.timed_out);
  CHECK_FALSE(outcome.succeeded());
  CHECK_FALSE(outcome.out_of_time());
  CHECK(outcome.output == "out\n");
  CHECK(outcome.error_output == "err\n");
  CHECK(ran({.arguments = {"true"}}).succeeded());
  CHECK(ran({.arguments = {"/bin/true"}}).succeeded());
}

TEST_CASE("arguments arrive as they are: there is no shell in between") {
  const std::string nasty = "a b; $(id) `id` 'x' \"y\" \n*";
  CHECK(ran({.arguments = {"printf", "%s", nasty}}).output == nasty);
}

TEST_CASE("the environment is what is given, and a fixed PATH") {
  ::setenv("FAXLINE_TEST_SECRET", "secret", 1);
  const Outcome outcome = ran({.arguments = {"env"}, .environment = {"ONE=1"}});
  CHECK(outcome.output == "PATH=/usr/bin:/bin\nONE=1\n");
  ::unsetenv("FAXLINE_TEST_SECRET");
}

TEST_CASE("it works in its folder, and reads nothing unless it is given something") {
  CHECK(ran({.arguments = {"pwd"}}).output == "/\n");
  CHECK(ran({.arguments = {"pwd"}, .working_folder = "/usr"}).output == "/usr\n");
  CHECK(run({.arguments = {"pwd"}, .working_folder = "/missing"}).error().code == core::Code::not_found);
  CHECK(ran({.arguments = {"cat"}}).output.empty());
  const core::UniqueFd file(::memfd_create("input", MFD_CLOEXEC));
  REQUIRE(core::write_all(file.get(), "given", "input").has_value());
  REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  CHECK(ran({.arguments = {"cat"}, .stdin_fd = file.get()}).output == "given");
}

TEST_CASE("output can go to a file of the caller") {
  const core::UniqueFd file(::memfd_create("output", MFD_CLOEXEC));
  Program program = shell("echo to the file; echo to the log >&2");
  program.stdout_fd = file.get();
  const Outcome outcome = ran(program);
  CHECK(outcome.output.empty());
  CHECK(outcome.error_output == "to the log\n");
  char text[32];
  CHECK(::pread(file.get(), text, sizeof text, 0) == 12);
}

TEST_CASE("no descriptor leaks, but those that are passed") {
  const core::UniqueFd leak(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, as a library may do it
  const core::UniqueFd high(::fcntl(leak.get(), F_DUPFD, 700));
  // The folder itself is open while it is listed.
  const std::string list = "for fd in /proc/self/fd/*; do n=${fd##*/}; [ -e /proc/$$/fd/$n ] && echo $n; done";
  CHECK(ran(shell(list)).output == "0\n1\n2\n");
  Program program = shell(list);
  program.passed_fds = {high.get()};
  CHECK(ran(program).output == "0\n1\n2\n" + std::to_string(high.get()) + "\n");
  program.passed_fds = {987};
  CHECK_FALSE(run(program).has_value());
}

TEST_CASE("output without end is cut, and does not block the program") {
  const Outcome outcome = ran(shell("head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2; exit 5", {.output_bytes = 1000}));
  CHECK(outcome.exit_status == 5);
  CHECK(outcome.output.size() == 1000);
  CHECK(outcome.error_output.size() == 1000);
  CHECK(outcome.output_was_cut);
  CHECK_FALSE(ran(shell("printf 1234", {.output_bytes = 4})).output_was_cut);
}

TEST_CASE("a time-out kills the program and its children") {
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = ran(shell("sleep 1000 & echo $!; sleep 1000", {.wall_time = 300ms}));
  CHECK(std::chrono::steady_clock::now() - start < 20s);
  CHECK(outcome.timed_out);
  CHECK(outcome.out_of_time());
  CHECK(outcome.signal == SIGKILL);
  CHECK(outcome.exit_status == -1);
  const pid_t child = std::stoi(outcome.output);
  // Whoever inherits the child reaps it soon; dead it is at once.
  for (int i = 0; i < 1000 && !gone(child); ++i) {
    char state = 0;
    auto text = core::read_file("/proc/" + std::to_string(child) + "/stat", 4096);
    if (!text) break;
    state = (*text)[text->rfind(')') + 2];
    if (state == 'Z' || state == 'X') break;
    std::this_thread::sleep_for(10ms);
    CHECK(i < 999);
  }
}

TEST_CASE("a child left behind, that holds the output open, keeps nobody waiting") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(ran(shell("sleep 1000 & echo done")).output == "done\n");
  CHECK(ran(shell("setsid sleep 30 & echo done")).output == "done\n");
  CHECK(std::chrono::steady_clock::now() - start < 20s);
}

TEST_CASE("limits: CPU time, memory, size of files, core") {
  const Outcome spinning = ran(shell("while :; do :; done", {.cpu_seconds = 1, .wall_time = 60s}));
  CHECK_FALSE(spinning.timed_out);
  CHECK(spinning.signal == SIGXCPU);
  CHECK(spinning.out_of_time());
  const Outcome hungry = ran({.arguments = {"dd", "if=/dev/zero", "of=/dev/null", "bs=512M", "count=1"}, .limits = {.address_space_bytes = 64 << 20}});
  CHECK(hungry.exit_status == 1);
  CHECK(ran(shell("ulimit -v; ulimit -f; ulimit -c; ulimit -p", {.address_space_bytes = 1 << 30, .file_bytes = 1 << 20, .processes = 123})).output ==
        "1048576\n2048\n0\n123\n");
}

TEST_CASE("signals are at their defaults in it") {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGPIPE, &ignore, &before) == 0);
  sigset_t blocked, mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &mask) == 0);
  CHECK(ran(shell("kill -PIPE $$; echo alive")).signal == SIGPIPE);
  CHECK(ran(shell("kill -TERM $$; echo alive")).signal == SIGTERM);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("what cannot be run says so") {
  CHECK(run({.arguments = {}}).error().code == core::Code::bad_request);
  CHECK(run({.arguments = {""}}).error().code == core::Code::bad_request);
  const auto missing = run({.arguments = {"no-such-program"}});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == core::Code::unavailable);
  CHECK(missing.error().hint.find("no-such-program") != std::string::npos);
  CHECK(run({.arguments = {"/etc/passwd"}}).error().code == core::Code::unavailable);
  CHECK_FALSE(run({.arguments = {"/usr"}}).has_value());
}

TEST_CASE("several threads run programs at once") {
  std::vector<std::string> answers(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < answers.size(); ++i)
    threads.emplace_back([&answers, i] {
      for (int round = 0; round < 5; ++round) {
        auto outcome = run({.arguments = {"printf", "%s", std::to_string(i)}});
        answers[i] += outcome ? outcome->output : "failed";
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK(answers[i] == std::string(5, static_cast<char>('0' + i)));
}
