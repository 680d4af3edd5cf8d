#include "twilio/signature.h"

#include <doctest/doctest.h>

namespace {

using twilio::Parameters;
using twilio::Repeated;

const Parameters kCall{{"Digits", "1234"}, {"CallSid", "CA1234567890ABCDE"}, {"To", "+18005551212"}, {"From", "+14158675309"}, {"Caller", "+14158675309"}};

std::string sign(std::string_view url, const Parameters& parameters, Repeated repeated = Repeated::sorted_and_unique) {
  return twilio::signature("12345", twilio::signed_text(url, parameters, repeated));
}

std::vector<core::SecretString> keys(std::initializer_list<const char*> texts) {
  std::vector<core::SecretString> list;
  for (const auto* text : texts) list.emplace_back(text);
  return list;
}

}  // namespace

TEST_CASE("the vectors of the provider's own client library") {
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", kCall) == "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  CHECK(sign("https://mycompany.com:443/myapp.php?foo=1&bar=2", kCall) == "kvajT1Ptam85bY51eRf/AJRuM3w=");
  CHECK(sign("http://mycompany.com:1234/myapp.php?foo=1&bar=2", kCall) == "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
  CHECK(sign("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", kCall) == "CukzLTc1tT5dXEDIHm/tKBanW10=");
  CHECK(sign("https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2", kCall) == "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=");
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing", kCall) == "TfZzewPq8wqrGlMfyAud8+/IvJ0=");
  const Parameters repeated{{"Sid", "CA123"}, {"SidAccount", "AC123"}, {"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}};
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", repeated) == "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", repeated, Repeated::as_they_came) == "eMV0TTCyejiqoUSkV7IwWuk0CRc=");
}

TEST_CASE("what a server behind a proxy does not see is tried: user information and port") {
  twilio::SignedRequest request{"https://mycompany.com", "/myapp.php?foo=1&bar=2", kCall, "", "user", "pass", false};
  for (const auto* header : {"RSOYDt4T1cUTdK1PDd93/VVr8B8=", "kvajT1Ptam85bY51eRf/AJRuM3w=", "CukzLTc1tT5dXEDIHm/tKBanW10=", "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="}) {
    request.header = header;
    CHECK(twilio::is_signed(request, keys({"12345"}), Repeated::sorted_and_unique));
    CHECK(twilio::is_signed(request, keys({"new", "12345"}), Repeated::sorted_and_unique));
    CHECK_FALSE(twilio::is_signed(request, keys({"54321"}), Repeated::sorted_and_unique));
  }
  request.user = "";
  request.header = "CukzLTc1tT5dXEDIHm/tKBanW10=";
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), Repeated::sorted_and_unique));
}

TEST_CASE("a port that is not standard may be left out by the signer, but no other port is ours") {
  const auto header = sign("https://fax.example.org/fax/initialize", kCall);
  CHECK(twilio::is_signed({"https://fax.example.org:3297", "/fax/initialize", kCall, header, "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
  const auto other = sign("https://fax.example.org:9999/fax/initialize", kCall);
  CHECK_FALSE(twilio::is_signed({"https://fax.example.org:3297", "/fax/initialize", kCall, other, "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
  const auto six = sign("https://[::1]:8443/fax/initialize", {});
  CHECK(twilio::is_signed({"https://[::1]:8443", "/fax/initialize", {}, six, "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
}

TEST_CASE("multipart: the URL alone, or the URL with the text parts") {
  const auto alone = sign("https://fax.example.org/fax/payload?t=1", {});
  const auto with = sign("https://fax.example.org/fax/payload?t=1", kCall);
  for (const auto& header : {alone, with}) CHECK(twilio::is_signed({"https://fax.example.org", "/fax/payload?t=1", kCall, header, "", "", true}, keys({"12345"}), Repeated::sorted_and_unique));
  CHECK_FALSE(twilio::is_signed({"https://fax.example.org", "/fax/payload?t=1", kCall, alone, "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
}

TEST_CASE("no signature, no keys: never signed") {
  CHECK_FALSE(twilio::is_signed({"https://a", "/", {}, "", "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
  CHECK_FALSE(twilio::is_signed({"https://a", "/", {}, sign("https://a/", {}), "", "", false}, {}, Repeated::sorted_and_unique));
}
