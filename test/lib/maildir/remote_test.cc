#include "maildir/remote.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "core/log.h"
#include "maildir/name.h"

namespace {

// A folder with a Maildir, a file to deliver, and a service that runs.
struct Line {
  Line() {
    char name[] = "/tmp/remote-test-XXXXXX";
    folder = ::mkdtemp(name);
    REQUIRE(maildir::Maildir::create(folder + "/Maildir"));
    std::ofstream(folder + "/message") << "Subject: a fax\n\nbody\n";
    file = core::open_file(folder + "/message", O_RDONLY).value();
  }
  ~Line() {
    stop = true;
    if (thread.joinable()) thread.join();
    std::filesystem::remove_all(folder);
  }
  void serve(uid_t allowed = ::geteuid()) {
    auto bound = maildir::Service::bind(folder + "/socket", folder + "/Maildir", allowed);
    REQUIRE(bound);
    thread = std::thread([this, service = std::move(bound).value()] { service.run(stop); });
  }
  std::string folder;
  core::UniqueFd file;
  std::atomic<bool> stop = false;
  std::thread thread;
};

}  // namespace

TEST_CASE("a message goes over the socket into the Maildir, once") {
  core::LogCapture log;
  Line line;
  line.serve();
  const maildir::Remote remote(line.folder + "/socket");
  const auto name = maildir::new_name(core::SystemClock().now());
  const auto first = remote.deliver(name, line.file.get());
  REQUIRE(first);
  CHECK(*first == maildir::Delivery::delivered);
  const auto second = remote.deliver(name, line.file.get());
  REQUIRE(second);
  CHECK(*second == maildir::Delivery::already_there);
  CHECK(maildir::Maildir::open(line.folder + "/Maildir")->list()->size() == 1);
  CHECK(log.text().find("message delivered") != std::string::npos);
  struct stat status{};
  REQUIRE(::stat((line.folder + "/socket").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("what a crash left in tmp goes, in its time") {
  core::LogCapture log;
  Line line;
  const std::string folder = line.folder + "/Maildir/tmp/";
  std::filesystem::copy_file("/etc/hostname", folder + "young");
  std::filesystem::copy_file("/etc/hostname", folder + "old");
  const timespec two_days_ago{::time(nullptr) - 48 * 3600, 0};
  const timespec times[] = {two_days_ago, two_days_ago};
  REQUIRE(::utimensat(AT_FDCWD, (folder + "old").c_str(), times, 0) == 0);
  line.serve();
  // Answered after that.
  REQUIRE(maildir::Remote(line.folder + "/socket").deliver("1.a.host", line.file.get()));
  CHECK(std::filesystem::exists(folder + "young"));
  CHECK_FALSE(std::filesystem::exists(folder + "old"));
  CHECK(log.text().find("count=1") != std::string::npos);
}

TEST_CASE("nobody serves: unavailable, to be tried again") {
  Line line;
  const auto answer = maildir::Remote(line.folder + "/socket").deliver("1.a.host", line.file.get());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == core::Code::unavailable);
}

TEST_CASE("errors of the Maildir come over with code, text and hint") {
  core::LogCapture log;
  Line line;
  line.serve();
  std::filesystem::remove_all(line.folder + "/Maildir/new");
  const auto answer = maildir::Remote(line.folder + "/socket").deliver("1.a.host", line.file.get());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == core::Code::not_found);
  CHECK(answer.error().hint.find("Maildir") != std::string::npos);
  CHECK(log.text().find("message not delivered") != std::string::npos);
}

TEST_CASE("a second service does not take a live socket; a dead one is replaced") {
  Line line;
  line.serve();
  const auto second = maildir::Service::bind(line.folder + "/socket", line.folder + "/Maildir", ::geteuid());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == core::Code::conflict);
  line.stop = true;
  line.thread.join();
  CHECK(maildir::Service::bind(line.folder + "/socket", line.folder + "/Maildir", ::geteuid()));
}

TEST_CASE("a name that could leave the folder is refused before it is sent") {
  Line line;
  const auto answer = maildir::Remote(line.folder + "/socket").deliver("../x", line.file.get());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == core::Code::invalid);
}

TEST_CASE("what an earlier service was cut off from is removed from tmp at the start, once it is old") {
  core::LogCapture log;
  Line line;
  const auto put = [&](const std::string& name, long hours) {
    const auto path = line.folder + "/Maildir/tmp/" + name;
    std::ofstream(path) << "half a mess";
    const timespec past{::time(nullptr) - hours * 3600, 0};
    const timespec times[2] = {past, past};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  };
  put("old", 48);
  put("young", 12);
  line.serve();
  // It has been at work once it answers.
  REQUIRE(maildir::Remote(line.folder + "/socket").deliver(maildir::new_name(core::SystemClock().now()), line.file.get()));
  CHECK_FALSE(std::filesystem::exists(line.folder + "/Maildir/tmp/old"));
  CHECK(std::filesystem::exists(line.folder + "/Maildir/tmp/young"));
  CHECK(log.text().find("old temporary files of the mailbox removed") != std::string::npos);
}

TEST_CASE("whether a message could be delivered is asked without one, and leaves nothing") {
  Line line;
  const maildir::Remote remote(line.folder + "/socket");
  const auto nobody = remote.check();
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == core::Code::unavailable);
  CHECK(nobody.error().hint.find("faxline-deliver") != std::string::npos);
  line.serve();
  CHECK(remote.check());
  CHECK(std::filesystem::is_empty(line.folder + "/Maildir/tmp"));
  std::filesystem::rename(line.folder + "/Maildir/new", line.folder + "/Maildir/old");
  const auto missing = remote.check();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == core::Code::not_found);
  CHECK(missing.error().hint.find("There is no mailbox at") != std::string::npos);
  std::filesystem::rename(line.folder + "/Maildir/old", line.folder + "/Maildir/new");
  CHECK(remote.check());
}
