// Faxes that are under way when another provider is set.
#include "bench.h"
#include "queue/mail.h"

using namespace bench;

namespace {

struct Changed : Bench {
  // As faxes that this line accepted with `begun`; then the settings say `set`.
  std::string send_with(const std::string& begun) {
    options.provider = begun;
    return send();
  }
};

}  // namespace

TEST_CASE("another provider: a fax of the practice line never reaches the real one") {
  for (const bool submitted : {false, true}) {
    Changed line;
    const auto id = line.send_with("sandbox");
    if (submitted) line.run();
    const auto calls = line.provider.calls;
    line.options.provider = "twilio";
    line.run_for(73h);
    CHECK(line.provider.calls == calls);
    CHECK(line.status(id) == Status::failed);
    CHECK(line.cause(id) == "practice_over");
    CHECK(line.last_why(id).find("nothing of it goes by telephone") != std::string::npos);
    CHECK_FALSE(line.fax(id).next_at.has_value());
  }
}

TEST_CASE("another provider: a fax between two attempts of the practice line never reaches the real one") {
  Changed line;
  const auto id = line.send_with("sandbox");
  line.run();
  line.provider.faxes["FX1"].status = ProviderStatus::busy;
  line.run_for(30s);
  REQUIRE(line.status(id) == Status::waiting);
  const auto calls = line.provider.calls;
  line.options.provider = "twilio";
  line.run_for(2h);
  CHECK(line.provider.calls == calls);
  CHECK(line.cause(id) == "practice_over");
}

TEST_CASE("another provider: what is under way waits, says so once, and goes on when it is set back") {
  Changed line;
  const auto id = line.send_with("twilio");
  line.run();
  const auto calls = line.provider.calls;
  line.options.provider = "sandbox";
  line.run_for(1h);
  CHECK(line.provider.calls == calls);
  CHECK(line.status(id) == Status::sending);
  CHECK(line.cause(id) == "other_provider");
  CHECK(line.story(id).find("It waits") == line.story(id).rfind("It waits"));
  line.options.provider = "twilio";
  line.provider.faxes["FX1"].status = ProviderStatus::delivered;
  line.run_for(10min);
  CHECK(line.status(id) == Status::delivered);
  CHECK(line.provider.requests.size() == 1);
}

TEST_CASE("another provider: what was not sent can be canceled, and else ends at its deadline, as never submitted") {
  for (const bool canceled : {true, false}) {
    Changed line;
    const auto id = line.send_with("twilio");
    line.options.provider = "signalwire";
    line.run_for(1h);
    CHECK(line.status(id) == Status::queued);
    CHECK(line.cause(id) == "other_provider");
    if (canceled) line.cancel(id);
    line.run_for(canceled ? 10min : 73h);
    CHECK(line.provider.requests.empty());
    CHECK(line.status(id) == (canceled ? Status::canceled : Status::failed));
    CHECK(line.cause(id) == (canceled ? "canceled_by_user" : "never_submitted"));
  }
}

TEST_CASE("another provider: what was handed out ends unresolved, and the word of the one before still decides") {
  Changed line;
  const auto id = line.send_with("twilio");
  line.run();
  line.options.provider = "signalwire";
  line.run_for(73h);
  CHECK(line.status(id) == Status::unresolved);
  line.options.provider = "twilio";
  line.provider.faxes["FX1"].status = ProviderStatus::delivered;
  line.run_for(24h);
  CHECK(line.status(id) == Status::delivered);
}

TEST_CASE("another provider: the mail of a practice fax says so whenever it goes out") {
  queue::Options options;
  options.hostname = "fax.example.org";
  store::Fax fax;
  fax.provider = "sandbox";
  fax.provider_id = "FX1";
  const auto mail = queue::received_message(options, fax, {}, 0);
  CHECK(mail.subject.starts_with("PRACTICE LINE: "));
  CHECK(mail.text.starts_with("PRACTICE LINE: "));
  fax.provider = "twilio";
  CHECK(queue::received_message(options, fax, {}, 0).subject.starts_with("Fax from "));
}
