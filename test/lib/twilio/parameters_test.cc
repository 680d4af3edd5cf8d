// What a submission says besides the fax itself, and what a list asks for.
#include <doctest/doctest.h>

#include "line.h"

using test::always;
using test::fax_json;
using test::has;
using test::kFax;
using test::Line;

namespace {

struct Desk {
  explicit Desk(const twilio::Dialect& of = twilio::kTwilio) : server(always(fax_json("FX1"), "201 Created")), account{.dialect = of, .base_url = server.url(""), .sid = "AC1", .token = core::SecretString("token")} {}
  // The form that was sent.
  std::string form(const fax::SubmitRequest& request) {
    twilio::Provider provider(client, std::move(account));
    CHECK(provider.submit(request).kind == fax::SubmitOutcome::Kind::taken);
    const auto sent = server.requests().back();
    return sent.substr(sent.find("\r\n\r\n") + 4);
  }
  test::LoopbackServer server;
  http::Client client{{}};
  twilio::Account account;
};

fax::SubmitRequest to(const std::string& target) {
  auto request = kFax;
  request.to = target;
  return request;
}

}  // namespace

TEST_CASE("quality and time to live are sent when they are set") {
  Desk plain;
  const auto nothing = plain.form(kFax);
  for (const auto* name : {"Quality", "Ttl", "SipAuth", "StatusCallbackEvent"}) CHECK(!has(nothing, name));

  Desk set;
  set.account.quality = "superfine";
  set.account.ttl_minutes = 45;
  CHECK(set.form(kFax).ends_with("&StoreMedia=false&Quality=superfine&Ttl=45"));

  Desk own;
  own.account.quality = "superfine";
  auto request = kFax;
  request.quality = "standard";
  CHECK(own.form(request).ends_with("&Quality=standard"));

  Desk space(twilio::kSignalWire);
  space.account.quality = "fine";
  CHECK(space.form(kFax).ends_with("&StoreMedia=false&StatusCallbackMethod=POST&Quality=fine"));
}

TEST_CASE("credentials of SIP go to SIP addresses alone") {
  const auto form = [](const std::string& target) {
    Desk desk;
    desk.account.sip_user = "fax line";
    desk.account.sip_password = core::SecretString("a&b");
    return desk.form(to(target));
  };
  CHECK(form("sip:office@pbx.example.org").ends_with("&SipAuthUsername=fax%20line&SipAuthPassword=a%26b"));
  CHECK(form("sip:office@pbx.example.org").starts_with("To=sip%3Aoffice%40pbx.example.org&"));
  CHECK(has(form("SIPS:office@pbx.example.org"), "SipAuthPassword"));
  CHECK(!has(form("+12125551212"), "SipAuth"));
  CHECK(!has(form("sip"), "SipAuth"));
  Desk without;
  CHECK(!has(without.form(to("sip:office@pbx.example.org")), "SipAuth"));
}

TEST_CASE("a list asks for what it is to hold") {
  Line line(always(R"({"faxes":[],"meta":{"next_page_url":null}})"));
  fax::ListQuery query;
  query.created_on_or_before = core::parse_rfc3339("2026-11-25T07:40:49Z").value();
  REQUIRE(line.provider.list(query));
  CHECK(line.last().starts_with("GET /v1/Faxes?DateCreatedOnOrBefore=2026-11-25T07%3A40%3A49Z&PageSize=200 HTTP/1.1\r\n"));
  REQUIRE(line.provider.list({}));
  CHECK(line.last().starts_with("GET /v1/Faxes?PageSize=200 HTTP/1.1\r\n"));
}

TEST_CASE("all ten states, and numbers as numbers or as text") {
  using fax::ProviderStatus;
  const std::pair<const char*, ProviderStatus> states[] = {
      {"queued", ProviderStatus::queued}, {"processing", ProviderStatus::processing}, {"sending", ProviderStatus::sending}, {"delivered", ProviderStatus::delivered}, {"receiving", ProviderStatus::receiving},
      {"received", ProviderStatus::received}, {"no-answer", ProviderStatus::no_answer}, {"busy", ProviderStatus::busy}, {"failed", ProviderStatus::failed}, {"canceled", ProviderStatus::canceled}};
  for (const auto& [word, status] : states) {
    CAPTURE(word);
    Line line(always(R"({"sid":"FX1","num_pages":3,"price":-0.07,"status":")" + std::string(word) + "\"}"));
    const auto fax = line.provider.fetch("FX1");
    REQUIRE(fax);
    CHECK(fax->status == status);
    CHECK(fax->pages == 3);
    CHECK(fax::is_final(fax->status) == (status != ProviderStatus::queued && status != ProviderStatus::processing && status != ProviderStatus::sending && status != ProviderStatus::receiving));
  }
}

TEST_CASE("an answer that says something twice is taken as most readers take it: the last word counts") {
  Line line(always(R"({"sid":"FX0","status":"queued","sid":"FX1","status":"sending"})", "201 Created"));
  CHECK(line.provider.submit(kFax).provider_id == "FX1");
  CHECK(line.provider.fetch("FX1")->status == fax::ProviderStatus::sending);
}
