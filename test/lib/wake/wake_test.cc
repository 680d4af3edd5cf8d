#include "wake/wake.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

TEST_CASE("a wake is heard, with its hint; nobody listening is no error") {
  char name[] = "/tmp/wake-test-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  const wake::Sender sender(folder + "/wake.sock");
  sender.send();
  CHECK_FALSE(sender.is_heard());
  {
    const auto receiver = wake::Receiver::bind(folder + "/wake.sock").value();
    CHECK(sender.is_heard());
    CHECK(receiver.wait(0ms).empty());
    CHECK(wake::Receiver::bind(folder + "/wake.sock").error().code == core::Code::settings);
    sender.send("a");
    sender.send();
    CHECK(receiver.wait(1000ms) == std::vector<std::string>{"a", ""});
    for (int i = 0; i < 5000; ++i) sender.send("full");
    CHECK_FALSE(receiver.wait(0ms).empty());
  }
  sender.send();
  CHECK_FALSE(sender.is_heard());  // the file alone is nobody
  CHECK_FALSE(wake::Sender("/tmp/" + std::string(200, 'a')).is_heard());
  CHECK(wake::Receiver::bind(folder + "/wake.sock"));
  CHECK(wake::Receiver::bind("/tmp/" + std::string(200, 'a')).error().code == core::Code::settings);
  CHECK_FALSE(wake::Receiver::bind("/nowhere/wake.sock"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("what was sent before a start is heard after it, where systemd keeps the socket") {
  char name[] = "/tmp/wake-test-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  const auto path = folder + "/wake.sock";
  const pid_t child = ::fork();
  if (child == 0) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int kept = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    if (::bind(kept, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) != 0) ::_exit(1);
    wake::Sender(path).send("before");
    ::dup2(kept, 3);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    if (const auto receiver = wake::Receiver::bind(path); receiver && receiver->wait(1000ms) == std::vector<std::string>{"before"}) ::_exit(0);
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  std::filesystem::remove_all(folder);
}
