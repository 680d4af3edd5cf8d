#include "app/inbound_refused.h"

#include "app/status.h"
#include "incoming.h"
#include "text/percent.h"

using namespace house;

namespace {

struct Refusing : Incoming {
  static std::string body(const std::string& account = "AC0123456789abcdef", const std::string& to = "%2B15005550006") {
    return "FaxSid=FX1&From=%2B12125550100&To=" + to + "&AccountSid=" + account;
  }
  static Parameters signed_for(const std::string& url, const std::string& form, const std::string& key) {
    twilio::Parameters parameters;
    const auto fields = form::parse_urlencoded(form).value();
    for (const auto& field : fields) parameters.emplace_back(field.name, field.value);
    return {{"HTTP_X_TWILIO_SIGNATURE", twilio::signature(key, twilio::signed_text(url, parameters, twilio::Repeated::sorted_and_unique))}};
  }
  int first(const std::string& form = body(), Parameters more = {}) { return this->form("/fax/initialize", form, std::move(more)).status(); }
  std::vector<store::Refusal> refusals() { return faxes->refusals().value(); }
  std::string only_cause() { return refusals().size() == 1 ? refusals().front().cause : std::to_string(refusals().size()) + " causes"; }
};

}  // namespace

TEST_CASE("a refused first webhook that names our account and number: the likely cause, in the book and the log") {
  struct Case {
    std::string cause, detail, cure;
    Parameters request;
  };
  const auto form = Refusing::body();
  const std::vector<Case> cases{
      {"webhook_unsigned", "", "proxy", {}},
      {"webhook_other_key", "", "WEBHOOK_SIGNING_KEY", Refusing::signed_for("https://fax.example/fax/initialize", form, "token-3f9a")},
      {"webhook_other_url", "signed for https://other.example:444", "PUBLIC_URL", with({{"HTTP_HOST", "other.example:444"}}, Refusing::signed_for("https://other.example:444/fax/initialize", form, "the signing key"))},
      {"webhook_signature_wrong", "", "WEBHOOK_SIGNING_KEY", Refusing::signed_for("https://fax.example/fax/initialize", form, "a stranger's key")},
  };
  for (const auto& one : cases) {
    CAPTURE(one.cause);
    Refusing house;
    const core::LogCapture log;
    CHECK(house.first(form, one.request) == 403);
    REQUIRE(house.only_cause() == one.cause);
    const auto refusal = house.refusals().front();
    CHECK(refusal.detail == one.detail);
    CHECK(refusal.fax_sid == "FX1");
    CHECK(refusal.from == "+12125550100");
    CHECK(refusal.count == 1);
    CHECK(refusal.last == house.clock.now());
    CHECK(log.text().find("level=warning") != std::string::npos);
    CHECK(log.text().find("cause=" + one.cause) != std::string::npos);
    CHECK(log.text().find(one.cure) != std::string::npos);
    CHECK(log.text().find("+12125550100") == std::string::npos);
    CHECK(log.text().find("token-3f9a") == std::string::npos);
    if (!one.request.empty()) CHECK(log.text().find(one.request.back().second) == std::string::npos);  // nor the signature
  }
}

TEST_CASE("a GET counts as well, and a plus that became a blank costs nothing") {
  Refusing house;
  CHECK(ask(house.routes, "GET", "/fax/initialize?" + Refusing::body("ac0123456789ABCDEF", "+15005550006")).status() == 403);
  CHECK(house.only_cause() == "webhook_unsigned");
}

TEST_CASE("what names another account, another number, or nothing, is no fax of ours") {
  Refusing house;
  const core::LogCapture log;
  for (const auto& form : {Refusing::body("ACother"), Refusing::body("AC0123456789abcdef", "%2B15005550007"), std::string("FaxSid=FX1&To=%2B15005550006"), std::string("FaxSid=FX1&AccountSid=AC0123456789abcdef"), std::string()})
    CHECK(house.first(form) == 403);
  CHECK(house.refusals().empty());
  CHECK(house.faxes->refused_in_all().value() == 0);
  CHECK(log.text().find("perhaps a lost fax") == std::string::npos);
}

TEST_CASE("a stranger cannot make us write without end, and yet all are counted") {
  Refusing house;
  const core::LogCapture log;
  for (int i = 0; i < 100; ++i) CHECK(house.first() == 403);
  const auto lines = [&] {
    int count = 0;
    for (std::size_t at = 0; (at = log.text().find("cause=", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  CHECK(house.refusals().front().count == 10);
  CHECK(lines() == 10);
  // Another cause has its own.
  CHECK(house.first(Refusing::body(), {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}) == 403);
  CHECK(house.refusals().size() == 2);
  house.clock.advance(1s);
  for (int i = 0; i < 5; ++i) CHECK(house.first() == 403);
  CHECK(house.refusals().front().count == 101);
  CHECK(lines() == 12);
  house.clock.advance(1h);
  for (int i = 0; i < 100; ++i) CHECK(house.first() == 403);
  CHECK(house.faxes->refused_in_all().value() == 101 + 1 + 4 + 10);
}

TEST_CASE("payloads: expired, unsigned, wrongly signed") {
  Refusing house;
  const auto expired = "/fax/payload?t=" + house.token("FX7", -1s);
  CHECK(house.form(expired, Refusing::body()).status() == 403);
  REQUIRE(house.only_cause() == "webhook_too_late");
  CHECK(house.refusals().front().fax_sid == "FX7");
  // Multipart is refused before its body is read: the token says that it is ours.
  CHECK(ask(house.routes, "GET", "/admit", {{"ORIGINAL_URI", expired}, {"ORIGINAL_METHOD", "POST"}, {"ORIGINAL_LENGTH", "5000"}}).status() == 403);
  CHECK(house.document(expired, {kSid, kMedia}, {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}).status() == 403);
  CHECK(house.refusals().front().count == 3);
  house.clock.advance(1s);
  CHECK(house.form("/fax/payload", Refusing::body()).status() == 403);
  house.clock.advance(1s);
  CHECK(house.document("/fax/payload", {kSid, kMedia, {"AccountSid", "AC0123456789abcdef"}, {"To", "+15005550006"}}, {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}).status() == 403);
  const auto refusals = house.refusals();
  REQUIRE(refusals.size() == 3);
  CHECK(refusals[0].cause == "webhook_signature_wrong");
  CHECK(refusals[1].cause == "webhook_unsigned");
  // A GET says it in its query, which nginx shows first.
  CHECK(ask(house.routes, "GET", "/admit", {{"ORIGINAL_URI", "/fax/payload?" + Refusing::body()}, {"ORIGINAL_METHOD", "GET"}}).status() == 403);
  CHECK(house.faxes->refused_in_all().value() == 6);
  CHECK(house.all().empty());
}

TEST_CASE("a first webhook that is taken ends it; an unsigned one ends only what was refused for that") {
  Refusing house;
  CHECK(house.first() == 403);
  CHECK(house.first(Refusing::body(), {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}) == 403);
  CHECK(house.refusals().size() == 2);
  CHECK_FALSE(house.faxes->last_taken().value());
  house.side.signature_required = false;
  CHECK(house.first() == 200);
  CHECK(house.only_cause() == "webhook_signature_wrong");
  CHECK(house.first(Refusing::body(), house.sign("/fax/initialize", Refusing::body())) == 200);
  CHECK(house.refusals().empty());
  CHECK(house.faxes->last_taken().value() == house.clock.now());
}

TEST_CASE("a book that is locked costs no fax") {
  Refusing house;
  CHECK(house.first() == 403);
  {
    const House::Lock lock(house);
    CHECK(house.first() == 403);
    CHECK(house.first(Refusing::body(), house.sign("/fax/initialize", Refusing::body())) == 200);
  }
  CHECK(house.refusals().front().count == 1);
}

TEST_CASE("page and monitoring are told") {
  Refusing house;
  const auto status = app::status_routes(house.line, *house.faxes, {*house.faxes, *house.watch, *house.spool, house.clock, house.clock.now()});
  const auto line = [&] { return json_of(ask(status, "GET", "/api/line", kAnna)); };
  CHECK(line().find("refused")->is_null());
  CHECK(ask(status, "GET", "/metrics").text().find("\nfaxline_refused_webhooks_total 0\n") != std::string::npos);
  CHECK(house.first(Refusing::body(), {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}) == 403);
  house.clock.advance(1min);
  CHECK(house.first(Refusing::body(), with({{"HTTP_HOST", "other.example"}}, Refusing::signed_for("https://other.example/fax/initialize", Refusing::body(), "the signing key"))) == 403);
  const auto refused = line()["refused"];
  CHECK(names_of(refused) == std::vector<std::string>{"count", "last", "cause"});
  CHECK(refused["count"].as_int64() == 2);
  CHECK(text_of(refused["last"]) == "2027-01-15T08:01:00Z");
  CHECK(text_of(refused["cause"]["code"]) == "webhook_other_url");
  CHECK(text_of(refused["cause"]["text"]).find("(signed for https://other.example)") != std::string::npos);
  CHECK(text_of(refused["cause"]["advice"]).find("PUBLIC_URL") != std::string::npos);
  CHECK(house.first(Refusing::body(), house.sign("/fax/initialize", Refusing::body())) == 200);
  CHECK(line().find("refused")->is_null());
  CHECK(ask(status, "GET", "/metrics").text().find("\nfaxline_refused_webhooks_total 2\n") != std::string::npos);
}
