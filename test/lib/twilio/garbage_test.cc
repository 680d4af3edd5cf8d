// What comes from outside, damaged in every way that a fixed generator finds: nothing crashes, and what is promised holds.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "text/utf8.h"
#include "twilio/answer.h"
#include "twilio/date.h"
#include "twilio/token.h"
#include "twilio/webhook.h"

namespace {

// Some bytes changed, taken out, put in or doubled.
std::string damaged(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (auto times = below(6); times > 0; --times) {
    const auto at = below(text.size());
    switch (below(4)) {
      case 0: if (!text.empty()) text[at] = static_cast<char>(random()); break;
      case 1: if (!text.empty()) text.erase(at, below(8)); break;
      case 2: text.insert(at, 1, static_cast<char>(random())); break;
      default: text += text.substr(at, below(64));
    }
  }
  return text;
}

bool is_plain(const std::string& text) {
  if (!text::valid_utf8(text)) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') return false;
  return true;
}

}  // namespace

TEST_CASE("damaged webhooks") {
  std::mt19937 random(1);
  const std::vector<std::pair<std::string, std::string>> whole = {
      {"FaxSid", "FX0123456789abcdef0123456789abcdef"}, {"From", "+12125551212"}, {"FaxStatus", "received"}, {"NumPages", "3"},
      {"RemoteStationId", "ACM\xc3\x89"}, {"MediaUrl", "https://files.example/x.pdf?a=b"}, {"ErrorMessage", "no https://u:p@h/ there"}};
  for (int i = 0; i < 5000; ++i) {
    twilio::Parameters parameters;
    for (const auto& [name, value] : whole) parameters.emplace_back(random() % 8 == 0 ? damaged(name, random) : name, damaged(value, random));
    const auto hook = twilio::read_webhook(parameters);
    REQUIRE((hook.fax_sid.empty() || twilio::is_fax_sid(hook.fax_sid)));
    REQUIRE((!hook.pages || (*hook.pages >= 0 && *hook.pages <= 1'000'000)));
    REQUIRE((hook.status == fax::ProviderStatus::unknown || hook.status_word == "received"));
    for (const auto* text : {&hook.from, &hook.remote_station_id, &hook.status_word, &hook.error_message}) REQUIRE(is_plain(*text));
    REQUIRE(hook.media_url.find_first_of(" \r\n") == std::string::npos);
  }
}

TEST_CASE("damaged tokens and dates") {
  std::mt19937 random(2);
  std::vector<core::SecretString> keys;
  keys.emplace_back("secret");
  const auto now = core::from_ms(1'800'000'000'000);
  const auto token = twilio::make_payload_token(keys.front(), "FX0123", now);
  for (int i = 0; i < 3000; ++i) {
    const auto other = damaged(token, random);
    REQUIRE(twilio::check_payload_token(keys, other, now).has_value() == (other == token));
  }
  for (int i = 0; i < 5000; ++i) {
    for (const auto* date : {"Wed, 25 Nov 2026 07:40:49 +0000", "2026-11-25T07:40:49Z"}) {
      const auto other = damaged(date, random);
      (void)twilio::read_date(other);
      const auto wait = twilio::read_retry_after(other, date);
      REQUIRE((wait.count() >= 0 && wait.count() <= 24 * 3600));
    }
  }
}

TEST_CASE("damaged answers of the provider") {
  std::mt19937 random(3);
  const std::string fax =
      R"({"sid":"FX0123","status":"delivered","direction":"outbound","from":"+1","to":"+2","num_pages":"3","price":-0.07,"date_created":"2026-11-25T07:40:49Z","media_url":"https://h/x","error_code":34004,"error_message":"see https://u:p@h/"})";
  const std::string list = R"({"faxes":[)" + fax + "," + fax + R"(],"meta":{"next_page_url":"/v1/Faxes?Page=1"}})";
  const std::string media = R"({"media":[{"sid":"ME1"},{"sid":"ME2"}],"fax_media":[{"sid":"ME1"}]})";
  const std::string refusal = R"({"code":21211,"message":"bad number","errors":[{"code":"1","message":"two"},"three"]})";
  const auto check = [](const fax::ProviderFax& one) {
    REQUIRE(twilio::is_fax_sid(one.id));
    REQUIRE((!one.pages || (*one.pages >= 0 && *one.pages <= 1'000'000)));
    for (const auto* text : {&one.from, &one.to, &one.error_code, &one.error_message}) REQUIRE(is_plain(*text));
    REQUIRE(one.media_url.find_first_of(" \r\n") == std::string::npos);
  };
  int read = 0;
  for (int i = 0; i < 5000; ++i) {
    if (const auto one = twilio::read_fax(damaged(fax, random))) check(*one), ++read;
    if (const auto page = twilio::read_page(damaged(list, random)))
      for (const auto& one : page->faxes) check(one), ++read;
    if (const auto sids = twilio::read_media(damaged(media, random)))
      for (const auto& sid : *sids) REQUIRE(twilio::is_fax_sid(sid));
    if (const auto no = twilio::read_refusal(damaged(refusal, random))) REQUIRE((!no->code.empty() || !no->message.empty()));
  }
  CHECK(read > 1000);
}
