#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/id.h"
#include "core/log.h"
#include "core/result.h"
#include "core/secret.h"

namespace {

struct Folder {
  Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path = std::filesystem::temp_directory_path() / "faxline-core-XXXXXX";
};

core::Result<int> half(int number) {
  if (number % 2 != 0) return core::Error{.code = core::Code::invalid, .text = "odd"};
  return number / 2;
}

core::Result<int> quarter(int number) {
  CORE_TRY(once, half(number));
  CORE_TRY(twice, half(once));
  return twice;
}

core::Result<void> even(int number) {
  CORE_CHECK(half(number));
  return {};
}

}  // namespace

TEST_CASE("a result is a value or an error, and passes errors on") {
  CHECK(quarter(8).value() == 2);
  CHECK(quarter(6).error().text == "odd");
  CHECK(quarter(5).error().code == core::Code::invalid);
  CHECK(even(2));
  CHECK_FALSE(even(3));
  CHECK(quarter(6).value_or(7) == 7);
}

TEST_CASE("errno becomes operation, object and reason, and a kind") {
  const auto gone = core::errno_error("open", "/a/b", ENOENT);
  CHECK(gone.code == core::Code::not_found);
  CHECK(gone.text == "open /a/b: No such file or directory");
  CHECK(gone.error_number == ENOENT);
  CHECK(core::errno_error("write", "/a", ENOSPC).code == core::Code::no_space);
  CHECK(core::errno_error("open", "/a", EMFILE).code == core::Code::unavailable);
  CHECK(core::errno_error("open", "/a", EINVAL).code == core::Code::internal);
  const auto read_only = core::errno_error("open", "/a", EROFS);
  CHECK(read_only.code == core::Code::unavailable);
  CHECK(read_only.hint.find("read-only") != std::string::npos);
  const auto denied = core::errno_error("open", "/var/mail/x", EACCES);
  CHECK(denied.text.find("folder /var/mail") != std::string::npos);
  CHECK(denied.text.find("uid " + std::to_string(geteuid())) != std::string::npos);
}

TEST_CASE("an error can be told where it happened, and to whom") {
  const auto error = core::Error{.code = core::Code::invalid, .text = "x"}.within("parse").with_hint("Try again.").with_field("to");
  CHECK(error.text == "parse: x");
  CHECK(error.hint == "Try again.");
  CHECK(error.field == "to");
}

TEST_CASE("a file is replaced whole, or not at all") {
  const Folder folder;
  const std::string path = folder.path + "/settings";
  REQUIRE(core::replace_file(path, "one", 0600));
  REQUIRE(core::replace_file(path, "two", 0600));
  CHECK(core::read_file(path, 100).value() == "two");
  CHECK(core::read_file(path, 2).error().code == core::Code::too_large);
  CHECK(core::replace_file(folder.path + "/none/x", "y", 0600).error().code == core::Code::not_found);
  // Onto a folder it cannot go: the temporary file must not stay behind.
  REQUIRE(core::make_folders(folder.path + "/taken/inner", 0700));
  CHECK_FALSE(core::replace_file(folder.path + "/taken", "y", 0600));
  int names = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++names;
  CHECK(names == 2);
}

TEST_CASE("folders are made with their parents, twice without harm, never over a file") {
  const Folder folder;
  REQUIRE(core::make_folders(folder.path + "/a/b/c", 0700));
  CHECK(core::make_folders(folder.path + "/a/b/c", 0700));
  REQUIRE(core::replace_file(folder.path + "/file", "", 0600));
  CHECK_FALSE(core::make_folders(folder.path + "/file/x", 0700));
}

TEST_CASE("a descriptor is closed once, by its last owner") {
  int raw = -1;
  {
    auto fd = core::open_file("/dev/null", O_RDONLY);
    REQUIRE(fd);
    core::UniqueFd mine = std::move(*fd);
    raw = mine.get();
    CHECK(fcntl(raw, F_GETFD) == FD_CLOEXEC);
    CHECK_FALSE(fd->valid());  // NOLINT(bugprone-use-after-move): that is what is tested
  }
  CHECK(fcntl(raw, F_GETFD) == -1);
}

TEST_CASE("times are read and written as RFC 3339") {
  using core::parse_rfc3339;
  CHECK(core::rfc3339(core::from_ms(0)) == "1970-01-01T00:00:00Z");
  CHECK(core::rfc3339(parse_rfc3339("2026-11-25T07:40:49Z").value()) == "2026-11-25T07:40:49Z");
  CHECK(core::to_ms(parse_rfc3339("2026-11-25T07:40:49.250Z").value()) % 1000 == 250);
  CHECK(core::rfc3339(parse_rfc3339("2026-11-25T07:40:49+05:30").value()) == "2026-11-25T02:10:49Z");
  CHECK(core::rfc3339(parse_rfc3339("2024-02-28T23:00:00-02:00").value()) == "2024-02-29T01:00:00Z");
  for (const char* wrong : {"", "2026-11-25", "2026-02-30T00:00:00Z", "2026-11-25T24:00:00Z", "2026-11-25T07:40:49", "2026-11-25T07:40:49Zx",
                            "2026-11-25T07:40:49+5:30", "x026-11-25T07:40:49Z"})
    CHECK_MESSAGE(parse_rfc3339(wrong).error().code == core::Code::bad_request, wrong);
}

TEST_CASE("ids sort by age, differ, and are known from anything else") {
  const auto early = core::new_id(core::from_ms(1'000));
  const auto late = core::new_id(core::from_ms(2'000));
  CHECK(early < late);
  CHECK(core::new_id(core::from_ms(1'000)) != early);
  CHECK(core::is_id(early));
  for (const char* wrong : {"", "../../../../../../etc/pas", "0123456789abcdefghjkmnpqrU", "0123456789abcdefghjkmnpqr", "0123456789abcdefghjkmnpqrst"})
    CHECK_FALSE(core::is_id(wrong));
}

TEST_CASE("a log line is one line, whatever a fax says") {
  const core::LogCapture captured;
  core::set_program("test");
  core::log(core::Level::warning, "fax refused", {{"from", "+1\nlevel=error \"x\""}, {"fax", "abc"}});
  CHECK(captured.text() == "level=warning program=test event=\"fax refused\" from=\"+1\\x0alevel=error \\\"x\\\"\" fax=abc\n");
  core::log(core::Level::error, "stored not", core::errno_error("open", "/x", ENOENT), {{"fax", "abc"}});
  CHECK(captured.text().find("code=not_found reason=\"open /x: No such file or directory\"") != std::string::npos);
}

TEST_CASE("a number in the log shows its ends only") {
  CHECK(core::masked("+15005550006") == "+15*****0006");
  CHECK(core::masked("911") == "911");
}

TEST_CASE("a secret moves and leaves nothing behind") {
  core::SecretString secret(std::string("correct horse battery staple"));
  const auto copy = secret.duplicate();
  const core::SecretString moved = std::move(secret);
  CHECK(secret.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(moved.reveal() == copy.reveal());
}

TEST_CASE("a clock of a test stands until it is moved") {
  core::FixedClock clock(core::from_ms(5));
  CHECK(core::to_ms(clock.now()) == 5);
  clock.advance(core::Milliseconds(10));
  CHECK(core::to_ms(clock.now()) == 15);
  CHECK(core::SystemClock().now() > clock.now());
}
