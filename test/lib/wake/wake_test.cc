#include "wake/wake.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using namespace wake;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "wake-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path(const std::string& name = "wake") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Receiver bound(const std::string& path) {
  auto receiver = Receiver::bind(path);
  REQUIRE(receiver.has_value());
  return std::move(*receiver);
}

// A socket file as a killed process leaves it.
void leave_dead_socket(const std::string& path) {
  const core::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace

TEST_CASE("one that was sent wakes, once") {
  const Folder folder;
  const Receiver receiver = bound(folder.path());
  const Sender sender(folder.path());
  CHECK(receiver.wait(0ms).value() == Receiver::Woken::timed_out);
  CHECK(sender.send());
  CHECK(sender.send());
  CHECK(receiver.wait(10s).value() == Receiver::Woken::yes);
  CHECK(receiver.wait(0ms).value() == Receiver::Woken::timed_out);
}

TEST_CASE("one that comes during the wait ends it") {
  const Folder folder;
  const Receiver receiver = bound(folder.path());
  std::thread later([&folder] { Sender(folder.path()).send(); });
  CHECK(receiver.wait(10s).value() == Receiver::Woken::yes);
  later.join();
}

TEST_CASE("sending to nobody is no trouble") {
  const Folder folder;
  CHECK_FALSE(Sender(folder.path()).send());
  leave_dead_socket(folder.path());
  CHECK_FALSE(Sender(folder.path()).send());
  std::ofstream(folder.path("file")) << "text";
  CHECK_FALSE(Sender(folder.path("file")).send());
  CHECK_FALSE(Sender("").send());
  CHECK_FALSE(Sender(std::string(200, 'x')).send());
}

TEST_CASE("a full socket blocks nobody, and wakes all the same") {
  const Folder folder;
  const Receiver receiver = bound(folder.path());
  const Sender sender(folder.path());
  int taken = 0;
  while (taken < 100'000 && sender.send()) ++taken;
  CHECK(taken > 0);
  CHECK(taken < 100'000);
  CHECK(receiver.wait(0ms).value() == Receiver::Woken::yes);
  CHECK(receiver.wait(0ms).value() == Receiver::Woken::timed_out);
  CHECK(sender.send());
}

TEST_CASE("the descriptor can be polled and drained") {
  const Folder folder;
  const Receiver receiver = bound(folder.path());
  CHECK_FALSE(receiver.drain());
  Sender(folder.path()).send();
  pollfd waiting{.fd = receiver.fd(), .events = POLLIN, .revents = 0};
  CHECK(::poll(&waiting, 1, 10'000) == 1);
  CHECK(receiver.drain());
  CHECK_FALSE(receiver.drain());
}

TEST_CASE("the socket file: its mode, its life, its predecessor") {
  const Folder folder;
  const mode_t before = ::umask(0007);
  leave_dead_socket(folder.path());
  {
    const Receiver receiver = bound(folder.path());
    struct stat found{};
    REQUIRE(::stat(folder.path().c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0660);
    CHECK(Receiver::bind(folder.path()).error().code == core::Code::conflict);
    CHECK(Sender(folder.path()).send());
  }
  ::umask(before);
  CHECK_FALSE(fs::exists(folder.path()));
  std::ofstream(folder.path("file")) << "text";
  CHECK(Receiver::bind(folder.path("file")).error().code == core::Code::conflict);
  CHECK(fs::file_size(folder.path("file")) == 4);
  CHECK(Receiver::bind(folder.path("missing/wake")).error().code == core::Code::not_found);
  CHECK(Receiver::bind(folder.path(std::string(120, 'x'))).error().code == core::Code::settings);
}

TEST_CASE("a receiver moves with its socket") {
  const Folder folder;
  Receiver first = bound(folder.path());
  Receiver second = std::move(first);
  CHECK(Sender(folder.path()).send());
  CHECK(second.wait(10s).value() == Receiver::Woken::yes);
}
