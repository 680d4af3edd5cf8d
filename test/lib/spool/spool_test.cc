#include "spool/spool.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "crypto/encoding.h"

namespace {

struct State {
  State() {
    char name[] = "/tmp/spool-test-XXXXXX";
    folder = ::mkdtemp(name);
    spool.emplace(spool::Spool::create(folder, std::int64_t{0}).value());
  }
  ~State() { std::filesystem::remove_all(folder); }
  std::string store(std::string_view text) {
    auto incoming = spool->begin(spool::Use::upload).value();
    REQUIRE(incoming.write(std::as_bytes(std::span(text))));
    const auto id = core::new_id(core::SystemClock().now());
    const auto committed = incoming.commit(id).value();
    CHECK(committed.bytes == static_cast<std::int64_t>(text.size()));
    CHECK(committed.sha256 == crypto::hex(crypto::sha256(text)));
    return id;
  }
  std::string read(int fd) {
    std::string text(100, '\0');
    text.resize(static_cast<std::size_t>(::pread(fd, text.data(), text.size(), 0)));
    return text;
  }
  std::size_t files(const std::string& in) { return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder + in), {})); }
  std::string folder;
  std::optional<spool::Spool> spool;
};

}  // namespace

TEST_CASE("a file that is committed is there whole; one that is not leaves nothing") {
  State state;
  const auto id = state.store("a fax");
  CHECK(state.read(state.spool->open(id)->get()) == "a fax");
  {
    auto incoming = state.spool->begin(spool::Use::upload).value();
    REQUIRE(incoming.write(std::as_bytes(std::span("half", 4))));
    CHECK(state.files("/spool/tmp") == 1);
    auto moved = std::move(incoming);
  }
  CHECK(state.files("/spool/tmp") == 0);
  CHECK(state.spool->list()->size() == 1);
  REQUIRE(state.spool->remove(id));
  REQUIRE(state.spool->remove(id));
  CHECK(state.spool->open(id).error().code == core::Code::not_found);
}

TEST_CASE("nothing is ever overwritten, and no path gets in as an id") {
  State state;
  const auto id = state.store("first");
  auto incoming = state.spool->begin(spool::Use::upload).value();
  CHECK(incoming.commit(id).error().code == core::Code::conflict);
  CHECK(state.read(state.spool->open(id)->get()) == "first");
  for (const auto* bad : {"", "../x", "a", "01HZZZZZZZZZZZZZZZZZZZZZZZ/"}) {
    CHECK(state.spool->open(bad).error().code == core::Code::invalid);
    CHECK(state.spool->hand_out(id, bad).error().code == core::Code::invalid);
    CHECK(state.spool->remove(bad).error().code == core::Code::invalid);
  }
}

TEST_CASE("a copy is handed out, readable for the web server's group, and taken back") {
  State state;
  const auto id = state.store("a fax");
  const auto name = core::new_id(core::SystemClock().now());
  REQUIRE(state.spool->hand_out(id, name));
  REQUIRE(state.spool->hand_out(id, name));
  struct stat about{};
  REQUIRE(::stat((state.folder + "/handout/" + name).c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0640);
  CHECK(about.st_nlink == 1);
  REQUIRE(::stat((state.folder + "/handout").c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 02710);
  CHECK(state.spool->handed_out()->size() == 1);
  REQUIRE(state.spool->take_back(name));
  CHECK(state.spool->handed_out()->empty());
  CHECK(state.spool->hand_out(core::new_id(core::SystemClock().now()), name).error().code == core::Code::not_found);
  CHECK(state.spool->handed_out()->empty());
}

TEST_CASE("the reserve, missing folders, and what crashes left") {
  State state;
  const auto full = spool::Spool::existing(state.folder, std::int64_t{1} << 60).value();
  CHECK(full.begin(spool::Use::upload).error().code == core::Code::no_space);
  CHECK(spool::Spool::existing("/nowhere").error().code == core::Code::settings);
  std::filesystem::copy_file("/etc/hostname", state.folder + "/spool/tmp/" + core::new_id(core::SystemClock().now()));
  // Half a copy, of a queue that was cut off; and a whole one, which the queue takes back by itself.
  std::filesystem::copy_file("/etc/hostname", state.folder + "/handout/." + core::new_id(core::SystemClock().now()));
  std::filesystem::copy_file("/etc/hostname", state.folder + "/handout/" + core::new_id(core::SystemClock().now()));
  CHECK(state.spool->remove_old_temporary_files(core::SystemClock().now(), std::chrono::hours(1)).value() == 0);
  CHECK(state.spool->remove_old_temporary_files(core::SystemClock().now() + std::chrono::hours(2), std::chrono::hours(1)).value() == 2);
  CHECK(state.spool->handed_out().value().size() == 1);
}

TEST_CASE("a copy that was cut off before it had its name is removed when it is old, and no other") {
  State state;
  const auto now = core::SystemClock().now();
  const auto partial = "/handout/." + core::new_id(now);
  const auto whole = "/handout/" + core::new_id(now);
  for (const auto& name : {partial, whole, std::string("/handout/.other")}) std::filesystem::copy_file("/etc/hostname", state.folder + name);
  CHECK(state.spool->remove_old_temporary_files(now, std::chrono::hours(1)).value() == 0);
  CHECK(state.spool->remove_old_temporary_files(now + std::chrono::hours(2), std::chrono::hours(1)).value() == 1);
  CHECK_FALSE(std::filesystem::exists(state.folder + partial));
  CHECK(std::filesystem::exists(state.folder + whole));
  CHECK(std::filesystem::exists(state.folder + "/handout/.other"));
}

TEST_CASE("what comes in has more of the disk than what goes out") {
  constexpr std::int64_t kMegabyte = 1 << 20;
  const auto large = spool::levels_of(300 * kMegabyte, std::int64_t{64} << 30, {});
  CHECK(large.upload_level == 256 * kMegabyte);
  CHECK(large.receive_level == 32 * kMegabyte);
  CHECK(large.allows(spool::Use::upload, 44 * kMegabyte));
  CHECK_FALSE(large.allows(spool::Use::upload, 45 * kMegabyte));
  CHECK(large.allows(spool::Use::send, 45 * kMegabyte));
  CHECK(large.allows(spool::Use::receive, 268 * kMegabyte));
  CHECK_FALSE(large.allows(spool::Use::receive, 269 * kMegabyte));
  CHECK(large.allows(spool::Use::keep, 300 * kMegabyte));
  const auto small = spool::levels_of(0, 32 * kMegabyte, {});
  CHECK(small.upload_level == 8 * kMegabyte);
  CHECK(small.send_level == 6 * kMegabyte);
  CHECK(small.receive_level == 4 * kMegabyte);
  const auto set = spool::levels_of(0, std::int64_t{64} << 30, 10 * kMegabyte);
  CHECK(set.upload_level == 10 * kMegabyte);
  CHECK(set.receive_level == 5 * kMegabyte);
  CHECK(spool::levels_of(0, 32 * kMegabyte, 0).allows(spool::Use::upload));
}

TEST_CASE("a full disk is said in words, to each what concerns it") {
  State state;
  const auto full = spool::Spool::existing(state.folder, std::int64_t{1} << 60).value();
  const auto said = [&](spool::Use use) { return full.check_room(use).error(); };
  CHECK(said(spool::Use::upload).code == core::Code::no_space);
  CHECK(said(spool::Use::upload).hint.find("kept free for faxes that come in") != std::string::npos);
  CHECK(said(spool::Use::upload).hint.find("Ask the administrator") != std::string::npos);
  CHECK(said(spool::Use::send).hint.find("goes on by itself") != std::string::npos);
  CHECK(full.check_room(spool::Use::receive));  // at most 32 MB are kept from what comes in
  CHECK(full.check_room(spool::Use::receive, std::int64_t{1} << 60).error().retry_after.count() == 60);
  CHECK(full.check_room(spool::Use::keep));
}
