#include <doctest/doctest.h>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "core/fd.h"
#include "process/box.h"

namespace {

process::Outcome shell(const std::string& script, process::Limits limits = {}, std::vector<process::Passed> passed = {}) {
  return process::run({{"/bin/sh", "-c", script}, {"PATH=/usr/bin"}, limits, std::move(passed), -1, 65536}).value();
}

}  // namespace

TEST_CASE("a program runs, with its output, its status, and nothing of ours") {
  ::setenv("SECRET", "x", 1);
  const auto done = shell("echo out; echo err >&2; echo [$SECRET]; exit 3");
  CHECK(done.exit_status == 3);
  CHECK(done.output == "out\n[]\n");
  CHECK(done.error_output == "err\n");
  const auto ours = core::open_file("/etc/hostname", O_RDONLY);
  REQUIRE(::dup2(ours->get(), 57) == 57);
  CHECK(shell("ls /proc/self/fd | tr '\\n' ' '").output == "0 1 2 3 ");
  ::close(57);
  CHECK(shell("cat", {}, {}).output.empty());
}

TEST_CASE("standard input is the file that is given, from where it stands") {
  const auto file = core::open_file("/etc/hostname", O_RDONLY);
  char first = 0;
  REQUIRE(::read(file->get(), &first, 1) == 1);
  process::Program program;
  program.arguments = {"/bin/cat"};
  program.input_fd = file->get();
  const auto done = process::run(program).value();
  CHECK(first + done.output == core::read_file("/etc/hostname", 1000).value());
}

TEST_CASE("what is passed is there under its number") {
  const auto file = core::open_file("/etc/hostname", O_RDONLY);
  CHECK(shell("cat <&5 | wc -l", {}, {{file->get(), 5}}).output == "1\n");
}

TEST_CASE("time, memory and output have an end") {
  process::Limits limits;
  limits.wall = std::chrono::milliseconds(300);
  const auto late = shell("sleep 30 & sleep 30", limits);
  CHECK(late.timed_out);
  CHECK(shell("yes | head -c 1000000").output.size() == 65536);
  limits = {};
  limits.file_bytes = 1024;
  CHECK(shell("head -c 100000 /dev/zero > /tmp/process-test-file", limits).exit_status != 0);
  ::unlink("/tmp/process-test-file");
  CHECK(shell("kill -9 $$").signal == 9);
  CHECK(process::run({{"/nowhere/at/all"}, {}, {}, {}, -1, 10}).error().code == core::Code::not_found);
}

TEST_CASE("an EINTR of before does not make a program late") {
  process::Limits limits;
  limits.wall = std::chrono::milliseconds(5000);
  errno = EINTR;
  const auto done = process::run({{"/bin/true"}, {}, limits, {}, -1, 10}).value();
  CHECK_FALSE(done.timed_out);
  CHECK(done.exit_status == 0);
}

TEST_CASE("signals are at their defaults in it, whatever is ignored or blocked here") {
  const auto before = std::signal(SIGTERM, SIG_IGN);
  CHECK(shell("kill -TERM $$; echo alive").signal == SIGTERM);
  std::signal(SIGTERM, before);
  sigset_t blocked, mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &mask) == 0);
  CHECK(shell("kill -TERM $$; echo alive").signal == SIGTERM);
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &mask, &after);
  CHECK(sigismember(&after, SIGTERM) == 1);
}

TEST_CASE("in the box: its files, no others, no network, no /proc") {
  std::ofstream("/tmp/process-test-in") << "inside";
  const auto file = core::open_file("/tmp/process-test-in", O_RDONLY);
  const auto box = [&](const std::string& script) {
    const auto done = process::run_in_box({{"/usr/bin/sh", "-c", script}, {}, {file->get()}, -1});
    REQUIRE(done);
    return done->output;
  };
  CHECK(box("cat /work/0") == "inside");
  CHECK(box("echo x > /work/0; cat /work/0") == "inside");
  CHECK(box("ls / | tr '\\n' ' '") == "bin dev lib lib64 usr work ");
  CHECK(box("ls /proc 2>&1 | head -1").find("No such file") != std::string::npos);
  CHECK(box("cat /etc/passwd 2>/dev/null; echo $?") == "1\n");
  CHECK(box("exit 7").empty());
  ::unlink("/tmp/process-test-in");
}
