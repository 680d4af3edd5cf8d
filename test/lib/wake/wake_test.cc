#include "wake/wake.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <unistd.h>

using namespace std::chrono_literals;

TEST_CASE("a wake is heard, with its hint; nobody listening is no error") {
  char name[] = "/tmp/wake-test-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  const wake::Sender sender(folder + "/wake.sock");
  sender.send();
  {
    const auto receiver = wake::Receiver::bind(folder + "/wake.sock").value();
    CHECK(receiver.wait(0ms).empty());
    CHECK(wake::Receiver::bind(folder + "/wake.sock").error().code == core::Code::settings);
    sender.send("a");
    sender.send();
    CHECK(receiver.wait(1000ms) == std::vector<std::string>{"a", ""});
    for (int i = 0; i < 5000; ++i) sender.send("full");
    CHECK_FALSE(receiver.wait(0ms).empty());
  }
  sender.send();
  CHECK(wake::Receiver::bind(folder + "/wake.sock"));
  CHECK(wake::Receiver::bind("/tmp/" + std::string(200, 'a')).error().code == core::Code::settings);
  CHECK_FALSE(wake::Receiver::bind("/nowhere/wake.sock"));
  std::filesystem::remove_all(folder);
}
