#include "http/client.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>

#include "core/fd.h"
#include "http/url.h"
#include "loopback_server.h"

using core::Code;
using test::Connection;
using test::LoopbackServer;
using namespace std::chrono_literals;

namespace {

http::Call get(const std::string& url) {
  http::Call call;
  call.url = url;
  return call;
}

http::Call post(const std::string& url, const std::string& body) {
  http::Call call = get(url);
  call.method = "POST";
  call.body = body;
  return call;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct Folder {
  Folder() {
    char name[] = "/tmp/http-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

// A port on which nobody listens.
int dead_port() {
  LoopbackServer server([](Connection&, const std::string&) {});
  return server.port();
}

}  // namespace

TEST_CASE("a call brings its answer, and the connection is kept") {
  LoopbackServer server([](Connection& connection, const std::string&) {
    connection.send(LoopbackServer::answer("hello", "201 Created", "X-Thing:  some value \r\nX-Thing: second\r\n"));
  });
  http::Client client({.user_agent = "a test"});
  auto call = get(server.url("/p/../q?x=1"));
  call.headers = {{"X-Mine", "1"}, {"X-Empty", ""}};
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.send(call);
    REQUIRE(answer);
    CHECK(answer->status == 201);
    CHECK(answer->body == "hello");
    CHECK(answer->bytes == 5);
    CHECK(answer->content_length == 5);
    CHECK(answer->header("x-thing") == "some value");
    CHECK(!answer->header("x-other"));
    CHECK(answer->effective_url == call.url);
  }
  CHECK(server.connections() == 1);
  const std::string request = server.requests().front();
  CHECK(request.starts_with("GET /p/../q?x=1 HTTP/1.1\r\n"));
  CHECK(has(request, "User-Agent: a test\r\n"));
  CHECK(has(request, "X-Mine: 1\r\n"));
  CHECK(has(request, "X-Empty:\r\n"));
  CHECK(!has(request, "Authorization"));
}

TEST_CASE("a POST carries body, type and credentials, on a connection of its own") {
  LoopbackServer server([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("")); });
  http::Client client({});
  const http::Credentials account{"user", core::SecretString("pass:word")};
  auto call = post(server.url(), "To=%2B1&From=x");
  call.credentials = &account;
  REQUIRE(client.send(get(server.url())));
  REQUIRE(client.send(call));
  const std::string request = server.requests().back();
  CHECK(request.starts_with("POST / HTTP/1.1\r\n"));
  CHECK(has(request, "Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n"));
  CHECK(has(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
  CHECK(!has(request, "Expect"));
  CHECK(request.ends_with("\r\n\r\nTo=%2B1&From=x"));
  CHECK(server.connections() == 2);

  REQUIRE(client.send(post(server.url(), "")));
  CHECK(has(server.requests().back(), "Content-Length: 0\r\n"));
  auto remove = get(server.url("/thing"));
  remove.method = "DELETE";
  REQUIRE(client.send(remove));
  CHECK(server.requests().back().starts_with("DELETE /thing HTTP/1.1\r\n"));
  auto head = get(server.url());
  head.method = "HEAD";
  CHECK(client.send(head)->status == 200);
}

TEST_CASE("a POST that was cut without an answer is not sent again") {
  LoopbackServer server([](Connection& connection, const std::string& request) {
    if (request.starts_with("GET")) connection.send(LoopbackServer::answer("x"));
    else connection.close();
  });
  http::Client client({});
  REQUIRE(client.send(get(server.url())));
  const auto answer = client.send(post(server.url(), "once"));
  REQUIRE(!answer);
  CHECK(answer.error().code == Code::unknown_outcome);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("nothing was sent: provider_down") {
  http::Client client({});
  const auto refused = client.send(post("http://127.0.0.1:" + std::to_string(dead_port()) + "/", "x"));
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::provider_down);

  // A label of over 63 characters is no name: told without asking anybody.
  const auto unknown = client.send(post("https://" + std::string(70, 'a') + ".invalid/", "x"));
  REQUIRE(!unknown);
  CHECK(unknown.error().code == Code::provider_down);

  // A server that accepts and then says nothing cannot finish the handshake.
  LoopbackServer silent([](Connection& connection, const std::string&) { connection.hang(); });
  auto call = post("https://127.0.0.1:" + std::to_string(silent.port()) + "/", "x");
  call.connect_time_out = 200ms;
  const auto hung = client.send(call);
  REQUIRE(!hung);
  CHECK(hung.error().code == Code::provider_down);
}

TEST_CASE("anything after the request has left: unknown_outcome") {
  http::Client client({});
  const auto outcome = [&](const LoopbackServer::Handler& handler) {
    LoopbackServer server(handler);
    auto call = post(server.url(), "x");
    call.total_time_out = 300ms;
    const auto answer = client.send(call);
    REQUIRE(server.requests().size() == 1);
    REQUIRE(!answer);
    CHECK(!has(answer.error().text, "127.0.0.1:" + std::to_string(server.port()) + "/"));
    return answer.error().code;
  };
  CHECK(outcome([](Connection& c, const std::string&) { c.hang(); }) == Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.reset(); }) == Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.close(); }) == Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.send("garbage\r\n\r\n"); c.close(); }) == Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.send("HTTP/1.1 201"); c.close(); }) == Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.send("HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf"); c.close(); }) ==
        Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) { c.send("HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf"); c.reset(); }) ==
        Code::unknown_outcome);
  CHECK(outcome([](Connection& c, const std::string&) {
          c.send("HTTP/1.1 200 OK\r\n");
          for (int i = 0; i < 100 && c.send("X-Long: " + std::string(1000, 'x') + "\r\n"); ++i) {
          }
          c.close();
        }) == Code::unknown_outcome);
}

TEST_CASE("a trickle ends by the low-speed time-out") {
  LoopbackServer server([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    connection.hang();
  });
  http::Client client({});
  auto call = get(server.url());
  call.low_speed_time_out = 1s;
  call.total_time_out = 30s;
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = client.send(call);
  REQUIRE(!answer);
  CHECK(answer.error().code == Code::unknown_outcome);
  CHECK(std::chrono::steady_clock::now() - begun < 15s);
}

TEST_CASE("a body over the cap is too large, announced or not") {
  LoopbackServer server([](Connection& connection, const std::string& request) {
    const std::string body(2000, 'x');
    if (has(request, "/announced")) connection.send(LoopbackServer::answer(body));
    else connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body), connection.close();
  });
  http::Client client({});
  for (const auto* path : {"/announced", "/not"}) {
    auto call = get(server.url(path));
    call.max_body_bytes = 1999;
    const auto answer = client.send(call);
    REQUIRE(!answer);
    CHECK(answer.error().code == Code::too_large);
    call.max_body_bytes = 2000;
    const auto whole = client.send(call);
    REQUIRE(whole);
    CHECK(whole->bytes == 2000);
  }
}

TEST_CASE("a good body streams into a descriptor, a bad one does not") {
  LoopbackServer server([](Connection& connection, const std::string& request) {
    if (has(request, "/missing")) connection.send(LoopbackServer::answer(std::string(70'000, 'e'), "404 Not Found"));
    else connection.send(LoopbackServer::answer(std::string(300'000, 'd')));
  });
  const Folder folder;
  const std::string path = folder.path + "/body";
  const auto file = core::open_file(path, O_RDWR | O_CREAT).value();
  http::Client client({});
  auto call = get(server.url("/missing"));
  call.output_fd = file.get();
  const auto missing = client.send(call);
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->body == std::string(http::kMaxErrorBody, 'e'));
  CHECK(std::filesystem::file_size(path) == 0);

  call.url = server.url("/document");
  const auto whole = client.send(call);
  REQUIRE(whole);
  CHECK(whole->body.empty());
  CHECK(whole->bytes == 300'000);
  CHECK(core::read_file(path, 1'000'000).value() == std::string(300'000, 'd'));

  const auto full = core::open_file("/dev/full", O_WRONLY).value();
  call.output_fd = full.get();
  const auto no_space = client.send(call);
  REQUIRE(!no_space);
  CHECK(no_space.error().code == Code::no_space);
}

TEST_CASE("redirects are followed to allowed hosts only, without credentials") {
  std::string target;
  LoopbackServer other([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("there")); });
  LoopbackServer first([&](Connection& connection, const std::string& request) {
    if (has(request, "/end")) connection.send(LoopbackServer::answer("here"));
    else connection.send(LoopbackServer::answer("", "302 Found", "Location: " + target + "\r\n"));
  });
  http::Client client({});
  const http::Credentials account{"user", core::SecretString("pass")};
  auto call = get(first.url("/start"));
  call.credentials = &account;
  call.headers = {{"X-Key", "secret"}};

  target = "/end?x#y";
  const auto same = client.send(call);
  REQUIRE(same);
  CHECK(same->body == "here");
  CHECK(same->effective_url == first.url("/end?x"));
  CHECK(has(first.requests().back(), "Authorization: Basic"));

  target = "http://who:ever@127.0.0.1:" + std::to_string(other.port()) + "/x";
  const auto foreign = client.send(call);
  REQUIRE(!foreign);
  CHECK(foreign.error().code == Code::forbidden);
  CHECK(other.requests().empty());

  call.may_follow = {"127.0.0.1:" + std::to_string(other.port())};
  const auto allowed = client.send(call);
  REQUIRE(allowed);
  CHECK(allowed->body == "there");
  CHECK(!has(other.requests().back(), "Authorization"));
  CHECK(!has(other.requests().back(), "X-Key"));

  for (const auto* bad : {"http://example.com/", "http://10.0.0.1/", "https://example.com/", "//example.com/"}) {
    CAPTURE(bad);
    target = bad;
    const auto refused = client.send(call);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::forbidden);
  }
  for (const auto* bad : {"file:///etc/passwd", "ftp://127.0.0.1/", "http://"}) {
    CAPTURE(bad);
    target = bad;
    CHECK(!client.send(call));
  }
  target = "http://127.0.0.1:" + std::to_string(dead_port()) + "/";
  call.may_follow = {target.substr(7, target.size() - 8)};
  CHECK(client.send(call).error().code == Code::unknown_outcome);

  const auto before = first.requests().size();
  target = "/again";
  CHECK(client.send(call).error().code == Code::forbidden);
  CHECK(first.requests().size() == before + 4);

  call.max_redirects = 0;
  CHECK(client.send(call)->status == 302);
  auto posted = post(first.url("/start"), "x");
  CHECK(client.send(posted)->status == 302);
}

TEST_CASE("TLS: the name and the authority are verified; CONNECT_TO changes the address only") {
  const test::Certificate good("provider.test");
  const test::Certificate stranger("provider.test");
  LoopbackServer server([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("safe")); }, &good);
  const Folder folder;
  good.write_pem(folder.path + "/good.pem");
  stranger.write_pem(folder.path + "/stranger.pem");
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const auto call = [&](const std::string& name, const std::string& ca) {
    http::Client client({.ca_file = ca.empty() ? "" : folder.path + ca, .connect_to = {{name + ":8443", address}}});
    return client.send(post("https://" + name + ":8443/", "x"));
  };
  const auto answer = call("provider.test", "/good.pem");
  REQUIRE(answer);
  CHECK(answer->body == "safe");
  CHECK(has(server.requests().back(), "Host: provider.test:8443\r\n"));

  for (const auto& [name, ca] : std::vector<std::pair<std::string, std::string>>{
           {"provider.test", ""}, {"provider.test", "/stranger.pem"}, {"other.test", "/good.pem"}}) {
    CAPTURE(name + ca);
    const auto refused = call(name, ca);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::provider_down);
  }
  CHECK(server.requests().size() == 1);
  CHECK(call("provider.test", "/none.pem").error().code == Code::settings);
}

TEST_CASE("what must not be sent is not") {
  LoopbackServer server([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("")); });
  http::Client client({.connect_to = {{"plain.test:80", "127.0.0.1:" + std::to_string(server.port())}}});
  CHECK(client.send(get("http://plain.test/")).error().code == Code::forbidden);
  CHECK(client.send(get("http://192.0.2.1/")).error().code == Code::forbidden);
  CHECK(client.send(get("nonsense")).error().code == Code::bad_request);
  CHECK(client.send(get("http://user:pass@127.0.0.1/")).error().code == Code::bad_request);
  auto call = get(server.url());
  call.method = "TRACE";
  CHECK(client.send(call).error().code == Code::bad_request);
  for (const auto& header : std::vector<std::pair<std::string, std::string>>{{"X", "a\r\nY: b"}, {"X\n", "a"}, {"", "a"}, {"X: y", "z"}}) {
    call = get(server.url());
    call.headers = {header};
    CHECK(client.send(call).error().code == Code::bad_request);
  }
  call = post(server.url(), "");
  call.content_type = "text/plain\r\nX: y";
  CHECK(client.send(call).error().code == Code::bad_request);
  CHECK(server.requests().empty());
}

TEST_CASE("no proxy is taken from the environment") {
  LoopbackServer proxy([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("proxy")); });
  LoopbackServer server([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("server")); });
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url("").c_str(), 1);
  http::Client client({});
  const auto answer = client.send(get(server.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  REQUIRE(answer);
  CHECK(answer->body == "server");
}

TEST_CASE("many threads share one client") {
  LoopbackServer server([](Connection& connection, const std::string& request) {
    connection.send(LoopbackServer::answer(request.substr(4, request.find(' ', 4) - 4)));
  });
  http::Client client({});
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) {
        const std::string path = "/" + std::to_string(i * 100 + j);
        const auto answer = client.send(get(server.url(path)));
        if (answer && answer->body == path) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(good == 80);
  CHECK(server.connections() <= 8);
}

TEST_CASE("client: a body is read not faster than it may be") {
  const LoopbackServer server([](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer(std::string(200'000, 'x'))); });
  http::Client client{{}};
  const auto start = std::chrono::steady_clock::now();
  const auto answer = client.send({.url = server.url(), .max_bytes_a_second = 100'000});
  REQUIRE(answer);
  CHECK(answer->body.size() == 200'000);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  CHECK(took > 500);
}
