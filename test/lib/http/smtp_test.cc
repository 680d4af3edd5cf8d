// Against a server of a few lines; a whole one, with TLS and log-in, is in the system tests.
#include "http/smtp.h"

#include <doctest/doctest.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "core/fd.h"

namespace {

using namespace std::chrono_literals;

// Serves one connection; what it was told is in `lines` when it is gone.
class Server {
 public:
  explicit Server(std::string answer_to_rcpt = "250 ok", bool hangs = false) : answer_to_rcpt_(std::move(answer_to_rcpt)), hangs_(hangs) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_.get(), 4) == 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    url = "smtp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() { finish(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  std::string told() {
    finish();
    return lines_;
  }
  std::string url;

 private:
  void finish() {
    if (!thread_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  void serve() {
    const core::UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) return;
    const auto say = [&](const std::string& text) { (void)::send(connection.get(), (text + "\r\n").data(), text.size() + 2, MSG_NOSIGNAL); };
    if (!hangs_) say("220 mail.test");
    std::string pending;
    bool in_data = false;
    char block[4096];
    for (ssize_t got = 0; (got = ::recv(connection.get(), block, sizeof block, 0)) > 0;) {
      pending.append(block, static_cast<std::size_t>(got));
      for (auto end = pending.find("\r\n"); end != std::string::npos; end = pending.find("\r\n")) {
        const auto line = pending.substr(0, end);
        pending.erase(0, end + 2);
        lines_ += line + "|";
        if (in_data) in_data = line != ".";
        if (in_data || hangs_) continue;
        if (line.starts_with("DATA")) in_data = true, say("354 go on");
        else if (line.starts_with("RCPT")) say(answer_to_rcpt_);
        else if (line == ".") say("250 2.0.0 queued as 1");
        else say(line.starts_with("QUIT") ? "221 bye" : "250 ok");
      }
    }
  }
  std::string answer_to_rcpt_;
  bool hangs_;
  core::UniqueFd listener_;
  std::string lines_;
  std::thread thread_;
};

struct Mail {
  explicit Mail(const std::string& text = "Subject: x\n\n.a line with a dot\nthe end\n") : file(::memfd_create("mail", MFD_CLOEXEC)) { REQUIRE(core::write_all(file.get(), text, "mail")); }
  http::Letter letter(const std::string& server, http::Starttls starttls = http::Starttls::never) {
    http::Letter it;
    it.server = server, it.starttls = starttls, it.credentials = &credentials, it.from = "fax@house.test", it.to = "anna@house.test", it.fd = file.get();
    return it;
  }
  core::UniqueFd file;
  http::Credentials credentials{};
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a mail is handed over as it is, its lines as the wire wants them") {
  Server server;
  Mail mail;
  const auto sent = http::send_letter(mail.letter(server.url));
  REQUIRE(sent);
  CHECK(*sent == "250 2.0.0 queued as 1");
  const auto told = server.told();
  CHECK(has(told, "EHLO house.test|MAIL FROM:<fax@house.test>"));
  CHECK(has(told, "RCPT TO:<anna@house.test>|DATA|Subject: x||..a line with a dot|the end|.|"));
}

TEST_CASE("where TLS is required and not offered, neither mail nor address nor password leaves") {
  Server server;
  Mail mail;
  mail.credentials = {"post", core::SecretString("the password")};
  const auto sent = http::send_letter(mail.letter(server.url, http::Starttls::required));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == core::Code::provider_down);
  CHECK(has(sent.error().hint, "offers no STARTTLS"));
  const auto told = server.told();
  CHECK_FALSE(has(told, "MAIL"));
  CHECK_FALSE(has(told, "AUTH"));
}

TEST_CASE("a refusal is in the server's own words") {
  Server server("550 5.1.1 no such user");
  Mail mail;
  const auto sent = http::send_letter(mail.letter(server.url));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == core::Code::provider_refused);
  CHECK(sent.error().hint == "The mail server refuses it: 550 5.1.1 no such user");
}

TEST_CASE("nobody there, and a server that says nothing, end in time; so does being told to stop") {
  Mail mail;
  CHECK(http::send_letter(mail.letter("smtp://127.0.0.1:1")).error().code == core::Code::provider_down);
  Server silent("", true);
  auto letter = mail.letter(silent.url);
  letter.connect_time_out = letter.total_time_out = 300ms;
  CHECK(http::send_letter(letter).error().code == core::Code::provider_down);
  Server other("", true);
  std::atomic<bool> stop{false};
  letter = mail.letter(other.url);
  letter.stop = &stop;
  std::thread stopper([&] { stop = true; });
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(http::send_letter(letter));
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  stopper.join();
}

TEST_CASE("an address that would be more than an address is not sent") {
  Mail mail;
  for (const std::string to : {"", "a@b>\r\nRCPT TO:<eve@x", "a b@c", "a@b,c@d"}) {
    auto letter = mail.letter("smtp://127.0.0.1:1");
    letter.to = to;
    CHECK(http::send_letter(letter).error().code == core::Code::bad_request);
  }
}
