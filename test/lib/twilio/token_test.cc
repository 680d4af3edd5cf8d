#include "twilio/token.h"

#include <doctest/doctest.h>

#include "twilio/dialect.h"
#include "twilio/twiml.h"

namespace {
std::vector<core::SecretString> keys(std::initializer_list<const char*> texts) {
  std::vector<core::SecretString> list;
  for (const auto* text : texts) list.emplace_back(text);
  return list;
}
const core::Time kNow = core::from_ms(1'800'000'000'000);
}  // namespace

TEST_CASE("a payload token is good for its fax, until it expires, under the current key and the old one") {
  const core::SecretString key("secret");
  const auto token = twilio::make_payload_token(key, "FX0123", kNow + std::chrono::hours(24));
  CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos);
  CHECK(twilio::check_payload_token(keys({"secret"}), token, kNow).value() == "FX0123");
  CHECK(twilio::check_payload_token(keys({"new", "secret"}), token, kNow).value() == "FX0123");
  CHECK(twilio::check_payload_token(keys({"secret"}), token, kNow + std::chrono::hours(25)).error().code == core::Code::conflict);
  CHECK(twilio::check_payload_token(keys({"new"}), token, kNow).error().code == core::Code::forbidden);
  // Somebody else's is not ours even when its time is over.
  CHECK(twilio::check_payload_token(keys({"new"}), token, kNow + std::chrono::hours(25)).error().code == core::Code::forbidden);
}

TEST_CASE("a token that was changed anywhere is none") {
  const auto token = twilio::make_payload_token(core::SecretString("secret"), "FX0123", kNow + std::chrono::hours(1));
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    CHECK_FALSE(twilio::check_payload_token(keys({"secret"}), changed, kNow));
  }
  for (const auto* bad : {"", ".", "..", "FX.1.x", "a.b.c.d", "FX0123.99999999999999999999.x"}) CHECK_FALSE(twilio::check_payload_token(keys({"secret"}), bad, kNow));
}

TEST_CASE("what a FaxSid is") {
  CHECK(twilio::is_fax_sid("FX0123456789abcdef0123456789abcdef"));
  CHECK(twilio::is_fax_sid("b0b4c3d2-1111-2222-3333-444455556666"));
  for (const auto* bad : {"", "FX/..", "a.b", "a b", "a%2f"}) CHECK_FALSE(twilio::is_fax_sid(bad));
  CHECK_FALSE(twilio::is_fax_sid(std::string(65, 'a')));
}

TEST_CASE("TwiML: an action that is safe in its attribute, storeMedia where it is known") {
  const auto answer = twilio::receive_twiml(twilio::kTwilio, "https://u:p@fax.example.org/fax/payload?t=1&x=\"2\"", false);
  CHECK(answer == "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Receive action=\"https://u:p@fax.example.org/fax/payload?t=1&amp;x=&quot;2&quot;\" method=\"POST\" mediaType=\"application/pdf\" storeMedia=\"false\"/></Response>");
  CHECK(twilio::receive_twiml(twilio::kTwilio, "https://a/", true).find("storeMedia=\"true\"") != std::string::npos);
  CHECK(twilio::receive_twiml(twilio::kSignalWire, "https://a/", true).find("storeMedia") == std::string::npos);
}

TEST_CASE("TwiML: the paper's size where it is set, and a refusal where the dialect has one") {
  CHECK(twilio::receive_twiml(twilio::kSignalWire, "https://a/", true, "a4") ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Receive action=\"https://a/\" method=\"POST\" mediaType=\"application/pdf\" pageSize=\"a4\"/></Response>");
  CHECK(twilio::receive_twiml(twilio::kTwilio, "https://a/", true, "legal").find("pageSize=\"legal\" storeMedia=\"true\"/>") != std::string::npos);
  CHECK(twilio::receive_twiml(twilio::kTwilio, "https://a/", true).find("pageSize") == std::string::npos);
  CHECK(twilio::reject_twiml(twilio::kSignalWire) == "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Reject/></Response>");
  CHECK_FALSE(twilio::reject_twiml(twilio::kTwilio));
}
