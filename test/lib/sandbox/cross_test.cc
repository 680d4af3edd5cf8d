// The two readings of the wire against each other: what the practice provider writes, the dialect reads, and the other
// way round. (Only a test may know both.)
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <stdlib.h>

#include "core/log.h"
#include "crypto/encoding.h"
#include "sandbox/sandbox.h"
#include "sandbox/signature.h"
#include "sandbox/twiml.h"
#include "twilio/answer.h"
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

TEST_CASE("cross: signatures") {
  const sandbox::Pairs pairs{{"To", "+1"}, {"FaxSid", "FX1"}, {"From", "é &"}, {"from", ""}};
  std::vector<core::SecretString> keys;
  keys.emplace_back("secret");
  for (const char* url : {"https://fax.example.org:3297/fax/initialize", "https://u:p%40@fax.example.org:3297/fax/initialize"}) {
    const std::string header = sandbox::sign("secret", url, pairs);
    twilio::SignedRequest request{"https://fax.example.org:3297", "/fax/initialize", pairs, header, "u", "p@"};
    CHECK(twilio::is_signed(request, keys, twilio::kTwilio));
    request.target = "/fax/payload";
    CHECK_FALSE(twilio::is_signed(request, keys, twilio::kTwilio));
  }
}
