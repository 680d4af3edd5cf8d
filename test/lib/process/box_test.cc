#include "process/box.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/fd.h"

using namespace process;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Where no box can be, there is nothing to test; it is said aloud.
bool no_box_here() {
  static const auto checked = check_box();
  if (!checked) MESSAGE("skipped: ", checked.error().text);
  return !checked;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "box-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path(const std::string& name = "") const { return path_ + "/" + name; }
  core::UniqueFd file(const std::string& name, const std::string& text) const {
    auto fd = core::open_file(path(name), O_RDWR | O_CREAT, 0600);
    REQUIRE(fd.has_value());
    REQUIRE(core::write_all(fd->get(), text, name).has_value());
    return std::move(*fd);
  }

 private:
  std::string path_;
};

Outcome boxed(const std::string& script, const Box& box = {}, ProgramLimits limits = {}) {
  auto outcome = run_in_box({.arguments = {"sh", "-c", script}, .environment = {"ONE=1"}, .limits = limits}, box);
  REQUIRE(outcome.has_value());
  return *outcome;
}

}  // namespace

TEST_CASE("in the box there is nothing but what is listed") {
  if (no_box_here()) return;
  CHECK(boxed("ls / | tr '\\n' ' '").output == "bin dev lib lib64 sbin usr work ");
  CHECK(boxed("ls -d /proc /etc /home /root /tmp 2>/dev/null").output.empty());
  CHECK(boxed("pwd; echo $HOME $TMPDIR $ONE $PATH").output == "/work\n/work /work 1 /usr/bin:/bin\n");
  CHECK(boxed("env | sort | cut -d= -f1 | tr '\\n' ' '").output == "HOME ONE PATH PWD TMPDIR ");
  CHECK(boxed("echo x > /usr/x").exit_status != 0);
  CHECK(boxed("echo x > /work/x && cat /work/x").output == "x\n");
}

TEST_CASE("there is no network in it") {
  if (no_box_here()) return;
  const Outcome outcome = boxed("test -e /sys && echo sys; bash -c 'exec 3<>/dev/tcp/127.0.0.1/9'");
  CHECK(outcome.exit_status != 0);
  CHECK(outcome.output.empty());
}

TEST_CASE("inputs are read only, whole, and wherever the descriptor stands") {
  if (no_box_here()) return;
  const Folder folder;
  const core::UniqueFd file = folder.file("secret-name", "content");
  const Box box{.inputs = {{.fd = file.get(), .inside = "/input"}}};
  CHECK(boxed("cat /input", box).output == "content");
  CHECK(boxed("echo x > /input", box).exit_status != 0);
  CHECK(::lseek(file.get(), 0, SEEK_CUR) == 7);

  REQUIRE(::unlink(folder.path("secret-name").c_str()) == 0);
  CHECK(boxed("cat /input", box).output == "content");

  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  const core::UniqueFd pipe(::open(folder.path("pipe").c_str(), O_RDONLY | O_NONBLOCK));
  CHECK(run_in_box({.arguments = {"true"}}, {.inputs = {{.fd = pipe.get(), .inside = "/input"}}}).error().code == core::Code::bad_request);
  CHECK_FALSE(run_in_box({.arguments = {"true"}}, {.inputs = {{.fd = -1, .inside = "/input"}}}).has_value());
}

TEST_CASE("it leaves something in its output folder, and nowhere else") {
  if (no_box_here()) return;
  const Folder folder;
  CHECK(boxed("echo result > /output/file", {.output_folder = folder.path()}).succeeded());
  CHECK(core::read_file(folder.path("file"), 100).value() == "result\n");
  CHECK(boxed("echo result > /output/file").exit_status != 0);
}

TEST_CASE("listed folders are seen, missing ones are passed over") {
  if (no_box_here()) return;
  const Folder folder;
  folder.file("font", "letters");
  const Outcome outcome = boxed("cat " + folder.path("font"), {.read_only = {folder.path(), "/no/such/folder"}});
  CHECK(outcome.output == "letters");
}

TEST_CASE("limits hold in it, and their end can be told from others") {
  if (no_box_here()) return;
  const Outcome asleep = boxed("sleep 1000", {}, {.wall_time = 500ms});
  CHECK(asleep.timed_out);
  CHECK(asleep.out_of_time());
  const Outcome spinning = boxed("while :; do :; done", {}, {.cpu_seconds = 1});
  CHECK_FALSE(spinning.timed_out);
  CHECK(spinning.out_of_time());
  CHECK(boxed("kill -TERM $$").exit_status == 128 + SIGTERM);
  CHECK(boxed("head -c 3000000 /dev/zero > /work/big", {.work_bytes = 1 << 20}).exit_status != 0);
  CHECK(boxed("ulimit -p", {}, {.processes = 33}).output == "33\n");
}

TEST_CASE("the program's failing is an outcome, the box's failing an error") {
  if (no_box_here()) return;
  CHECK(boxed("exit 1").exit_status == 1);
  CHECK(boxed("echo 'bwrap: pretends' >&2; exit 1").exit_status == 1);
  const auto missing = run_in_box({.arguments = {"no-such-program"}}, {});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == core::Code::unavailable);
  CHECK(missing.error().hint.find("no-such-program") != std::string::npos);
  const auto broken = run_in_box({.arguments = {"true"}}, {.output_folder = "/no/such/folder"});
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().code == core::Code::unavailable);
  CHECK(broken.error().text.find("/no/such/folder") != std::string::npos);
  CHECK_FALSE(broken.error().hint.empty());
  CHECK(run_in_box({.arguments = {}}, {}).error().code == core::Code::bad_request);
}
