// The two readings of the wire against each other: what the practice provider writes, the dialect reads, and the other
// way round. (Only a test may know both.)
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <stdlib.h>

#include "../http/loopback_server.h"
#include "core/log.h"
#include "crypto/encoding.h"
#include "sandbox/sandbox.h"
#include "sandbox/signature.h"
#include "sandbox/twiml.h"
#include "twilio/answer.h"
#include "twilio/provider.h"
#include "twilio/signature.h"
#include "twilio/twiml.h"

namespace {

class Nobody final : public sandbox::Network {
 public:
  core::Result<http::Answer> send(const http::Call&) override { return core::Error{.code = core::Code::provider_down, .text = "down"}; }
};

}  // namespace

TEST_CASE("cross: answers of the API") {
  char name[] = "/tmp/faxline-sandbox-cross-XXXXXX";
  const std::string folder = mkdtemp(name);
  const core::LogCapture log;
  Nobody nobody;
  sandbox::Options options;
  options.folder = folder;
  options.account_sid = "AC1";
  options.token = core::SecretString("secret");
  options.api_url = "https://127.0.0.1:3299";
  options.network = &nobody;
  sandbox::Sandbox line(std::move(options));
  REQUIRE(line.open());
  const auto ask = [&](std::string method, std::string path, std::string query, std::string body, std::string type) {
    sandbox::Request request{std::move(method), std::move(path), std::move(query), "Basic " + crypto::base64_encode("AC1:secret"), std::move(type), {}};
    request.read_body = [body = std::move(body), done = false](std::span<std::byte> block) mutable -> core::Result<std::size_t> {
      if (std::exchange(done, true)) return std::size_t{0};
      std::memcpy(block.data(), body.data(), std::min(block.size(), body.size()));
      return std::min(block.size(), body.size());
    };
    return line.handle(request);
  };
  const std::string form = "application/x-www-form-urlencoded";
  const auto taken = ask("POST", "/v1/Faxes", "", "To=%2B12125551212&From=%2B15005550006&MediaUrl=https%3A%2F%2Flocalhost%2Fa", form);
  REQUIRE(taken.status == 201);
  const auto sent = twilio::read_fax(taken.body);
  REQUIRE(sent);
  CHECK(sent->status == fax::ProviderStatus::queued);
  CHECK(sent->direction == fax::Direction::outbound);
  CHECK(sent->from == "+15005550006");
  CHECK(sent->to == "+12125551212");
  CHECK_FALSE(sent->pages);
  CHECK(sent->created);
  const auto received = twilio::read_fax(ask("POST", "/sandbox/receive", "From=%2B12125551212", "%PDF-1.4 /Type /Page ", "application/pdf").body);
  REQUIRE(received);
  CHECK(received->status == fax::ProviderStatus::receiving);
  CHECK(received->direction == fax::Direction::inbound);
  CHECK(received->pages == 1);

  const auto page = twilio::read_page(ask("GET", "/v1/Faxes", "PageSize=1", "", "").body);
  REQUIRE(page);
  CHECK(page->faxes.size() == 1);
  CHECK(page->next.starts_with("https://127.0.0.1:3299/v1/Faxes?"));
  const auto last = twilio::read_page(ask("GET", "/v1/Faxes", page->next.substr(page->next.find('?') + 1), "", "").body);
  REQUIRE(last);
  CHECK(last->faxes.size() == 1);
  CHECK(last->faxes[0].id != page->faxes[0].id);
  CHECK(last->next.empty());
  CHECK(twilio::read_media(ask("GET", "/v1/Faxes/" + sent->id + "/Media", "", "", "").body)->empty());

  const auto refusal = twilio::read_refusal(ask("POST", "/v1/Faxes", "", "To=%2B15005550005&From=%2B15005550006&MediaUrl=https%3A%2F%2Flocalhost%2Fa", form).body);
  REQUIRE(refusal);
  CHECK(refusal->code == "21211");
  CHECK_FALSE(refusal->message.empty());
  std::filesystem::remove_all(folder);
}

TEST_CASE("cross: TwiML") {
  for (const bool store : {true, false}) {
    const auto receive = sandbox::read_twiml(twilio::receive_twiml(twilio::kTwilio, "https://u:p%40@fax.example.org:3297/fax/payload?t=a&b=\"<'", store));
    REQUIRE(receive);
    CHECK(receive->action == "https://u:p%40@fax.example.org:3297/fax/payload?t=a&b=\"<'");
    CHECK(receive->method == "POST");
    CHECK(receive->store_media == store);
  }
}

namespace {

// The practice provider behind a server, and the line's own provider as its client.
struct Pair {
  explicit Pair(std::string_view dialect)
      : server([this](test::Connection& connection, const std::string& request) { answer(connection, request); }),
        provider(client, {.dialect = twilio::dialect_of(dialect), .base_url = server.url(""), .sid = "AC1", .token = core::SecretString("secret"), .quality = "superfine", .ttl_minutes = 60, .sip_user = "jack", .sip_password = core::SecretString("word")}) {
    char name[] = "/tmp/faxline-sandbox-cross-XXXXXX";
    folder = mkdtemp(name);
    sandbox::Options options;
    options.dialect = dialect;
    options.folder = folder;
    options.account_sid = "AC1";
    options.token = core::SecretString("secret");
    options.api_url = server.url("");
    options.network = &nobody;
    line = std::make_unique<sandbox::Sandbox>(std::move(options));
    REQUIRE(line->open());
  }
  ~Pair() { std::filesystem::remove_all(folder); }

  void answer(test::Connection& connection, const std::string& request) {
    const auto word = [&](std::string_view begin, std::string_view end) {
      const auto at = request.find(begin);
      if (at == std::string::npos) return std::string();
      return request.substr(at + begin.size(), request.find(end, at + begin.size()) - at - begin.size());
    };
    const std::string target = word(" ", " ");
    sandbox::Request asked{request.substr(0, request.find(' ')), target.substr(0, target.find('?')), target.find('?') == std::string::npos ? "" : target.substr(target.find('?') + 1),
                           word("Authorization: ", "\r\n"), word("Content-Type: ", "\r\n"), {}};
    asked.read_body = [body = request.substr(request.find("\r\n\r\n") + 4), done = false](std::span<std::byte> block) mutable -> core::Result<std::size_t> {
      if (std::exchange(done, true)) return std::size_t{0};
      std::memcpy(block.data(), body.data(), body.size());
      return body.size();
    };
    const auto given = line->handle(asked);
    std::string head = "HTTP/1.1 " + std::to_string(given.status) + " X\r\n";
    for (const auto& [name, value] : given.headers) head += name + ": " + value + "\r\n";
    if (given.body.empty() && given.status != 204) head += "Content-Length: 0\r\n";
    if (given.drop) return connection.close();
    connection.send(head + "\r\n" + given.body);
  }
  void arm(std::string_view fault) {
    http::Call call{.method = "POST", .url = server.url("/sandbox/faults")};
    const http::Credentials credentials{"AC1", core::SecretString("secret")};
    call.credentials = &credentials;
    call.body = "fault=" + std::string(fault);
    REQUIRE(client.send(call)->status == 200);
  }
  fax::SubmitOutcome submit(std::string to = "+12125551212") {
    return provider.submit({.from = "+15005550006", .to = std::move(to), .media_url = "https://u:p%40@localhost:3297/fax/sending/t", .callback_url = "https://u:p%40@localhost:3297/fax/callback/c"});
  }

  core::LogCapture log;
  Nobody nobody;
  http::Client client{{}};
  std::string folder;
  std::unique_ptr<sandbox::Sandbox> line;
  test::LoopbackServer server;
  twilio::Provider provider;
};

}  // namespace

TEST_CASE("cross: what the line sends is what the documentation has") {
  for (const char* dialect : {"twilio", "signalwire"}) {
    using Kind = fax::SubmitOutcome::Kind;
    Pair pair(dialect);
    const auto taken = pair.submit();
    REQUIRE_MESSAGE(taken.kind == Kind::taken, dialect, taken.message);
    CHECK(pair.submit("sip:kate@example.com").kind == Kind::taken);
    CHECK(pair.provider.fetch(taken.provider_id)->status == fax::ProviderStatus::queued);
    CHECK(pair.provider.fetch(taken.provider_id)->created);
    fax::ListQuery query;
    query.created_after = core::SystemClock().now() - std::chrono::hours(1);
    query.from = "+15005550006";
    query.to = "+12125551212";
    const auto listed = pair.provider.list(query);
    REQUIRE(listed);
    CHECK(listed->faxes.size() == 1);
    CHECK(pair.provider.cancel(taken.provider_id).kind == fax::CancelOutcome::Kind::canceled);
    CHECK(pair.provider.cancel(taken.provider_id).kind == fax::CancelOutcome::Kind::too_late);
    CHECK(pair.provider.delete_media(taken.provider_id));
    CHECK(pair.provider.media_url(taken.provider_id).error().code == core::Code::not_found);
    const auto refused = pair.submit("+15005550005");
    CHECK(refused.kind == Kind::not_taken);
    CHECK(refused.error_code == "21211");
    CHECK(pair.log.text().find("not as documented") == std::string::npos);
  }
}

TEST_CASE("cross: the line follows all pages") {
  for (const char* dialect : {"twilio", "signalwire"}) {
    Pair pair(dialect);
    std::set<std::string> ids;
    for (int i = 0; i < 203; ++i) ids.insert(pair.submit().provider_id);
    const auto listed = pair.provider.list({});
    REQUIRE(listed);
    CHECK(listed->faxes.size() == 203);
    for (const auto& fax : listed->faxes) CHECK(ids.contains(fax.id));
    CHECK(pair.server.requests().back().find("PageToken=PA") != std::string::npos);
  }
}

TEST_CASE("cross: what the line makes of each fault of the call to send") {
  using Kind = fax::SubmitOutcome::Kind;
  for (const char* dialect : {"twilio", "signalwire"}) {
    Pair pair(dialect);
    for (const auto& [fault, kind] : std::initializer_list<std::pair<const char*, Kind>>{{"refuse", Kind::not_taken}, {"unauthorized", Kind::unauthorized}, {"rate-limit", Kind::rate_limited}, {"error-500", Kind::unknown},
                                      {"error-500-taken", Kind::unknown}, {"drop", Kind::unknown}, {"answer-twice", Kind::unknown}, {"answer-huge", Kind::unknown}, {"not-json", Kind::unknown}}) {
      pair.arm(fault);
      CHECK_MESSAGE(pair.submit().kind == kind, fault);
    }
    CHECK(pair.submit().kind == Kind::taken);
  }
}

TEST_CASE("cross: signatures") {
  const sandbox::Pairs pairs{{"To", "+1"}, {"FaxSid", "FX1"}, {"From", "é &"}, {"from", ""}};
  std::vector<core::SecretString> keys;
  keys.emplace_back("secret");
  for (const char* url : {"https://fax.example.org:3297/fax/initialize", "https://u:p%40@fax.example.org:3297/fax/initialize"}) {
    const std::string header = sandbox::sign("secret", url, pairs);
    twilio::SignedRequest request{"https://fax.example.org:3297", "/fax/initialize", pairs, header, "u", "p@"};
    CHECK(twilio::is_signed(request, keys, twilio::kTwilio));
    const sandbox::Pairs repeated{{"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}, {"A", "b"}};
    for (const bool sorted : {true, false}) {
      const std::string given = sandbox::sign("secret", url, repeated, sorted);
      const twilio::SignedRequest several{"https://fax.example.org:3297", "/fax/initialize", repeated, given, "u", "p@"};
      CHECK(twilio::is_signed(several, keys, sorted ? twilio::kTwilio : twilio::kSignalWire));
      CHECK_FALSE(twilio::is_signed(several, keys, sorted ? twilio::kSignalWire : twilio::kTwilio));
    }
    request.target = "/fax/payload";
    CHECK_FALSE(twilio::is_signed(request, keys, twilio::kTwilio));
  }
}
