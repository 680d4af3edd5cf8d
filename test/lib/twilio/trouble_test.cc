// A provider that is slow, silent, cut off, or somebody else: only what certainly never left may be tried again.
#include <doctest/doctest.h>

#include "line.h"

using core::Code;
using test::Certificate;
using test::Connection;
using test::kFax;
using test::Line;
using test::LoopbackServer;
using Kind = fax::SubmitOutcome::Kind;
using namespace std::chrono_literals;

namespace {

// Whose queue of connections is full: the next one waits.
class FullListener {
 public:
  FullListener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 0) != 0) std::abort();
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {
      waiting_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      (void)::connect(waiting_.back(), reinterpret_cast<sockaddr*>(&address), size);
    }
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  ~FullListener() {
    for (const int fd : waiting_) ::close(fd);
    ::close(fd_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::vector<int> waiting_;
};

struct PemFile {
  explicit PemFile(const Certificate& certificate) {
    char name[] = "/tmp/twilio-test-XXXXXX";
    ::close(::mkstemp(name));
    path = name;
    certificate.write_pem(path);
  }
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;
  ~PemFile() { ::unlink(path.c_str()); }
  std::string path;
};

http::Options quick(std::string ca_file = "") { return {.ca_file = std::move(ca_file), .connect_time_out = 300ms, .total_time_out = 600ms}; }

twilio::Account at(const std::string& url) { return {.dialect = twilio::kTwilio, .base_url = url, .sid = "AC1", .token = core::SecretString("token")}; }

}  // namespace

TEST_CASE("time-outs before the request could leave: not taken") {
  const FullListener full;
  http::Client client(quick());
  twilio::Provider unanswered(client, at(full.url()));
  CHECK(unanswered.submit(kFax).kind == Kind::unreachable);
  CHECK(unanswered.fetch("FX1").error().code == Code::provider_down);

  LoopbackServer silent([](Connection& connection, const std::string&) { connection.hang(); });
  twilio::Provider no_handshake(client, at("https://127.0.0.1:" + std::to_string(silent.port())));
  CHECK(no_handshake.submit(kFax).kind == Kind::unreachable);
  CHECK(silent.requests().empty());
}

TEST_CASE("time-outs and cuts after it: nobody knows") {
  const std::string answer = LoopbackServer::answer(test::fax_json("FX1"), "201 Created");
  const std::size_t cuts[] = {0, 9, answer.find("\r\n") + 2, answer.find("\r\n\r\n") + 4, answer.size() - 1};
  for (const auto cut : cuts)
    for (const bool hangs : {true, false}) {
      CAPTURE(cut);
      CAPTURE(hangs);
      Line line([&](Connection& connection, const std::string&) {
        connection.send(answer.substr(0, cut));
        hangs ? connection.hang() : connection.close();
      });
      CHECK(line.provider.submit(kFax).kind == Kind::unknown);
      CHECK(line.server.requests().size() == 1);
      CHECK(!line.provider.fetch("FX1"));
    }
  Line whole([&](Connection& connection, const std::string&) { connection.send(answer); });
  CHECK(whole.provider.submit(kFax).kind == Kind::taken);
}

TEST_CASE("an answer without end is cut off, and proves nothing") {
  Line line(test::always(std::string(3 << 20, ' ') + test::fax_json("FX1")));
  CHECK(line.provider.submit(kFax).kind == Kind::unknown);
  CHECK(line.provider.list({}).error().code == Code::too_large);
  Line chunks([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    while (connection.send(chunk)) {
    }
    connection.close();
  });
  CHECK(chunks.provider.submit(kFax).kind == Kind::unknown);
}

TEST_CASE("whoever cannot prove to be the provider gets nothing") {
  const Certificate good("localhost");
  const Certificate another("localhost");
  const Certificate elsewhere("fax.example.org");
  const Certificate expired("localhost", -60);
  const auto kind = [](const Certificate& shown, const Certificate& trusted) {
    const PemFile ca(trusted);
    LoopbackServer server(test::always(test::fax_json("FX1"), "201 Created"), &shown);
    http::Client client({.ca_file = ca.path});
    twilio::Provider provider(client, at("https://localhost:" + std::to_string(server.port())));
    const auto outcome = provider.submit(kFax);
    CHECK(server.requests().size() == (outcome.kind == Kind::taken ? 1 : 0));
    if (outcome.kind == Kind::unreachable) CHECK(outcome.error.code == Code::provider_down);
    return outcome.kind;
  };
  CHECK(kind(good, good) == Kind::taken);
  CHECK(kind(good, another) == Kind::unreachable);
  CHECK(kind(elsewhere, elsewhere) == Kind::unreachable);
  CHECK(kind(expired, expired) == Kind::unreachable);
}
