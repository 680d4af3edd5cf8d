#include "spool/spool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/id.h"

using namespace spool;
namespace fs = std::filesystem;

namespace {

const core::Time kStart = core::from_ms(1'764'000'000'000);

class State {
 public:
  State() {
    std::string pattern = (fs::temp_directory_path() / "spool-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~State() { fs::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Spool made(const State& state, Limits limits = {}) {
  auto spool = Spool::create(state.path(), limits);
  REQUIRE(spool.has_value());
  return *spool;
}

std::string store(const Spool& spool, std::string_view text) {
  auto incoming = spool.begin();
  REQUIRE(incoming.has_value());
  REQUIRE(incoming->write(text).has_value());
  std::string id = core::new_id(kStart);
  REQUIRE(incoming->commit(id).has_value());
  return id;
}

std::size_t files_in(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

std::string content(const std::string& path) {
  auto text = core::read_file(path, 10'000'000);
  REQUIRE(text.has_value());
  return *text;
}

mode_t mode_of(const std::string& path) {
  struct stat found{};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

}  // namespace

TEST_CASE("a document is written in pieces, committed and read back") {
  const State state;
  const Spool spool = made(state);
  auto incoming = spool.begin();
  REQUIRE(incoming.has_value());
  CHECK(incoming->write("ab").has_value());
  CHECK(incoming->write("c").has_value());
  CHECK(incoming->bytes() == 3);
  char first = 0;
  CHECK(::pread(incoming->fd(), &first, 1, 0) == 1);
  CHECK(first == 'a');
  CHECK(files_in(state.path("spool/tmp")) == 1);

  const std::string id = core::new_id(kStart);
  CHECK_FALSE(spool.exists(id));
  const auto stored = incoming->commit(id);
  REQUIRE(stored.has_value());
  CHECK(stored->bytes == 3);
  CHECK(stored->sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(files_in(state.path("spool/tmp")) == 0);
  CHECK(spool.exists(id));
  CHECK(spool.size(id).value() == 3);
  CHECK(content(state.path("spool/" + id)) == "abc");

  auto fd = spool.open(id);
  REQUIRE(fd.has_value());
  CHECK(::write(fd->get(), "x", 1) == -1);
  CHECK((::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);

  CHECK(spool.remove(id).has_value());
  CHECK_FALSE(spool.exists(id));
  CHECK(spool.remove(id).has_value());
  CHECK(spool.open(id).error().code == core::Code::not_found);
  CHECK(spool.size(id).error().code == core::Code::not_found);
}

TEST_CASE("an empty document is one too") {
  const State state;
  const Spool spool = made(state);
  CHECK(spool.size(store(spool, "")).value() == 0);
}

TEST_CASE("modes are those of the table, whatever the umask allows") {
  const State state;
  const mode_t before = ::umask(0077);
  const Spool spool = made(state);
  ::umask(0007);
  const std::string id = store(spool, "text");
  ::umask(0077);
  CHECK(spool.hand_out(id, "one").has_value());
  ::umask(before);
  CHECK(mode_of(state.path("spool")) == 02770);
  CHECK(mode_of(state.path("spool/tmp")) == 02770);
  CHECK(mode_of(state.path("handout")) == 02710);
  CHECK(mode_of(state.path("spool/" + id)) == 0660);
  CHECK(mode_of(state.path("handout/one")) == 0640);
}

TEST_CASE("without a commit nothing is left") {
  const State state;
  const Spool spool = made(state);
  {
    auto incoming = spool.begin();
    REQUIRE(incoming.has_value());
    REQUIRE(incoming->write("half").has_value());
    Incoming moved = std::move(*incoming);
    CHECK(moved.bytes() == 4);
    auto other = spool.begin();
    REQUIRE(other.has_value());
    CHECK(files_in(state.path("spool/tmp")) == 2);
    moved = std::move(*other);
    CHECK(files_in(state.path("spool/tmp")) == 1);
  }
  CHECK(files_in(state.path("spool/tmp")) == 0);
  CHECK(files_in(state.path("spool")) == 1);
}

TEST_CASE("commit never overwrites") {
  const State state;
  const Spool spool = made(state);
  const std::string id = store(spool, "first");
  auto incoming = spool.begin();
  REQUIRE(incoming.has_value());
  REQUIRE(incoming->write("second").has_value());
  CHECK(incoming->commit(id).error().code == core::Code::conflict);
  CHECK(content(state.path("spool/" + id)) == "first");
  CHECK(files_in(state.path("spool/tmp")) == 0);
  CHECK(incoming->write("more").error().code == core::Code::conflict);
  CHECK(incoming->commit(core::new_id(kStart)).error().code == core::Code::conflict);
}

TEST_CASE("a commit is done once") {
  const State state;
  const Spool spool = made(state);
  auto incoming = spool.begin();
  REQUIRE(incoming.has_value());
  REQUIRE(incoming->commit(core::new_id(kStart)).has_value());
  CHECK(incoming->fd() == -1);
  CHECK(incoming->write("late").error().code == core::Code::internal);
  CHECK(incoming->commit(core::new_id(kStart)).error().code == core::Code::internal);
  CHECK(spool.list_ids()->size() == 1);
}

TEST_CASE("two at once with one id: one wins") {
  const State state;
  const Spool spool = made(state);
  const std::string id = core::new_id(kStart);
  int won[2] = {0, 0};
  std::vector<std::thread> threads;
  for (int& mine : won)
    threads.emplace_back([&spool, &id, &mine] {
      auto incoming = spool.begin();
      if (incoming && incoming->write("text") && incoming->commit(id)) mine = 1;
    });
  for (auto& thread : threads) thread.join();
  CHECK(won[0] + won[1] == 1);
}

TEST_CASE("what is no id never becomes a path") {
  const State state;
  const Spool spool = made(state);
  const std::string id = store(spool, "text");
  for (const std::string& bad : {std::string(), std::string("tmp"), std::string("../handout/x"), id + "/", id.substr(1), "/" + id.substr(1),
                                 std::string("../") + id.substr(3), std::string(26, '.'), std::string(26, '\0')}) {
    CAPTURE(bad);
    CHECK(spool.open(bad).error().code == core::Code::bad_request);
    CHECK(spool.size(bad).error().code == core::Code::bad_request);
    CHECK(spool.remove(bad).error().code == core::Code::bad_request);
    CHECK(spool.hand_out(bad, "name").error().code == core::Code::bad_request);
    CHECK_FALSE(spool.exists(bad));
    auto incoming = spool.begin();
    REQUIRE(incoming.has_value());
    CHECK(incoming->commit(bad).error().code == core::Code::bad_request);
  }
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string(".hidden"), std::string("../spool/x"),
                                 std::string("a/b"), std::string("a b"), std::string(129, 'a'), std::string("a\0b", 3)}) {
    CAPTURE(bad);
    CHECK_FALSE(is_handout_name(bad));
    CHECK(spool.hand_out(id, bad).error().code == core::Code::bad_request);
    CHECK(spool.take_back(bad).error().code == core::Code::bad_request);
  }
  CHECK(is_handout_name(std::string(128, 'a')));
  CHECK(is_handout_name(id + ".pdf"));
  CHECK(files_in(state.path("spool/tmp")) == 0);
}

TEST_CASE("links, folders and pipes in the place of a document are refused, at once") {
  const State state;
  const Spool spool = made(state);
  std::ofstream(state.path("secret")) << "secret";
  const std::string link = core::new_id(kStart), folder = core::new_id(kStart), pipe = core::new_id(kStart);
  REQUIRE(::symlink(state.path("secret").c_str(), state.path("spool/" + link).c_str()) == 0);
  REQUIRE(::mkdir(state.path("spool/" + folder).c_str(), 0700) == 0);
  REQUIRE(::mkfifo(state.path("spool/" + pipe).c_str(), 0600) == 0);
  for (const std::string& id : {link, folder, pipe}) {
    CHECK(spool.open(id).error().code == core::Code::internal);
    CHECK_FALSE(spool.hand_out(id, "out").has_value());
  }
  CHECK(spool.list_ids()->empty());
  CHECK(files_in(state.path("handout")) == 0);
}

TEST_CASE("hand-outs are copies that come and go") {
  const State state;
  const Spool spool = made(state);
  const std::string id = store(spool, std::string(200'000, 'p'));
  const auto path = spool.hand_out(id, "attempt-1.pdf");
  REQUIRE(path.has_value());
  CHECK(*path == state.path("handout/attempt-1.pdf"));
  CHECK(content(*path) == std::string(200'000, 'p'));
  CHECK(fs::hard_link_count(*path) == 1);

  const std::string other = store(spool, "other");
  CHECK(spool.hand_out(other, "attempt-1.pdf").has_value());
  CHECK(content(*path) == "other");
  REQUIRE(spool.list_handouts().has_value());
  REQUIRE(spool.list_handouts()->size() == 1);
  CHECK(spool.list_handouts()->front().name == "attempt-1.pdf");
  CHECK(files_in(state.path("handout")) == 1);

  CHECK(spool.hand_out(core::new_id(kStart), "attempt-1.pdf").error().code == core::Code::not_found);
  CHECK(content(*path) == "other");
  CHECK(spool.take_back("attempt-1.pdf").has_value());
  CHECK(spool.take_back("attempt-1.pdf").has_value());
  CHECK(files_in(state.path("handout")) == 0);
  CHECK(spool.exists(id));
}

TEST_CASE("the reserve and the maximum hold") {
  const State state;
  const Spool full = made(state, {.reserve_bytes = std::int64_t{1} << 60});
  CHECK(full.check_space(0).error().code == core::Code::no_space);
  CHECK_FALSE(full.check_space(0).error().hint.empty());
  CHECK(full.begin().error().code == core::Code::no_space);

  const Spool spool = made(state, {.reserve_bytes = 1});
  CHECK(spool.check_space(0).has_value());
  CHECK(spool.check_space(kNoMaximum).error().code == core::Code::no_space);
  const std::string id = store(spool, std::string(3'000'000, 'x'));
  CHECK(full.hand_out(id, "out").error().code == core::Code::no_space);
  CHECK(files_in(state.path("handout")) == 0);

  auto incoming = spool.begin(4);
  REQUIRE(incoming.has_value());
  CHECK(incoming->write("1234").has_value());
  CHECK(incoming->write("").has_value());
  CHECK(incoming->write("5").error().code == core::Code::too_large);
  CHECK(incoming->write("").error().code == core::Code::too_large);
  CHECK(incoming->commit(core::new_id(kStart)).error().code == core::Code::too_large);
  CHECK(files_in(state.path("spool/tmp")) == 0);
}

TEST_CASE("a disk that gets full in the middle: no_space, and nothing is left") {
  const State state;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // A small disk that only this child sees; 77: no such thing on this machine.
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount("tmpfs", state.path().c_str(), "tmpfs", 0, "size=512k") != 0) ::_exit(77);
    const auto spool = Spool::create(state.path(), {});
    if (!spool) ::_exit(1);
    {
      auto incoming = spool->begin();
      if (!incoming) ::_exit(2);
      core::Result<void> written;
      for (int block = 0; block < 100 && written; ++block) written = incoming->write(std::string(16384, 'x'));
      if (written || written.error().code != core::Code::no_space || written.error().hint.empty()) ::_exit(3);
      if (incoming->commit(core::new_id(kStart))) ::_exit(4);
      if (files_in(state.path("spool/tmp")) != 0) ::_exit(5);
    }
    // Room for the document, none for its copy.
    const std::string id = store(*spool, std::string(300'000, 'x'));
    const auto handed = spool->hand_out(id, "copy");
    if (handed || handed.error().code != core::Code::no_space) ::_exit(6);
    ::_exit(files_in(state.path("handout")) == 0 ? 0 : 7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    MESSAGE("skipped: no mount namespaces here");
  else
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("old temporary files go, young ones and documents stay") {
  const State state;
  const Spool spool = made(state);
  const std::string id = store(spool, "text");
  auto incoming = spool.begin();
  REQUIRE(incoming.has_value());
  std::ofstream(state.path("handout/.one.half")) << "half";
  std::ofstream(state.path("handout/whole")) << "whole";
  const core::Time now = core::SystemClock().now();
  const auto hour = std::chrono::hours(1);
  CHECK(spool.remove_old_temporary_files(now, hour).value() == 0);
  CHECK(spool.remove_old_temporary_files(now + 2 * hour, hour).value() == 2);
  CHECK(spool.exists(id));
  CHECK(fs::exists(state.path("handout/whole")));
  CHECK(files_in(state.path("spool/tmp")) == 0);
  fs::remove_all(state.path("handout"));
  CHECK(spool.remove_old_temporary_files(now, hour).value() == 0);
}

TEST_CASE("the list has every document, in order, and nothing else") {
  const State state;
  const Spool spool = made(state);
  CHECK(spool.list_ids()->empty());
  auto later = spool.begin(), earlier = spool.begin();
  REQUIRE((later.has_value() && earlier.has_value()));
  const std::string first = core::new_id(kStart), second = core::new_id(kStart + std::chrono::hours(1));
  REQUIRE(later->commit(second).has_value());
  REQUIRE(earlier->write("12345").has_value());
  REQUIRE(earlier->commit(first).has_value());
  std::ofstream(state.path("spool/strange")) << "no id";
  const auto entries = spool.list_ids();
  REQUIRE(entries.has_value());
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(0).name == first);
  CHECK(entries->at(0).bytes == 5);
  CHECK(entries->at(1).name == second);
  const auto age = core::SystemClock().now() - entries->at(0).modified;
  CHECK(age < std::chrono::minutes(5));
}

TEST_CASE("a STATE_DIR that is not there stops the start") {
  const State state;
  const auto missing = Spool::open(state.path(), {});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == core::Code::settings);
  CHECK(missing.error().field == "STATE_DIR");
  CHECK(missing.error().hint.find(state.path("spool")) != std::string::npos);
  std::ofstream(state.path("spool")) << "a file";
  CHECK(Spool::open(state.path(), {}).error().code == core::Code::settings);
  CHECK_FALSE(Spool::create(state.path(), {}).has_value());
}

TEST_CASE("create is safe to repeat, and open sees the same documents") {
  const State state;
  const std::string id = store(made(state), "text");
  made(state);
  const auto again = Spool::open(state.path(), {});
  REQUIRE(again.has_value());
  CHECK(again->exists(id));
}
