#include "twilio/webhook.h"

#include <doctest/doctest.h>

#include <string>

using fax::ProviderStatus;

TEST_CASE("a first webhook has ids and numbers, and no status yet") {
  const auto hook = twilio::read_webhook({{"FaxSid", "FX0123"}, {"AccountSid", "AC1"}, {"From", "+12125551212"}, {"To", "+15005550006"}, {"ApiVersion", "v1"}});
  CHECK(hook.fax_sid == "FX0123");
  CHECK(hook.account_sid == "AC1");
  CHECK(hook.from == "+12125551212");
  CHECK(hook.to == "+15005550006");
  CHECK(hook.status == ProviderStatus::unknown);
  CHECK(hook.status_word.empty());
  CHECK(!hook.pages);
  CHECK(hook.media_url.empty());
}

TEST_CASE("a payload and a callback, in full") {
  const auto hook = twilio::read_webhook({{"NumPages", "3"},
                                          {"FaxSid", "b0b4c3d2-1111-2222-3333-444455556666"},
                                          {"FaxStatus", "received"},
                                          {"RemoteStationId", " ACME \r\nInc\x01 "},
                                          {"MediaUrl", "https://files.signalwire.com/a/b.pdf?x=1&y=%20"},
                                          {"MediaSid", "ME01"},
                                          {"OriginalMediaUrl", "https://u:p@fax.example.org/fax/sending/t"},
                                          {"ErrorCode", "34004"},
                                          {"ErrorMessage", "line \xff broke"},
                                          {"FaxSid", "second"}});
  CHECK(hook.fax_sid == "b0b4c3d2-1111-2222-3333-444455556666");
  CHECK(hook.status == ProviderStatus::received);
  CHECK(hook.pages == 3);
  CHECK(hook.remote_station_id == "ACME   Inc");
  CHECK(hook.media_url == "https://files.signalwire.com/a/b.pdf?x=1&y=%20");
  CHECK(hook.media_sid == "ME01");
  CHECK(hook.original_media_url == "https://u:p@fax.example.org/fax/sending/t");
  CHECK(hook.error_code == "34004");
  CHECK(hook.error_message == "line \xef\xbf\xbd broke");
}

TEST_CASE("a message that quotes our URL does not give it away") {
  const auto message = [](const std::string& text) { return twilio::read_webhook({{"ErrorMessage", text}}).error_message; };
  CHECK(message("cannot fetch https://fax:secret@host/fax/sending/token: 404") == "cannot fetch (address) 404");
  CHECK(message("'HTTPS://u:p@h/x', and \"http://h/y\"") == "'(address)', and \"(address)\"");
  CHECK(message("https://a/https://b/") == "(address)");
  CHECK(message("://://") == "(address)");
  CHECK(message("1://x y") == "1(address) y");
  CHECK(message(std::string(600, 'x') + " https://fax:secret@h/").find("secret") == std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "https://secret/ ";
  CHECK(message(many).find("secret") == std::string::npos);
  CHECK(message("plain") == "plain");
}

TEST_CASE("a caller who withholds the number has none, whatever word or digits say so") {
  const auto from = [](const char* text) { return twilio::read_webhook({{"From", text}}).from; };
  for (const auto* withheld : {"anonymous", "Anonymous", "RESTRICTED", "unknown", " private ", "+266696687", "266696687", "+7378742833", ""}) CHECK(from(withheld).empty());
  CHECK(from("+12125551212") == "+12125551212");
  CHECK(from("++266696687") == "++266696687");
  CHECK(from("sip:unknown@example.org") == "sip:unknown@example.org");
}

TEST_CASE("what makes no sense is as not given") {
  CHECK(twilio::read_webhook({}).fax_sid.empty());
  for (const auto* sid : {"", "../x", "FX 1", "FX\n1", "FX%2f"}) CHECK(twilio::read_webhook({{"FaxSid", sid}}).fax_sid.empty());
  for (const auto* pages : {"", "-1", "three", "1.5", "1000001", "99999999999999999999", "0x1"}) CHECK(!twilio::read_webhook({{"NumPages", pages}}).pages);
  CHECK(twilio::read_webhook({{"NumPages", "0"}}).pages == 0);
  for (const auto& url : {std::string("https://a b/"), std::string("https://a/\n"), "https://a/" + std::string(5000, 'x')})
    CHECK(twilio::read_webhook({{"MediaUrl", url}}).media_url.empty());
  CHECK(twilio::read_webhook({{"From", std::string(100'000, 'x')}}).from.size() == 512);
  // Cut at a character's edge, wherever the limit falls.
  for (std::size_t before = 0; before < 4; ++before) {
    std::string name(before, 'x');
    for (int i = 0; i < 200; ++i) name += "\U0001f600";
    const auto cut = twilio::read_webhook({{"From", name}}).from;
    CHECK(name.starts_with(cut));
    CHECK(cut.size() > 508);
  }
  CHECK(twilio::read_webhook({{"faxsid", "FX1"}}).fax_sid.empty());
  // A word that is not known is never a success.
  for (const auto* word : {"Delivered", "success", "", "received "}) {
    const auto hook = twilio::read_webhook({{"FaxStatus", std::string(word) + "?"}});
    CHECK(hook.status == ProviderStatus::unknown);
  }
}

TEST_CASE("all ten words") {
  const std::pair<const char*, ProviderStatus> words[] = {
      {"queued", ProviderStatus::queued},       {"processing", ProviderStatus::processing}, {"sending", ProviderStatus::sending},
      {"delivered", ProviderStatus::delivered}, {"receiving", ProviderStatus::receiving},   {"received", ProviderStatus::received},
      {"no-answer", ProviderStatus::no_answer}, {"busy", ProviderStatus::busy},             {"failed", ProviderStatus::failed},
      {"canceled", ProviderStatus::canceled}};
  for (const auto& [word, status] : words) CHECK(twilio::read_webhook({{"FaxStatus", word}}).status == status);
}
