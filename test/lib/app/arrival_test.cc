#include "app/arrival.h"

#include "incoming.h"

using namespace house;

TEST_CASE("journal: what came is in it with what was decided, and no secret is") {
  Incoming house;
  const std::string form = "FaxSid=FX1&From=%2B12125550100&FaxStatus=received&MediaUrl=https%3A%2F%2Fuser%3Apassw0rd%40api.example%2Fmedia%2F1%3Fsig%3Dhush&AuthToken=hush&"
                           "ErrorMessage=cannot+get+https%3A%2F%2Fme%3Apassw0rd%40fax.example%2Ffax%2Fsending%2Fhush+now";
  REQUIRE(house.form(house.by_token(), form, {{"HTTP_USER_AGENT", "Provider/1"}, {"HTTP_COOKIE", "hush"}, {"HTTP_AUTHORIZATION", "Basic hush"}, {"HTTP_X_TWILIO_SIGNATURE", "hush"}}).status() == 200);
  house.clock.advance(1s);
  REQUIRE(house.form(house.by_token(), form).status() == 200);
  const auto entries = house.faxes->journal(house.only().id).value();
  REQUIRE(entries.size() == 2);
  const auto& first = entries[0];
  CHECK(first.decided == "a new fax");
  CHECK(entries[1].decided == "nothing new");
  CHECK(first.fax_sid == "FX1");
  CHECK(first.arrival.route == "POST payload");
  CHECK(first.arrival.bytes == static_cast<std::int64_t>(form.size()));
  CHECK(first.arrival.sha256.size() == 64);
  CHECK(first.arrival.headers.find("User-Agent: Provider/1") != std::string::npos);
  CHECK(first.arrival.fields.find("MediaUrl: https://api.example/media/1\n") != std::string::npos);
  CHECK(first.arrival.fields.find("/fax/sending/ now") != std::string::npos);
  for (const auto& text : {first.arrival.headers, first.arrival.fields})
    for (const auto* secret : {"hush", "passw0rd"}) CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("journal: of a document that came with the message its own digest; what is long is cut, what is odd is made fit") {
  Incoming house;
  const std::string text(100'000, 'x');
  REQUIRE(house.document(house.by_token(), {kSid, kFrom, kMedia, {"Note", text.substr(0, 9000)}, {"Odd", std::string("a\0\n\xff", 4)}}).status() == 200);
  const auto entry = house.faxes->journal(house.only().id)->front();
  const auto document = house.faxes->documents_of(house.only().id)->front();
  CHECK(entry.arrival.sha256 == document.sha256);
  CHECK(entry.arrival.bytes == document.bytes);
  CHECK(entry.arrival.fields.size() < 1000);
  CHECK(entry.arrival.fields.find("Odd: a  \xEF\xBF\xBD\n") != std::string::npos);
}
