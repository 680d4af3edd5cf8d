#include "twilio/numbers.h"

#include <doctest/doctest.h>

#include "line.h"

using core::Code;
using test::always;
using test::Connection;
using test::has;
using test::LoopbackServer;

namespace {

std::string number_json(const std::string& sid, const std::string& number, const std::string& more = "") {
  return R"({"sid":")" + sid + R"(","phone_number":")" + number + R"(","voice_url":"https://u:p@fax.example.org/fax/initialize","voice_method":"POST")" + more + "}";
}

std::string list_json(const std::string& numbers, const std::string& next = "null") { return R"({"page":0,"incoming_phone_numbers":[)" + numbers + R"(],"next_page_uri":)" + next + "}"; }

struct Desk {
  explicit Desk(LoopbackServer::Handler handler, const twilio::Dialect& of = twilio::kTwilio)
      : server(std::move(handler)), account{.dialect = of, .base_url = server.url(), .sid = "AC1", .token = core::SecretString("token")} {}
  core::Result<std::optional<twilio::Number>> find() { return twilio::find_number(client, account, "+15005550006"); }
  LoopbackServer server;
  http::Client client{{.total_time_out = std::chrono::milliseconds(500)}};
  twilio::Account account;
};

}  // namespace

TEST_CASE("our number is found among those that the filter lets pass, on whichever page") {
  Desk desk([](Connection& connection, const std::string& request) {
    const bool second = has(request, "Page=1");
    connection.send(LoopbackServer::answer(second ? list_json(number_json("PN2", "+15005550006", R"(,"voice_receive_mode":"fax","capabilities":{"fax":true,"voice":true})"))
                                                  : list_json(number_json("PN1", "+150055500061"), R"("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?Page=1")")));
  });
  const auto found = desk.find();
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK((*found)->sid == "PN2");
  CHECK((*found)->number == "+15005550006");
  CHECK((*found)->voice_url == "https://u:p@fax.example.org/fax/initialize");
  CHECK((*found)->voice_method == "POST");
  CHECK((*found)->receive_mode == "fax");
  CHECK((*found)->fax == true);
  const auto requests = desk.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].starts_with("GET /2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006 HTTP/1.1\r\n"));
  CHECK(has(requests[0], "Authorization: Basic QUMxOnRva2Vu\r\n"));
}

TEST_CASE("a number that is not the account's, one of which little is said, and SignalWire's path") {
  Desk none(always(list_json("")));
  REQUIRE(none.find());
  CHECK_FALSE(none.find()->has_value());

  Desk space(always(list_json(number_json("b0b4c3d2-1111-2222-3333-444455556666", "+15005550006"))), twilio::kSignalWire);
  const auto found = space.find();
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK((*found)->receive_mode.empty());
  CHECK_FALSE((*found)->fax.has_value());
  CHECK(space.server.requests().back().starts_with("GET /api/laml/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?"));
}

TEST_CASE("the number is told where faxes go") {
  Desk desk(always(number_json("PN1", "+15005550006", R"(,"voice_receive_mode":"fax")")));
  const auto set = twilio::configure_number(desk.client, desk.account, "PN1", "https://u:p%40@fax.example.org/fax/initialize");
  REQUIRE(set);
  CHECK(set->receive_mode == "fax");
  const auto request = desk.server.requests().back();
  CHECK(request.starts_with("POST /2010-04-01/Accounts/AC1/IncomingPhoneNumbers/PN1.json HTTP/1.1\r\n"));
  CHECK(request.ends_with("\r\n\r\nVoiceUrl=https%3A%2F%2Fu%3Ap%2540%40fax.example.org%2Ffax%2Finitialize&VoiceMethod=POST&VoiceReceiveMode=fax"));
  CHECK(twilio::configure_number(desk.client, desk.account, "PN2", "https://fax.example.org/").error().code == Code::bad_request);
  CHECK(twilio::configure_number(desk.client, desk.account, "../PN1", "https://fax.example.org/").error().code == Code::bad_request);
  CHECK(desk.server.requests().size() == 2);
}

TEST_CASE("an API that does not tell of numbers, and other trouble") {
  const auto code = [](const std::string& body, const std::string& status) {
    Desk desk(always(body, status));
    const auto found = desk.find();
    const auto set = twilio::configure_number(desk.client, desk.account, "PN1", "https://fax.example.org/");
    REQUIRE(!found);
    REQUIRE(!set);
    CHECK(found.error().code == set.error().code);
    return found.error().code;
  };
  CHECK(code("", "404 Not Found") == Code::not_found);
  CHECK(code("", "405 Method Not Allowed") == Code::not_found);
  CHECK(code("", "401 Unauthorized") == Code::unauthenticated);
  CHECK(code(R"({"code":21452,"message":"no"})", "400 Bad Request") == Code::provider_refused);
  CHECK(code("", "429 Slow") == Code::limited);
  CHECK(code("<html>", "500 No") == Code::unknown_outcome);
  CHECK(code("[]", "200 OK") == Code::bad_request);
  CHECK(code(R"({"incoming_phone_numbers":[{}]})", "200 OK") == Code::bad_request);
  Desk away(always(list_json("", R"("http://127.0.0.1:1/x")")));
  CHECK(away.find().error().code == Code::bad_request);
  Desk round(always(list_json("", R"("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006")")));
  CHECK(round.find().error().code == Code::bad_request);
  CHECK(round.server.requests().size() == 1);
}

TEST_CASE("Twilio's numbers are at another host than its faxes") {
  test::Certificate certificate("api.twilio.com");
  const std::string path = "/tmp/twilio-numbers-" + std::to_string(::getpid()) + ".pem";
  certificate.write_pem(path);
  LoopbackServer server(always(list_json(number_json("PN1", "+15005550006"))), &certificate);
  http::Client client({.ca_file = path, .connect_to = {{"api.twilio.com:443", "127.0.0.1:" + std::to_string(server.port())}, {"fax.twilio.com:443", "127.0.0.1:1"}}});
  const twilio::Account account{.dialect = twilio::kTwilio, .base_url = "https://fax.twilio.com", .sid = "AC1", .token = core::SecretString("token")};
  const auto found = twilio::find_number(client, account, "+15005550006");
  REQUIRE(found);
  CHECK(found->has_value());
  ::unlink(path.c_str());
}
