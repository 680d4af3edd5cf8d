// The number, and the URL that is called when a fax comes in.
#include "house.h"
#include "sandbox/fax.h"

using namespace sandbox_test;

TEST_CASE("number: found, changed, kept") {
  for (const std::string dialect : {"twilio", "signalwire"}) {
    Line line(dialect);
    const std::string base = line.signalwire() ? "/api/laml/2010-04-01/Accounts/AC1" : "/2010-04-01/Accounts/AC1";
    const auto list = [&](std::string query) { return *json::parse(line.ask("GET", base + "/IncomingPhoneNumbers.json", std::move(query)).body); };
    const auto page = list("PhoneNumber=%2B15005550006");
    REQUIRE(page["incoming_phone_numbers"].items().size() == 1);
    CHECK(page["next_page_uri"].is_null());
    CHECK(page["uri"].as_string()->starts_with(base + "/IncomingPhoneNumbers.json?PhoneNumber="));
    CHECK(list("PhoneNumber=%2B12125551212")["incoming_phone_numbers"].items().empty());
    CHECK(list("")["incoming_phone_numbers"].items().size() == 1);
    const auto number = page["incoming_phone_numbers"].items()[0];
    const auto text = [](const json::Value& value, std::string_view name) { return std::string(value[name].as_string().value_or("?")); };
    const std::string sid = text(number, "sid");
    CHECK((line.signalwire() ? is_uuid(sid) : is_sid(sid, "PN")));
    CHECK(text(number, "account_sid") == "AC1");
    CHECK(text(number, "phone_number") == "+15005550006");
    CHECK(text(number, "voice_url") == "https://localhost:3297/fax/initialize");
    CHECK(text(number, "voice_method") == "POST");
    CHECK(text(number, "voice_receive_mode") == (line.signalwire() ? "?" : "fax"));
    CHECK(number["capabilities"]["fax"].as_bool() == true);
    CHECK(text(number, "date_created").ends_with(" +0000"));
    CHECK(text(number, "uri") == base + "/IncomingPhoneNumbers/" + sid + ".json");

    const std::string path = base + "/IncomingPhoneNumbers/" + sid;
    line.clock.advance(60s);
    const auto changed = line.ask("POST", path + ".json", "", "VoiceUrl=https%3A%2F%2Flocalhost%3A3297%2Fother&VoiceMethod=GET&FriendlyName=Office" + std::string(line.signalwire() ? "" : "&VoiceReceiveMode=fax"));
    CHECK(changed.status == 200);
    CHECK(text(*json::parse(changed.body), "voice_url") == "https://localhost:3297/other");
    line.start();
    const auto kept = *json::parse(line.ask("GET", path).body);
    CHECK(text(kept, "sid") == sid);
    CHECK(text(kept, "voice_url") == "https://localhost:3297/other");
    CHECK(text(kept, "friendly_name") == "Office");
    CHECK(text(kept, "date_created") == text(number, "date_created"));
    CHECK(text(kept, "date_updated") != text(number, "date_updated"));
    (void)line.arrive();
    line.pass(2s);
    REQUIRE(line.network.calls.size() == 1);
    CHECK(line.network.calls[0].method == "GET");
    CHECK(line.network.calls[0].url.starts_with("https://localhost:3297/other?FaxSid="));

    for (const std::string body : {"VoiceUrl=nowhere", "VoiceMethod=PUT", "VoiceReceiveMode=telex", "Colour=red", "VoiceUrl="}) CHECK_MESSAGE(line.ask("POST", path, "", body).status == 400, body);
    CHECK(line.ask("DELETE", path).status == 405);
    CHECK(line.ask("POST", base + "/IncomingPhoneNumbers").status == 405);
    CHECK(line.ask("GET", base + "/IncomingPhoneNumbers", "Colour=red").status == 400);
    CHECK(line.ask("GET", base + "/IncomingPhoneNumbers/PN00000000000000000000000000000000").status == 404);
    CHECK(line.ask("GET", "/2010-04-01/Accounts/AC2/IncomingPhoneNumbers").status == 404);

    // A number that is for voice takes no fax: nobody is called.
    if (line.signalwire()) {
      CHECK(line.ask("POST", path, "", "VoiceReceiveMode=voice").status == 400);
      continue;
    }
    CHECK(line.ask("POST", path, "", "VoiceReceiveMode=voice").status == 200);
    line.network.calls.clear();
    const std::string lost = sid_of(line.arrive());
    line.pass(60s);
    CHECK(line.network.calls.empty());
    CHECK(line.status(lost) == "failed");
  }
}
