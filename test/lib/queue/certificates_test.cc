// What the line's listeners show, and what people are told of it (queue/certificates.h).
#include "queue/certificates.h"

#include <map>

#include "bench.h"
#include "store/certificates.h"

using namespace bench;

namespace {

// For fax.example.org, made by an authority: openssl x509 -req -CA ca.pem -CAkey ca.key -days 90 -set_serial 0x0A01 …
constexpr const char* kFirst = R"(
-----BEGIN CERTIFICATE-----
MIIBZDCCAQugAwIBAgICCgEwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMQW4gYXV0
aG9yaXR5MB4XDTI2MTEyNjEyMDAwMFoXDTI3MDIyNDEyMDAwMFowADBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABFp6PeKkxIaqsvqF/PRnMwYNlZQ1JSvM14e6mv6h
dTX3GdktqW3BQpnHOksdMu+SAr5i2C0TSM75BKU0IKTuqGajXjBcMBoGA1UdEQQT
MBGCD2ZheC5leGFtcGxlLm9yZzAdBgNVHQ4EFgQUyHNs3sBhBxhdXB9kRXksu5kY
zNEwHwYDVR0jBBgwFoAUi6DX/1esFsMdbjklsGm4Vv0ZTmcwCgYIKoZIzj0EAwID
RwAwRAIgcb6TvEOuwhRvXQqsGvMSB3AbQOibnGzZycKx2b6RwX0CIH+RWRcpMwfL
lDjXZRXx11BCehcnmdxHe+TZbxtj+s1e
-----END CERTIFICATE-----
)";
constexpr const char* kFirstEnds = "2027-02-24T12:00:00Z";

// The same 76 days later, with the serial number 0x0A02.
constexpr const char* kSecond = R"(
-----BEGIN CERTIFICATE-----
MIIBZTCCAQugAwIBAgICCgIwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMQW4gYXV0
aG9yaXR5MB4XDTI3MDIxMDEyMDAwMVoXDTI3MDUxMTEyMDAwMVowADBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABHocoXOaZKN3buz/zrjxyY2XcMLk3TrXAIGPT4s+
LqQBgnObz3llRYbuWhWg6x3eBKA/IZLFeSkd4N23NiSMLGKjXjBcMBoGA1UdEQQT
MBGCD2ZheC5leGFtcGxlLm9yZzAdBgNVHQ4EFgQUxZDyqCw6cTkzIHDeONazeMWf
4/QwHwYDVR0jBBgwFoAUi6DX/1esFsMdbjklsGm4Vv0ZTmcwCgYIKoZIzj0EAwID
SAAwRQIhAKAqfC9E/4O/uMQoCthjXxRfq/Vb1AOObZi3wMHipPDGAiAnbekr39Wg
+KO1Onlpfc7zzH6CAZepDoP06uz6I15z/g==
-----END CERTIFICATE-----
)";

// By the line for itself; until 2036.
constexpr const char* kOwn = R"(
-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUNqoU49ta0ITDEc2w34o+hw7obzcwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDT3duMB4XDTI2MTEyNjEzMTkzNFoXDTM2MTEyMzEzMTkzNFow
DjEMMAoGA1UEAwwDT3duMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/IlldXJF
7/nlSCKV7skMizXNTAnAg0wObg0twDRfsuz79ffkNqRUw3RGF3Td5I1QVdakw3xZ
YAcdZ5rmCvGzRKNvMG0wHQYDVR0OBBYEFJx0z5JFDz7lmyf7O/1nps3kbCAaMB8G
A1UdIwQYMBaAFJx0z5JFDz7lmyf7O/1nps3kbCAaMA8GA1UdEwEB/wQFMAMBAf8w
GgYDVR0RBBMwEYIPZmF4LmV4YW1wbGUub3JnMAoGCCqGSM49BAMCA0gAMEUCIFrK
ee3FMQUx+YjKAPLlYD3ienVF38/Q4544JF4p3PcWAiEAvIxTdmx9JhOqoE3BBe1U
Hh+Wo9WD4ELlj9onPcD91lk=
-----END CERTIFICATE-----
)";

struct Shown : Bench {
  Shown() {
    watched = true;
    at(30 * 24h);
    for (const auto* name : {"lan", "public", "pop3"}) {
      listeners.addresses.emplace_back(name, std::string(name) + ":1");
      pem[std::string(name) + ":1"] = kFirst;
    }
    listeners.certificate = [this](const std::string& address, const std::string&) -> core::Result<std::string> {
      if (pem[address].empty()) return core::Error{core::Code::provider_down, "nobody listens"};
      return pem[address];
    };
  }
  // It is that long before the end of the first certificate.
  void at(core::Milliseconds before_end) {
    clock.set(*core::parse_rfc3339(kFirstEnds) - before_end);
    provider.now = clock.now();
  }
  bool look() { return queue::look_at_certificates(here(), listeners).value(); }
  queue::Context here() {
    auto context = Bench::context();
    if (time) context.time = &*time;
    return context;
  }
  std::string trouble() {
    const auto all = watch->troubles().value();
    return all.empty() ? "" : all[0].text;
  }
  // The causes of the notices since the last look.
  std::vector<std::string> notices() {
    std::vector<std::string> causes;
    auto book = faxes->notices();
    REQUIRE(book.share_out([](const store::Notice&) { return std::vector<std::string>{"webhook"}; }, clock.now()));
    while (const auto errand = book.claim(std::vector<std::string>{"webhook"}, "teller", clock.now(), 1min).value()) {
      causes.push_back(errand->notice.cause_code);
      REQUIRE(book.done(*errand, clock.now()));
    }
    return causes;
  }
  std::map<std::string, std::string> pem;
  queue::Listeners listeners{"machine-1", "fax.example.org"};
  std::optional<queue::Timekeeper> time;
};

}  // namespace

using Words = std::vector<std::string>;

TEST_CASE("certificates: 20 days before the end people are told, once for each certificate, until another is shown") {
  const core::LogCapture log;
  Shown line;
  CHECK(line.look());
  CHECK(line.trouble().empty());
  line.at(queue::kEndsSoon);
  CHECK(line.look());
  CHECK(line.notices().empty());
  line.at(queue::kEndsSoon - 1s);
  CHECK_FALSE(line.look());
  CHECK(line.trouble().find("ends on 2027-02-24T12:00:00Z, and was not renewed") != std::string::npos);
  CHECK(line.notices() == Words{"certificate_ends"});  // of three listeners that show the same
  line.at(10 * 24h);
  CHECK_FALSE(line.look());
  CHECK(line.notices().empty());
  // Renewed: nothing is wrong any more, and what is told later is of the other.
  for (auto& [address, pem] : line.pem) pem = kSecond;
  CHECK(line.look());
  CHECK(line.trouble().empty());
  line.at(-60 * 24h);
  CHECK_FALSE(line.look());
  CHECK(line.notices() == Words{"certificate_ends"});
}

TEST_CASE("certificates: one that has ended, and one that is not shown by all") {
  const core::LogCapture log;
  Shown line;
  line.at(10 * 24h);
  line.pem["lan:1"] = kSecond;  // renewed, but the public listener goes on with the first
  CHECK_FALSE(line.look());
  CHECK(line.trouble().find("ends on 2027-02-24") != std::string::npos);
  Shown late;
  late.at(0s);
  CHECK_FALSE(late.look());
  CHECK(late.trouble().find("has ended on 2027-02-24") != std::string::npos);
  CHECK(late.notices() == Words{"certificate_ended"});
}

TEST_CASE("certificates: one that the line made for itself, one for another name, and what POP3 shows alone") {
  const core::LogCapture log;
  Shown line;
  line.pem["public:1"] = kOwn;
  CHECK_FALSE(line.look());
  CHECK(line.trouble().find("made for itself") != std::string::npos);
  CHECK(line.notices().empty());
  line.pem["public:1"] = kFirst;
  line.listeners.host_name = "another.example.org";
  CHECK_FALSE(line.look());
  CHECK(line.trouble().find("is not for another.example.org") != std::string::npos);
  line.listeners.host_name = "fax.example.org";
  line.pem["pop3:1"] = kOwn;
  CHECK(line.look());
  CHECK(line.trouble().empty());
}

TEST_CASE("certificates: a listener that does not answer says nothing new, and is looked at again soon") {
  const core::LogCapture log;
  Shown line;
  for (const auto* name : {"public:1", "lan:1"}) {
    auto& pem = line.pem[name];
    pem.clear();
    CHECK_FALSE(line.look());
    pem = "no certificate";
    CHECK_FALSE(line.look());
    CHECK(line.trouble().empty());
    pem = kFirst;
  }
  line.pem["pop3:1"].clear();  // there need not be a mailbox
  CHECK(line.look());
  // What was seen last counts for a day.
  const auto seen = [&] { return store::served_certificates(*line.faxes, line.clock.now()).value().size(); };
  line.clock.advance(store::kSeenLately);
  CHECK(seen() == 3);
  CHECK(line.look());
  line.clock.advance(1s);
  CHECK(seen() == 2);
}

TEST_CASE("certificates: of two machines the one that ends first counts; no notice by a clock that is not believed") {
  const core::LogCapture log;
  Shown line;
  line.at(10 * 24h);
  line.clock.start_machine(false);
  line.time.emplace(line.clock, *line.faxes, line.options.lifetime);
  REQUIRE(line.time->look());
  CHECK_FALSE(line.look());
  CHECK(line.notices().empty());
  line.clock.synchronise();
  CHECK_FALSE(line.look());
  CHECK(line.notices() == Words{"certificate_ends"});
  // The other machine has the new one already; the provider may come to either.
  line.listeners.machine = "machine-2";
  for (auto& [address, pem] : line.pem) pem = kSecond;
  CHECK_FALSE(line.look());
  CHECK(line.trouble().find("2027-02-24") != std::string::npos);
}
