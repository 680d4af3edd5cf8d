// What SignalWire's dialect has otherwise, as its reference tells it.
#include "house.h"
#include "sandbox/fax.h"

using namespace sandbox_test;

namespace {

constexpr std::string_view kAccount = "/api/laml/2010-04-01/Accounts/AC1";

std::string text_of(const json::Value& value) { return std::string(value.as_string().value_or("?")); }

form::Fields last_call(const Line& line, std::string_view to) { return *form::parse_urlencoded(line.network.to(to).back().body); }

}  // namespace

TEST_CASE("signalwire: a fax in its words") {
  Line line("signalwire");
  const auto taken = line.send("+12125551212");
  CHECK(taken.status == 200);
  const std::string sid = sid_of(taken);
  CHECK(is_uuid(sid));
  const auto created = *json::parse(taken.body);
  CHECK(text_of(created["url"]) == std::string(kAccount) + "/Faxes/" + sid);
  CHECK(text_of(created["links"]["media"]) == std::string(kAccount) + "/Faxes/" + sid + "/Media");
  REQUIRE(created.find("error_code") != nullptr);
  CHECK(created["error_code"].is_null());
  CHECK(created["num_pages"].is_null());
  line.pass(6s);
  const auto done = line.fax(sid);
  CHECK(text_of(done["status"]) == "delivered");
  CHECK(text_of(done["num_pages"]) == "2");
  CHECK(is_uuid(text_of(done["media_sid"])));

  const std::string failed = sid_of(line.send("+15005550003"));
  line.pass(6s);
  CHECK(text_of(line.fax(failed)["error_code"]) == "34004");
  CHECK_FALSE(text_of(line.fax(failed)["error_message"]).empty());
}

TEST_CASE("signalwire: each way that its clients write a path") {
  Line line("signalwire");
  const std::string sid = sid_of(line.send("+12125551212", ""));
  for (const std::string base : {"/api/laml/2010-04-01/Accounts/AC1/Faxes", "/2010-04-01/Accounts/AC1/Faxes"})
    for (const std::string end : {"", ".json"}) {
      CHECK(line.ask("GET", base + end).status == 200);
      CHECK(line.ask("GET", base + "/" + sid + end).status == 200);
      CHECK(line.ask("GET", base + "/" + sid + "/Media" + end).status == 200);
    }
  for (const std::string path : {"/v1/Faxes", "/api/laml/2010-04-01/Accounts/AC2/Faxes", "/api/laml/2010-04-01/Accounts/AC1/Calls", "/api/laml/2010-04-01/Accounts/AC1",
                                 "/api/laml/api/laml/2010-04-01/Accounts/AC1/Faxes", "/api/laml/2010-04-01/Accounts/AC1/Faxes/FX00000000000000000000000000000000"}) {
    const auto answer = line.ask("GET", path);
    CHECK_MESSAGE(answer.status == 404, path);
    CHECK(code_of(answer) == 20404);
  }
  const auto denied = line.ask("GET", line.faxes(), "", "", "", "AC1:wrong");
  CHECK(denied.status == 401);
  CHECK(code_of(denied) == 20003);
  Line other;
  CHECK(other.ask("GET", "/2010-04-01/Accounts/AC1/Faxes").status == 404);
  CHECK(other.ask("GET", "/api/laml/2010-04-01/Accounts/AC1/IncomingPhoneNumbers").status == 404);
}

TEST_CASE("signalwire: lists, and the tokens that their pages need") {
  Line line("signalwire");
  std::set<std::string> sids;
  for (int i = 0; i < 5; ++i) {
    sids.insert(sid_of(line.send("+12125551212", "")));
    line.clock.advance(10s);
  }
  auto page = *json::parse(line.ask("GET", line.faxes() + ".json", "PageSize=2").body);
  CHECK(page.find("meta") == nullptr);
  CHECK(page["page"].as_int64() == 0);
  CHECK(page["page_size"].as_int64() == 2);
  CHECK(page["previous_page_uri"].is_null());
  CHECK(text_of(page["first_page_uri"]).starts_with(line.faxes() + "?"));
  CHECK(text_of(page["uri"]).starts_with(line.faxes() + "?"));
  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    for (const auto& fax : page["faxes"].items()) CHECK(seen.insert(text_of(fax["sid"])).second);
    if (page["next_page_uri"].is_null()) break;
    const std::string next = text_of(page["next_page_uri"]);
    REQUIRE(next.starts_with(line.faxes() + "?"));
    page = *json::parse(line.ask("GET", line.faxes(), next.substr(next.find('?') + 1)).body);
  }
  CHECK(seen == sids);
  const auto refused = line.ask("GET", line.faxes(), "PageSize=2&Page=1");
  CHECK(refused.status == 400);
  CHECK(code_of(refused) == 10000);
}

TEST_CASE("signalwire: canceled while queued only, deleted while nothing happens") {
  Line line("signalwire");
  const std::string sid = sid_of(line.send("+12125551212"));
  const std::string path = line.faxes() + "/" + sid;
  CHECK(line.ask("POST", path, "", "Status=canceled").status == 200);
  const auto again = line.ask("POST", path, "", "Status=canceled");
  CHECK(again.status == 422);
  CHECK(code_of(again) == 10000);
  CHECK(code_of(line.ask("POST", path, "", "Status=delivered")) == 10000);

  const std::string sent = line.faxes() + "/" + sid_of(line.send("+12125551212", "&StoreMedia=true"));
  line.pass(1s);  // fetched, not dialled
  CHECK(text_of((*json::parse(line.ask("GET", sent).body))["status"]) == "processing");
  CHECK(line.ask("POST", sent, "", "Status=canceled").status == 422);
  const auto busy = line.ask("DELETE", sent);
  CHECK(busy.status == 409);
  CHECK(code_of(busy) == 20009);
  const std::string media = sent + "/Media/" + text_of((*json::parse(line.ask("GET", sent).body))["media_sid"]);
  CHECK(line.ask("DELETE", media).status == 409);
  line.pass(6s);
  const auto list = *json::parse(line.ask("GET", sent + "/Media").body);
  REQUIRE(list["media"].items().size() == 1);
  REQUIRE(list["fax_media"].items().size() == 1);
  CHECK(text_of(list["media"].items()[0]["url"]) == media);
  // Its JavaScript client reads a page with one list only.
  const auto clients = *json::parse(line.ask("GET", sent.substr(std::string_view("/api/laml").size()) + "/Media").body);
  CHECK(clients["media"].items().size() == 1);
  CHECK(clients.find("fax_media") == nullptr);
  CHECK(line.ask("DELETE", media).status == 204);
  CHECK(json::parse(line.ask("GET", sent + "/Media").body)->operator[]("media").items().empty());
  CHECK(line.ask("DELETE", sent).status == 204);
  CHECK(line.ask("DELETE", line.faxes() + "/" + sid_of(line.send("+12125551212"))).status == 204);  // queued
}

TEST_CASE("signalwire: callbacks as they were asked for") {
  Line line("signalwire");
  line.signing_key = "PSK";
  line.start();
  const std::string callback = "&StatusCallback=https%3A%2F%2Flocalhost%3A3297%2Ffax%2Fcallback%2Fx";
  (void)line.send("+12125551212", callback);
  line.pass(6s);
  CHECK(line.told() == Words{"delivered"});
  const auto told = line.network.to("/fax/callback/").back();
  const auto fields = *form::parse_urlencoded(told.body);
  Pairs pairs;
  for (const auto& [name, value] : fields) pairs.emplace_back(name, value);
  CHECK(told.signature == sign("PSK", "https://localhost:3297/fax/callback/x", pairs, false));
  CHECK(is_uuid(std::string(fields.first("MediaSid").value_or(""))));
  CHECK(fields.first("MediaUrl").value_or("").starts_with("https://127.0.0.1:3299/sandbox/media/"));
  CHECK(fields.first("Timestamp"));

  line.network.calls.clear();
  (void)line.send("+12125551212", callback + "&StatusCallbackMethod=GET&StatusCallbackEvent=initiated&StatusCallbackEvent=completed");
  line.pass(6s);
  CHECK(line.told() == Words{"queued", "processing", "delivered"});
  const auto get = line.network.to("/fax/callback/").back();
  CHECK(get.method == "GET");
  CHECK(get.signature == sign("PSK", get.url, {}, false));
}

TEST_CASE("signalwire: what comes in is kept, whatever storeMedia says, or rejected") {
  Line line("signalwire");
  line.network.twiml = "<Response><Receive action=\"/fax/payload?t=abc\" storeMedia=\"false\"/></Response>";
  const std::string sid = sid_of(line.arrive());
  CHECK(is_uuid(sid));
  line.pass(5s);
  CHECK(line.log.text().find("storeMedia") != std::string::npos);
  const auto payload = last_call(line, "/fax/payload");
  CHECK(payload.first("FaxStatus") == "received");
  CHECK(payload.first("MediaSid"));
  CHECK(payload.first("Timestamp"));
  const std::string url(payload.first("MediaUrl").value_or(""));
  const auto question = url.find('?');
  REQUIRE(url.starts_with("https://127.0.0.1:3299/"));
  CHECK(line.ask("GET", url.substr(22, question - 22), url.substr(question + 1)).status == 200);
  CHECK(text_of(line.fax(sid)["media_url"]).starts_with("https://127.0.0.1:3299/sandbox/media/"));

  line.network.twiml = "<Response><Reject/></Response>";
  const std::string rejected = sid_of(line.arrive());
  line.pass(5s);
  CHECK(line.status(rejected) == "canceled");
  CHECK(line.network.to("/fax/payload").size() == 1);
  Line twilio;
  twilio.network.twiml = line.network.twiml;
  const std::string unknown = sid_of(twilio.arrive());
  twilio.pass(5s);
  CHECK(twilio.status(unknown) == "failed");
}

TEST_CASE("signalwire: repeated names are signed as they came") {
  CHECK(sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", {{"Sid", "CA123"}, {"SidAccount", "AC123"}, {"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}}, false) ==
        "eMV0TTCyejiqoUSkV7IwWuk0CRc=");
}

TEST_CASE("signalwire: faxes of the other dialect stay where they are") {
  Line line;
  const std::string sid = sid_of(line.send("+12125551212"));
  line.dialect = "signalwire";
  line.network.signature_header = "X-SignalWire-Signature";
  line.start();
  CHECK(json::parse(line.ask("GET", line.faxes()).body)->operator[]("faxes").items().empty());
  CHECK(line.ask("GET", line.faxes() + "/" + sid).status == 404);
  line.dialect = "twilio";
  line.start();
  CHECK(line.ask("GET", line.faxes() + "/" + sid).status == 200);
}
