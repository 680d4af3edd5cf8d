// A practice provider with a network of its own, for tests: in either dialect.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "core/log.h"
#include "crypto/encoding.h"
#include "form/fields.h"
#include "json/value.h"
#include "sandbox/sandbox.h"
#include "sandbox/signature.h"
#include "text/percent.h"

namespace sandbox_test {

using namespace sandbox;
using namespace std::chrono_literals;

constexpr std::string_view kToken = "secret";
constexpr std::string_view kTwoPages = "%PDF-1.4\n<</Type /Page>> <</Type /Page>>\n%%EOF\n";
constexpr std::string_view kOwn = "+15005550006";

using Words = std::vector<std::string>;

struct Called {
  std::string method, url, body, content_type, signature, user, range;
  std::int64_t bytes_a_second = 0;
};

// Answers for everything that the sandbox calls, and remembers it.
class FakeNetwork final : public Network {
 public:
  core::Result<http::Answer> send(const http::Call& call) override {
    const std::lock_guard lock(mutex);
    Called called{call.method, call.url, call.body, call.content_type, {}, call.credentials != nullptr ? call.credentials->user : "", {}};
    called.bytes_a_second = call.max_bytes_a_second;
    for (const auto& [name, value] : call.headers) {
      if (name == signature_header) called.signature = value;
      if (name == "Range") called.range = value;
    }
    calls.push_back(called);
    if (down) return core::Error{.code = core::Code::provider_down, .text = "down"};
    if (want_login && call.credentials == nullptr) return http::Answer{.status = 401, .headers = {{"www-authenticate", "Basic realm=\"fax\""}}};
    http::Answer answer{.status = status};
    if (call.url.find("/fax/initialize") != std::string::npos) answer.body = twiml;
    if (call.method != "GET" || call.output_fd < 0 || status != 200) return answer;
    std::string_view bytes = document;
    if (!called.range.empty()) {
      answer.status = called.range == "bytes=0-1023" ? 206 : bytes.size() > 1024 ? 206 : 416;
      bytes = called.range == "bytes=0-1023" ? bytes.substr(0, 1024) : bytes.substr(std::min<std::size_t>(bytes.size(), 1024));
    }
    CHECK(core::write_all(call.output_fd, bytes, "document"));
    return answer;
  }
  std::vector<Called> to(std::string_view part) const {
    std::vector<Called> found;
    for (const Called& call : calls)
      if (call.url.find(part) != std::string::npos) found.push_back(call);
    return found;
  }

  std::mutex mutex;
  std::string signature_header = "X-Twilio-Signature";
  std::vector<Called> calls;
  bool down = false, want_login = false;
  int status = 200;
  std::string document{kTwoPages};
  std::string twiml = "<Response><Receive action=\"/fax/payload?t=abc\" storeMedia=\"true\"/></Response>";
};

struct Line {
  explicit Line(std::string spoken = "twilio") : dialect(std::move(spoken)) {
    if (signalwire()) network.signature_header = "X-SignalWire-Signature";
    char name[] = "/tmp/faxline-sandbox-XXXXXX";
    folder = mkdtemp(name);
    start();
  }
  ~Line() {
    sandbox.reset();
    std::filesystem::remove_all(folder);
  }

  bool signalwire() const { return dialect == "signalwire"; }

  void start() {
    Options options;
    options.dialect = dialect;
    if (!signing_key.empty()) options.signing_key = core::SecretString(signing_key);
    options.folder = folder + "/sandbox";
    options.account_sid = "AC1";
    options.token = core::SecretString(std::string(kToken));
    options.api_url = "https://127.0.0.1:3299";
    options.incoming_url = "https://localhost:3297/fax/initialize";
    options.connect_to = {{"fax.example.org:3297", "127.0.0.1:3297"}, {"evil.example.org:443", "198.51.100.1:443"}};
    options.clock = standing ? &clock : nullptr;
    options.time_scale = standing ? 1.0 : 0.01;
    options.network = &network;
    sandbox.reset();
    sandbox = std::make_unique<Sandbox>(std::move(options));
    REQUIRE(sandbox->open());
  }

  Response ask(std::string method, std::string path, std::string query = "", std::string body = "", std::string type = "application/x-www-form-urlencoded", std::string login = "AC1:secret") {
    Request request{std::move(method), std::move(path), std::move(query), "Basic " + crypto::base64_encode(login), std::move(type), {}};
    request.read_body = [text = std::move(body), at = std::size_t{0}](std::span<std::byte> block) mutable -> core::Result<std::size_t> {
      const std::size_t size = std::min({block.size(), text.size() - at, std::size_t{7}});
      std::memcpy(block.data(), text.data() + at, size);
      at += size;
      return size;
    };
    return sandbox->handle(request);
  }

  Response send(std::string_view to, std::string_view more = "&StatusCallback=https%3A%2F%2Flocalhost%3A3297%2Ffax%2Fcallback%2Fx&StoreMedia=false") {
    return ask("POST", faxes(), "",
               "To=" + text::percent_encode(to) + "&From=" + text::percent_encode(kOwn) + "&MediaUrl=https%3A%2F%2Fu%3Ap%40fax.example.org%3A3297%2Ffax%2Fsending%2Fy" + std::string(more));
  }

  std::string faxes() const { return signalwire() ? "/api/laml/2010-04-01/Accounts/AC1/Faxes" : "/v1/Faxes"; }
  Response arm(std::string_view fault, std::string_view more = "") { return ask("POST", "/sandbox/faults", "", "fault=" + std::string(fault) + std::string(more)); }
  Response arrive() { return ask("POST", "/sandbox/receive", "From=%2B12125551212", std::string(kTwoPages), "application/pdf"); }

  // Lets time go by, in steps of a tenth of a second.
  void pass(std::chrono::milliseconds time) {
    for (auto gone = 0ms; gone < time; gone += 100ms) {
      while (sandbox->step()) {}
      clock.advance(100ms);
    }
    while (sandbox->step()) {}
  }

  json::Value fax(const std::string& sid) { return *json::parse(ask("GET", faxes() + "/" + sid).body); }
  std::string status(const std::string& sid) { return std::string(fax(sid)["status"].as_string().value_or("none")); }
  std::vector<std::string> told() {
    std::vector<std::string> words;
    for (const Called& call : network.to("/fax/callback/")) words.emplace_back(form::parse_urlencoded(call.method == "GET" ? call.url.substr(call.url.find('?') + 1) : call.body)->first("FaxStatus").value_or(""));
    return words;
  }

  core::LogCapture log;
  core::FixedClock clock{core::from_ms(1'795'000'000'500)};
  FakeNetwork network;
  std::string folder;
  bool standing = true;
  std::string dialect, signing_key;
  std::unique_ptr<Sandbox> sandbox;
};

inline std::string sid_of(const Response& response) {
  const auto value = json::parse(response.body);
  REQUIRE(value);
  return std::string((*value)["sid"].as_string().value_or(""));
}

inline std::int64_t code_of(const Response& response) { return (*json::parse(response.body))["code"].as_int64().value_or(0); }



}  // namespace sandbox_test
