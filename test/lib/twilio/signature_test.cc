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
  CHECK(sign("http://mycompany.com:80/myapp.php?foo=1&bar=2", kCall) == "0ZXoZLH/DfblKGATFgpif+LLRf4=");
  CHECK(sign("https://user@mycompany.com/myapp.php?foo=1&bar=2", kCall) == "2YRLlVAflCqxaNicjMpJcSTgzSs=");
  CHECK(sign("http://mycompany.com:1234/myapp.php?foo=1&bar=2", kCall) == "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
  CHECK(sign("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", kCall) == "CukzLTc1tT5dXEDIHm/tKBanW10=");
  CHECK(sign("https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2", kCall) == "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=");
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing", kCall) == "TfZzewPq8wqrGlMfyAud8+/IvJ0=");
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620", {}) ==
        "a9nBmqA0ju/hNViExpshrM61xv4=");
  CHECK(sign("https://mycompany.com:443/myapp.php?foo=1&bar=2&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", {}) ==
        "Ldidvp12m26NI7eqEvxnEpkd9Hc=");
  for (const auto& binding : {Parameters{{"MessagingBinding.Address", "+1325xxxxxxx"}, {"MessagingBinding.Address", "+1415xxxxxxx"}},
                              Parameters{{"MessagingBinding.Address", "+1415xxxxxxx"}, {"MessagingBinding.Address", "+1325xxxxxxx"}}})
    CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", binding) == "83O6e2vORAoJHUNzJjDWN1jz+BA=");
  const Parameters repeated{{"Sid", "CA123"}, {"SidAccount", "AC123"}, {"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}};
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", repeated) == "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
  CHECK(sign("https://mycompany.com/myapp.php?foo=1&bar=2", repeated, Repeated::as_they_came) == "eMV0TTCyejiqoUSkV7IwWuk0CRc=");
}

TEST_CASE("SignalWire's own vector: another key, the hash of the body in the URL") {
  const auto text = twilio::signed_text(
      "https://example.ngrok.io/webhook?bodySHA256=69f3cbfc18e386ef8236cb7008cd5a54b7fed637a8cb3373b5a1591d7f0fd5f4", {}, Repeated::as_they_came);
  CHECK(twilio::signature("PSKtest1234567890abcdef", text) == "dfO9ek8mxyFtn2nMz24plPmPfIY=");
}

TEST_CASE("names are sorted by their bytes, empty values add the name") {
  CHECK(twilio::signed_text("u", {{"b", "1"}, {"B", ""}, {"a", "\xc3\xa4"}}, Repeated::sorted_and_unique) == "uBa\xc3\xa4" "b1");
  CHECK(twilio::signed_text("u", {{"n", "2"}, {"n", "1"}, {"n", "2"}}, Repeated::as_they_came) == "un2n1n2");
  CHECK(twilio::signed_text("u", {{"n", "2"}, {"n", "1"}, {"n", "2"}}, Repeated::sorted_and_unique) == "un1n2");
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
  CHECK(twilio::is_signed({"https://fax.example.org/", "/fax/initialize", kCall, header, "", "", false}, keys({"12345"}), Repeated::sorted_and_unique));
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
