#include "notice/outbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/stat.h>

#include "core/id.h"
#include "core/log.h"
#include "store/faxes.h"

using namespace std::chrono_literals;
using Step = notice::Outbox::Step;

namespace {

// A fax that has failed, a Maildir in memory, a command in a folder.
struct Post {
  Post() {
    folder = "/tmp/outbox-test-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    faxes.emplace(store::Faxes::open(sql::Database::open("sqlite://" + folder + "/faxline.db").value()).value());
    notices.emplace(faxes->notices());
  }
  ~Post() { std::filesystem::remove_all(folder); }
  Post(const Post&) = delete;
  Post& operator=(const Post&) = delete;

  std::string fail() {
    store::Document document;
    document.id = core::new_id(clock.now());
    document.owner = "anna";
    document.created = clock.now();
    REQUIRE(faxes->add_document(document));
    auto fax = faxes->create({"anna", "+15005550006", "+12125551212", "twilio", {document.id}, "", "", "", 72h}, clock.now())->fax;
    fax.status = fax::Status::canceled;
    fax.document_id = document.id;
    REQUIRE(faxes->save(fax, clock.now()));
    return fax.id;
  }
  notice::Ways ways() {
    return {options, clock, client,
            [this](const std::string&) -> core::Result<core::UniqueFd> { return core::open_file(folder + "/paper.pdf", O_RDONLY); },
            [this](const std::string& name, int fd) -> core::Result<maildir::Delivery> {
              if (mailbox_is_away) return core::Error{core::Code::unavailable, "no mailbox", "The mailbox cannot be reached."};
              std::string text(4096, '\0');
              text.resize(static_cast<std::size_t>(::pread(fd, text.data(), text.size(), 0)));
              const bool is_new = mails.emplace(name, text).second;
              return is_new ? maildir::Delivery::delivered : maildir::Delivery::already_there;
            },
            [this](core::Time, int) { return "mail-" + std::to_string(++names); },
            [this](const store::Errand& errand, const std::string& name) { return notices->record_mail_name(errand, name); }};
  }
  Step step(const std::string& family) {
    const auto here = ways();
    notice::Outbox outbox(here, *notices, "w");
    REQUIRE(outbox.share_out());
    return outbox.run_one(family).value();
  }
  void command(const std::string& script) {
    options.command = folder + "/command";
    std::ofstream(options.command) << "#!/bin/sh\n" << script << "\n";
    ::chmod(options.command.c_str(), 0755);
  }
  std::string file(const std::string& name) {
    std::ifstream in(folder + "/" + name);
    return (std::stringstream() << in.rdbuf()).str();
  }

  std::string folder;
  core::FixedClock clock{core::from_ms(1'800'000'000'000)};
  notice::Options options;
  http::Client client{{}};
  std::optional<store::Faxes> faxes;
  std::optional<store::Notices> notices;
  std::map<std::string, std::string> mails;
  int names = 0;
  bool mailbox_is_away = false;
};

}  // namespace

TEST_CASE("the mailbox gets one notice, under the name that was written down before") {
  Post post;
  post.fail();
  post.mailbox_is_away = true;
  CHECK(post.step("maildir") == Step::unreachable);
  CHECK(post.step("maildir") == Step::nothing_due);
  post.mailbox_is_away = false;
  post.clock.advance(10s);
  CHECK(post.step("maildir") == Step::told);
  CHECK(post.step("maildir") == Step::nothing_due);
  REQUIRE(post.mails.size() == 1);
  CHECK(post.names == 1);
  const auto& mail = post.mails.at("mail-1");
  for (const auto* part : {"X-Faxline: notice", "Auto-Submitted: auto-generated", "Message-Id: <notice.", "Fax to +12125551212 canceled"}) CHECK_MESSAGE(mail.find(part) != std::string::npos, mail);
}

TEST_CASE("the Maildir is tried for ever") {
  Post post;
  post.fail();
  post.mailbox_is_away = true;
  for (int i = 0; i < 100; ++i) {
    CHECK(post.step("maildir") == Step::unreachable);
    post.clock.advance(1h);
  }
  post.mailbox_is_away = false;
  CHECK(post.step("maildir") == Step::told);
}

TEST_CASE("a command gets the JSON on standard input, the document, and nothing of ours") {
  Post post;
  ::setenv("TWILIO_TOKEN", "secret", 1);
  std::ofstream(post.folder + "/paper.pdf") << "%PDF the paper";
  post.options.content = notice::Content::document;
  post.command("cat > \"$(dirname \"$0\")\"/json; cat <&3 > \"$(dirname \"$0\")\"/copy; env > \"$(dirname \"$0\")\"/env; echo said this; echo and that >&2");
  post.fail();
  const core::LogCapture log;
  CHECK(post.step("command") == Step::told);
  ::unsetenv("TWILIO_TOKEN");
  CHECK(post.file("json").find(R"("type":"fax.canceled")") != std::string::npos);
  CHECK(post.file("json").find(R"("file_descriptor":3)") != std::string::npos);
  CHECK(post.file("copy") == "%PDF the paper");
  CHECK(post.file("env").find("secret") == std::string::npos);
  CHECK(log.text().find("said this") != std::string::npos);
  CHECK(log.text().find("and that") != std::string::npos);
}

TEST_CASE("a command that fails is tried for three days, then given up, in the fax's story and for the page") {
  Post post;
  post.command("exit 3");
  const auto id = post.fail();
  const auto before = post.faxes->fax(id).value();
  int tries = 0;
  for (auto end = post.clock.now() + 100h; post.clock.now() < end; post.clock.advance(30min))
    if (post.step("command") == Step::put_off) ++tries;
  CHECK(tries > 70);
  CHECK(tries < 90);
  const auto event = post.faxes->events(id)->back();
  CHECK(event.what == "Notice not delivered, given up");
  CHECK(event.why == "By command. The command ended with exit status 3.");
  const auto after = post.faxes->fax(id).value();
  CHECK(after.version == before.version);
  const auto troubles = post.notices->troubles(post.clock.now() - 48h).value();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].given_up == 1);
  CHECK(troubles[0].text == "The command ended with exit status 3.");
}

TEST_CASE("a clock that jumps gives up nothing") {
  Post post;
  post.command("exit 3");
  const auto id = post.fail();
  post.clock.advance(24h * 31);
  CHECK(post.step("command") == Step::put_off);
  post.command("exit 0");
  post.clock.advance(10s);
  CHECK(post.step("command") == Step::told);
  CHECK(post.faxes->events(id)->back().what != "Notice not delivered, given up");
}

TEST_CASE("what cannot be run, or reached, says so") {
  Post post;
  post.options.command = post.folder + "/not-there";
  post.options.webhook_url = "http://127.0.0.1:1/";
  post.fail();
  CHECK(post.step("command") == Step::put_off);
  CHECK(post.step("webhook") == Step::unreachable);
  const auto troubles = post.notices->troubles(post.clock.now()).value();
  REQUIRE(troubles.size() == 2);
  for (const auto& it : troubles) CHECK(it.text.find(it.way == "command" ? "NOTICE_COMMAND cannot be run" : "cannot be reached") != std::string::npos);
}
