// Documents at the provider: listed, told of, deleted; and where a received one may be fetched from.
#include <doctest/doctest.h>
#include <fcntl.h>

#include "core/fd.h"
#include "line.h"

using core::Code;
using test::always;
using test::Connection;
using test::has;
using test::Line;
using test::LoopbackServer;

namespace {

constexpr const char* kFiles = "files.signalwire.com";

// SignalWire: its API, and beside it its host of files, which this machine finds at a loopback address.
struct Space {
  Space(LoopbackServer::Handler of_api, LoopbackServer::Handler of_files, std::vector<std::string> media_hosts = {})
      : api(std::move(of_api)), files(std::move(of_files), &certificate), client(options()),
        provider(client, {.dialect = twilio::kSignalWire, .base_url = api.url(""), .sid = "AC1", .token = core::SecretString("s3cret"), .media_hosts = std::move(media_hosts)}) {}
  ~Space() { ::unlink(pem.c_str()); }
  http::Options options() {
    certificate.write_pem(pem);
    return {.ca_file = pem, .connect_to = {{kFiles + std::string(":443"), "127.0.0.1:" + std::to_string(files.port())}}};
  }
  core::Result<std::int64_t> download(const std::string& url) {
    const auto file = core::open_file("/tmp", O_RDWR | O_TMPFILE, 0600).value();
    return provider.download(url, file.get(), 100);
  }
  Code refusal(const std::string& url) {
    CAPTURE(url);
    const auto got = download(url);
    REQUIRE(!got);
    CHECK(!has(got.error().text, "s3cret"));
    CHECK(!has(got.error().hint, "s3cret"));
    return got.error().code;
  }
  test::Certificate certificate{kFiles};
  std::string pem = "/tmp/twilio-media-" + std::to_string(::getpid()) + ".pem";
  LoopbackServer api;
  LoopbackServer files;
  http::Client client;
  twilio::Provider provider;
};

}  // namespace

TEST_CASE("one document, and the deletion of one, of all, of the fax") {
  Line line([](Connection& connection, const std::string& request) {
    if (request.starts_with("DELETE")) connection.send(has(request, "FX409") ? LoopbackServer::answer(R"({"code":20009,"message":"in progress"})", "409 Conflict") : has(request, "FX404") ? LoopbackServer::answer("", "404 Not Found") : "HTTP/1.1 204 No Content\r\n\r\n");
    else if (has(request, "/Media/ME1 ")) connection.send(LoopbackServer::answer(R"({"sid":"ME1","fax_sid":"FX1","content_type":"application/pdf","url":"/v1/Faxes/FX1/Media/ME1"})"));
    else if (has(request, "/Media/ME2 ")) connection.send(LoopbackServer::answer(R"({"sid":"ME1"})"));
    else if (has(request, "Page=1")) connection.send(LoopbackServer::answer(R"({"media":[{"sid":"ME2"}],"next_page_uri":null})"));
    else connection.send(LoopbackServer::answer(R"({"media":[{"sid":"ME1"}],"next_page_uri":"/v1/Faxes/FX1/Media?Page=1"})"));
  });
  CHECK(line.provider.media("FX1").value() == std::vector<std::string>{"ME1", "ME2"});
  const auto medium = line.provider.medium("FX1", "ME1");
  REQUIRE(medium);
  CHECK(medium->content_type == "application/pdf");
  CHECK(medium->url == "/v1/Faxes/FX1/Media/ME1");
  CHECK(line.provider.medium("FX1", "ME2").error().code == Code::bad_request);

  CHECK(line.provider.delete_medium("FX1", "ME1"));
  CHECK(line.last().starts_with("DELETE /v1/Faxes/FX1/Media/ME1 HTTP/1.1\r\n"));
  CHECK(line.provider.delete_fax("FX1"));
  CHECK(line.last().starts_with("DELETE /v1/Faxes/FX1 HTTP/1.1\r\n"));
  CHECK(line.provider.delete_fax("FX404"));
  CHECK(line.provider.delete_fax("FX409").error().code == Code::conflict);
  const auto before = line.server.requests().size();
  for (const auto* bad : {"", "..", "a/b", "FX1?x"}) {
    CHECK(line.provider.delete_fax(bad).error().code == Code::bad_request);
    CHECK(line.provider.delete_medium("FX1", bad).error().code == Code::bad_request);
    CHECK(line.provider.medium(bad, "ME1").error().code == Code::bad_request);
    CHECK(line.provider.media(bad).error().code == Code::bad_request);
  }
  CHECK(line.server.requests().size() == before);
}

TEST_CASE("an address without a host is the provider's own") {
  Space space(always("%PDF"), always("%PDF"));
  REQUIRE(space.download("/api/laml/media/x.pdf?a=b"));
  CHECK(space.api.requests().back().starts_with("GET /api/laml/media/x.pdf?a=b HTTP/1.1\r\n"));
  CHECK(has(space.api.requests().back(), "Authorization: Basic "));
  CHECK(space.refusal("//192.168.1.1/x.pdf") == Code::forbidden);
  CHECK(space.refusal("x.pdf") == Code::bad_request);
}

TEST_CASE("what nobody named is not called") {
  Space space(always("%PDF"), always("%PDF"));
  const auto port = std::to_string(space.files.port());
  for (const auto* url : {"https://192.168.1.1/x.pdf", "https://169.254.169.254/latest/meta-data/", "https://[::1]/x.pdf", "https://10.0.0.1:8443/x.pdf", "https://2130706433/x.pdf", "http://localhost/x.pdf", "https://example.org/x.pdf",
                          "https://files.signalwire.com.example.org/x.pdf", "https://files.signalwire.com:8443/x.pdf", "https://files.signalwire.com@192.168.1.1/x.pdf", "https://user:s3cret@example.org/x.pdf"})
    CHECK(space.refusal(url) == Code::forbidden);
  CHECK(space.refusal("https://127.0.0.1:" + port + "/x.pdf") == Code::forbidden);
  for (const auto* url : {"ftp://files.signalwire.com/x.pdf", "file:///etc/passwd", "gopher://127.0.0.1/x", "javascript:x", "https:///x", ""}) CHECK(space.refusal(url) == Code::bad_request);
  CHECK(space.api.connections() == 0);
  CHECK(space.files.connections() == 0);
}

TEST_CASE("the provider's host of files: no other address, no credentials in its URLs, no plain http") {
  Space space(always("%PDF"), always("%PDF"));
  CHECK(space.refusal("https://user:s3cret@files.signalwire.com/x.pdf") == Code::forbidden);
  CHECK(space.refusal("http://files.signalwire.com/x.pdf") == Code::forbidden);
  CHECK(space.files.connections() == 0);
  // Its name leads to this machine here.
  CHECK(space.refusal("https://files.signalwire.com/x.pdf") == Code::forbidden);
  CHECK(space.files.requests().empty());

  Space away([](Connection& connection, const std::string& request) {
    const bool plain = has(request, "/plain");
    connection.send(LoopbackServer::answer("", "302 Found", std::string("Location: ") + (plain ? "http" : "https") + "://" + (has(request, "/user") ? "u:s3cret@" : "") + "files.signalwire.com/x.pdf\r\n"));
  }, always("%PDF"));
  for (const auto* path : {"/away", "/plain", "/user"}) CHECK(away.refusal(path) == Code::forbidden);
  CHECK(away.files.requests().empty());
}

TEST_CASE("redirects to networks of somebody's own") {
  std::string target;
  Space space([&](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer("", "302 Found", "Location: " + target + "\r\n")); }, always("%PDF"));
  for (const auto* url : {"https://192.168.1.1/x", "http://169.254.169.254/", "https://[fd00::1]/", "http://10.0.0.1/", "//172.16.0.1/", "http://127.0.0.1:1/"}) {
    target = url;
    CHECK(space.refusal("/x.pdf") == Code::forbidden);
  }
  target = "file:///etc/passwd";
  CHECK(space.refusal("/x.pdf") == Code::bad_request);
  target = "/x.pdf";
  CHECK(space.refusal("/x.pdf") == Code::forbidden);
  CHECK(space.api.requests().size() == 7 + 4);
}

TEST_CASE("a redirect to a host that nobody named: said so, with the host") {
  Space space(always("", "302 Found", "Location: https://store.example.net/x.pdf?key=s3cret\r\n"), always("%PDF"));
  const auto got = space.download("/x.pdf");
  REQUIRE(!got);
  CHECK(got.error().code == Code::forbidden);
  CHECK(got.error().field == "MEDIA_HOSTS");
  CHECK(has(got.error().hint, "store.example.net, which the setting MEDIA_HOSTS does not name"));
  CHECK(!has(got.error().hint, "s3cret"));
}

TEST_CASE("the host of files gets the token when it asks, and nobody else does") {
  const auto ask_token = [](Connection& connection, const std::string& request) {
    if (has(request, "Authorization: Bearer s3cret\r\n")) connection.send(LoopbackServer::answer("%PDF"));
    else if (has(request, "/free")) connection.send(LoopbackServer::answer("%PDF-free"));
    else connection.send(LoopbackServer::answer("", has(request, "/403") ? "403 Forbidden" : "401 Unauthorized"));
  };
  Space space(always("", "302 Found", "Location: https://files.signalwire.com/x.pdf\r\n"), ask_token, {kFiles});
  CHECK(space.download("https://files.signalwire.com/free").value() == 9);
  REQUIRE(space.files.requests().size() == 1);
  CHECK(!has(space.files.requests().back(), "Authorization"));

  CHECK(space.download("https://files.signalwire.com/x.pdf").value() == 4);
  CHECK(space.download("https://files.signalwire.com/403").value() == 4);
  const auto requests = space.files.requests();
  REQUIRE(requests.size() == 5);
  CHECK(!has(requests[1], "Authorization"));
  CHECK(has(requests[2], "Authorization: Bearer s3cret\r\n"));
  CHECK(!has(requests[3], "Authorization"));

  // The API leads there, too; what it asks for itself is not sent on.
  CHECK(space.download("/x.pdf").value() == 4);
  CHECK(!has(space.files.requests()[5], "Authorization"));
  CHECK(has(space.files.requests()[6], "Authorization: Bearer s3cret\r\n"));

  // Led away, the token stays.
  LoopbackServer named(always("%PDF"));
  Space leading(always(""), [&](Connection& connection, const std::string& request) {
    connection.send(has(request, "Bearer") ? LoopbackServer::answer("", "302 Found", "Location: " + named.url("/x") + "\r\n") : LoopbackServer::answer("", "401 Unauthorized"));
  }, {kFiles, "127.0.0.1:" + std::to_string(named.port())});
  CHECK(leading.download("https://files.signalwire.com/x.pdf").value() == 4);
  REQUIRE(named.requests().size() == 1);
  CHECK(!has(named.requests()[0], "Authorization"));

  Space closed(always(""), always("", "401 Unauthorized"), {kFiles});
  CHECK(closed.refusal("https://files.signalwire.com/x.pdf") == Code::forbidden);
  CHECK(closed.files.requests().size() == 2);
}

TEST_CASE("a host that the owner named gets the credentials that its URL holds, never the account's") {
  LoopbackServer named([](Connection& connection, const std::string& request) {
    connection.send(has(request, "Authorization: Basic dTpw\r\n") ? LoopbackServer::answer("%PDF") : LoopbackServer::answer("", "401 Unauthorized"));
  });
  const std::string host = "127.0.0.1:" + std::to_string(named.port());
  Space space(always(""), always(""), {host});
  CHECK(space.download("http://u:p@" + host + "/x.pdf").value() == 4);
  CHECK(space.refusal(named.url("/x.pdf")) == Code::forbidden);
  REQUIRE(named.requests().size() == 2);
  CHECK(!has(named.requests()[1], "Authorization"));
}
