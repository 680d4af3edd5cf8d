#include "maildir/maildir.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/fd.h"

#include "maildir/name.h"

using namespace maildir;
namespace fs = std::filesystem;

namespace {

class Sandbox {
 public:
  Sandbox() {
    std::string pattern = (fs::temp_directory_path() / "maildir-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Sandbox() { fs::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string mailbox() const { return path("Maildir"); }
  core::UniqueFd file(const std::string& text) const {
    auto fd = core::open_file(path("source"), O_RDWR | O_CREAT | O_TRUNC);
    REQUIRE(fd.has_value());
    REQUIRE(core::write_all(fd->get(), text, "source").has_value());
    return std::move(*fd);
  }

 private:
  std::string path_;
};

Maildir made(const Sandbox& sandbox) {
  auto maildir = Maildir::create(sandbox.mailbox());
  REQUIRE(maildir.has_value());
  return *maildir;
}

std::size_t files_in(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

std::string content(const std::string& path) {
  auto text = core::read_file(path, 100'000'000);
  REQUIRE(text.has_value());
  return *text;
}

void put(const std::string& path, const std::string& text = "x") { REQUIRE(core::replace_file(path, text, 0600).has_value()); }

}  // namespace

TEST_CASE("maildir: open makes nothing, create makes everything, twice is no harm") {
  const Sandbox sandbox;
  auto missing = Maildir::open(sandbox.mailbox());
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == core::Code::not_found);
  CHECK(missing.error().hint.find(sandbox.mailbox()) != std::string::npos);
  CHECK_FALSE(fs::exists(sandbox.mailbox()));

  const auto deep = Maildir::create(sandbox.path("a/b/Maildir///"));
  REQUIRE(deep.has_value());
  CHECK(deep->path() == sandbox.path("a/b/Maildir"));
  for (const std::string name : {"tmp", "new", "cur"}) {
    struct stat status{};
    REQUIRE(::stat((deep->path() + "/" + name).c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0700);
  }
  CHECK(Maildir::create(deep->path()).has_value());
  CHECK(Maildir::open(deep->path()).has_value());

  fs::remove(deep->path() + "/tmp");
  CHECK(Maildir::open(deep->path()).error().code == core::Code::not_found);
  put(deep->path() + "/tmp");
  CHECK(Maildir::open(deep->path()).error().code == core::Code::settings);
  CHECK(Maildir::create(deep->path()).error().code == core::Code::settings);
  CHECK(Maildir::open("").error().code == core::Code::settings);
  CHECK(Maildir::create("").error().code == core::Code::settings);
}

TEST_CASE("maildir: a delivery is whole, private, and happens once") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  std::string text(200'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 % 251);
  const auto source = sandbox.file(text);
  const off_t offset = ::lseek(source.get(), 0, SEEK_CUR);
  const std::string name = new_name(core::from_ms(1764056449123), source.get());

  CHECK_FALSE(maildir.find(name)->has_value());
  CHECK(maildir.deliver(name, source.get()).value() == Delivery::delivered);
  CHECK(::lseek(source.get(), 0, SEEK_CUR) == offset);
  CHECK(content(maildir.path() + "/new/" + name) == text);
  struct stat status{};
  REQUIRE(::stat((maildir.path() + "/new/" + name).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(status.st_nlink == 1);
  CHECK(files_in(maildir.path() + "/tmp") == 0);

  CHECK(maildir.deliver(name, source.get()).value() == Delivery::already_there);
  CHECK(files_in(maildir.path() + "/new") == 1);
  const auto found = maildir.find(name);
  REQUIRE(found->has_value());
  CHECK((*found)->folder == Folder::fresh);
  CHECK((*found)->size_bytes == 200'000);
}

TEST_CASE("maildir: a message that a reader moved is still there") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const auto source = sandbox.file("mail");
  for (const std::string suffix : {"", ":2,", ":2,S", ":2,FRS", ":1,odd"}) {
    CAPTURE(suffix);
    const std::string name = new_name(core::from_ms(5000));
    REQUIRE(maildir.deliver(name, source.get()).has_value());
    fs::rename(maildir.path() + "/new/" + name, maildir.path() + "/cur/" + name + suffix);
    CHECK(maildir.deliver(name, source.get()).value() == Delivery::already_there);
    CHECK(files_in(maildir.path() + "/new") == 0);
    CHECK((*maildir.find(name))->folder == Folder::current);
    CHECK(maildir.find(name.substr(0, name.size() - 1))->has_value() == false);
  }
}

TEST_CASE("maildir: a crash before the link leaves tmp, and the next try delivers") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  put(maildir.path() + "/tmp/recorded", "half of");
  const auto source = sandbox.file("whole mail");
  CHECK(maildir.deliver("recorded", source.get()).value() == Delivery::delivered);
  CHECK(content(maildir.path() + "/new/recorded") == "whole mail");
}

TEST_CASE("maildir: killed at any moment, a message is absent or whole") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const std::string text(3'000'000, 'm');
  const auto source = sandbox.file(text);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "n" + std::to_string(i);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(maildir.deliver(name, source.get()).has_value() ? 0 : 1);
    ::usleep(static_cast<useconds_t>(i * 200));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto found = maildir.find(name);
    REQUIRE(found.has_value());
    if (found->has_value()) CHECK(content((*found)->path) == text);
    REQUIRE(maildir.deliver(name, source.get()).has_value());
    CHECK(content(maildir.path() + "/new/" + name) == text);
  }
  CHECK(files_in(maildir.path() + "/new") == 20);
}

TEST_CASE("maildir: two at once with one name give one message") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const auto source = sandbox.file(std::string(100'000, 'm'));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto result = maildir.deliver("same", source.get());
      ::_exit(!result ? 2 : *result == Delivery::delivered ? 0 : 1);
    }
    children.push_back(child);
  }
  int delivered = 0;
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) <= 1);
    if (WEXITSTATUS(status) == 0) ++delivered;
  }
  CHECK(delivered == 1);
  CHECK(files_in(maildir.path() + "/new") == 1);
  CHECK(files_in(maildir.path() + "/tmp") == 0);
}

TEST_CASE("maildir: what is no message or no name is refused, and leaves nothing") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const auto empty = sandbox.file("");
  CHECK(maildir.deliver("n", empty.get()).error().code == core::Code::invalid);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const core::UniqueFd reader(ends[0]);
  const core::UniqueFd writer(ends[1]);
  CHECK(maildir.deliver("n", reader.get()).error().code == core::Code::invalid);
  CHECK_FALSE(maildir.deliver("n", -1).has_value());
  const auto source = sandbox.file("mail");
  for (const std::string name : {"", "../n", "n:2,S", ".n"}) {
    CHECK(maildir.deliver(name, source.get()).error().code == core::Code::invalid);
    CHECK(maildir.find(name).error().code == core::Code::invalid);
    CHECK(maildir.set_flags(name, "S").error().code == core::Code::invalid);
  }
  CHECK(files_in(maildir.path() + "/new") + files_in(maildir.path() + "/tmp") == 0);
}

TEST_CASE("maildir: folders gone, and no room, are said clearly") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const auto source = sandbox.file(std::string(100'000, 'm'));

  SUBCASE("tmp is gone (the first program lost the fax then)") {
    fs::remove(maildir.path() + "/tmp");
    const auto result = maildir.deliver("n", source.get());
    CHECK(result.error().code == core::Code::not_found);
    CHECK_FALSE(result.error().hint.empty());
    CHECK(maildir.remove_old_temporary_files(core::from_ms(0)).error().code == core::Code::not_found);
  }
  SUBCASE("new is gone") {
    fs::remove(maildir.path() + "/new");
    CHECK(maildir.deliver("n", source.get()).error().code == core::Code::not_found);
    CHECK(maildir.list().error().code == core::Code::not_found);
    CHECK(files_in(maildir.path() + "/tmp") == 0);
  }
  SUBCASE("a write that stops half way leaves nothing") {
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = 70'000, .rlim_max = 70'000};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      ::_exit(maildir.deliver("n", source.get()).has_value() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(files_in(maildir.path() + "/tmp") + files_in(maildir.path() + "/new") == 0);
    CHECK(maildir.deliver("n", source.get()).value() == Delivery::delivered);
  }
}

TEST_CASE("maildir: another user's, and closed folders") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: only root can make another user's mailbox");
    return;
  }
  constexpr uid_t kNobody = 65534;
  const Sandbox sandbox;
  fs::permissions(sandbox.path("."), fs::perms::all);
  const Maildir maildir = made(sandbox);
  const auto source = sandbox.file("mail");

  SUBCASE("wrong owner") {
    for (const std::string name : {"", "/tmp", "/new", "/cur"}) fs::permissions(maildir.path() + name, fs::perms::all);
    REQUIRE(::seteuid(kNobody) == 0);
    const auto opened = Maildir::open(maildir.path());
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == core::Code::settings);
    CHECK(opened.error().text.find("65534") != std::string::npos);
    CHECK(opened.error().hint.find("owner") != std::string::npos);
  }
  SUBCASE("closed to us") {
    REQUIRE(::seteuid(kNobody) == 0);
    const auto opened = Maildir::open(maildir.path());
    const auto delivered = maildir.deliver("n", source.get());
    const auto created = Maildir::create(maildir.path() + "/inner");
    REQUIRE(::seteuid(0) == 0);
    CHECK(opened.error().code == core::Code::settings);
    CHECK(delivered.error().code == core::Code::settings);
    CHECK(delivered.error().hint.find("65534") != std::string::npos);
    CHECK(created.error().code == core::Code::settings);
  }
  SUBCASE("the owner's folder without the right to write") {
    for (const std::string name : {"", "/tmp", "/new", "/cur"}) REQUIRE(::chown((maildir.path() + name).c_str(), kNobody, kNobody) == 0);
    fs::permissions(maildir.path() + "/tmp", fs::perms(0500));
    REQUIRE(::seteuid(kNobody) == 0);
    const auto opened = Maildir::open(maildir.path());
    const auto delivered = maildir.deliver("n", source.get());
    REQUIRE(::seteuid(0) == 0);
    CHECK(opened.error().code == core::Code::settings);
    CHECK(delivered.error().code == core::Code::settings);
  }
  SUBCASE("root gives the message to the mailbox's owner") {
    REQUIRE(::chown((maildir.path() + "/new").c_str(), kNobody, kNobody) == 0);
    REQUIRE(maildir.deliver("n", source.get()).has_value());
    struct stat status{};
    REQUIRE(::stat((maildir.path() + "/new/n").c_str(), &status) == 0);
    CHECK(status.st_uid == kNobody);
  }
}

TEST_CASE("maildir: list and flags") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const auto source = sandbox.file("mail");
  CHECK(maildir.list()->empty());
  REQUIRE(maildir.deliver("2.b", source.get()).has_value());
  REQUIRE(maildir.deliver("1.a", source.get()).has_value());
  put(maildir.path() + "/new/.hidden");
  fs::create_directory(maildir.path() + "/cur/folder");

  REQUIRE(maildir.set_flags("2.b", "SFS").has_value());
  CHECK(fs::exists(maildir.path() + "/cur/2.b:2,FS"));
  auto entries = maildir.list();
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(0).name == "1.a");
  CHECK(entries->at(0).flags.empty());
  CHECK(entries->at(0).size_bytes == 4);
  CHECK(entries->at(1).name == "2.b");
  CHECK(entries->at(1).flags == "FS");
  CHECK(entries->at(1).folder == Folder::current);
  CHECK(core::to_ms(entries->at(1).time) > 1'600'000'000'000);

  CHECK(maildir.set_flags("2.b", "FS").has_value());
  CHECK(maildir.set_flags("2.b", "").has_value());
  CHECK(fs::exists(maildir.path() + "/cur/2.b:2,"));
  CHECK(maildir.set_flags("2.b", "S/../x").error().code == core::Code::invalid);
  CHECK(maildir.set_flags("3.c", "S").error().code == core::Code::not_found);
}

TEST_CASE("maildir: tmp is swept after 36 hours, not before") {
  const Sandbox sandbox;
  const Maildir maildir = made(sandbox);
  const core::Time now = core::from_ms(1'764'056'449'000);
  const auto aged = [&](const std::string& name, long hours_accessed, long hours_changed) {
    put(maildir.path() + "/tmp/" + name);
    const timespec times[2] = {{.tv_sec = 1'764'056'449 - hours_accessed * 3600, .tv_nsec = 0}, {.tv_sec = 1'764'056'449 - hours_changed * 3600, .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, (maildir.path() + "/tmp/" + name).c_str(), times, 0) == 0);
  };
  aged("old", 37, 37);
  aged("young", 35, 35);
  aged("just", 36, 36);
  aged("read", 1, 50);
  aged("written", 50, 1);
  put(maildir.path() + "/new/old");
  CHECK(maildir.remove_old_temporary_files(now).value() == 1);
  CHECK_FALSE(fs::exists(maildir.path() + "/tmp/old"));
  CHECK(files_in(maildir.path() + "/tmp") == 4);
  CHECK(files_in(maildir.path() + "/new") == 1);
  CHECK(maildir.remove_old_temporary_files(now).value() == 0);
}
