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
    CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
    CHECK(twilio::is_signed(request, keys({"new", "12345"}), twilio::kTwilio));
    CHECK_FALSE(twilio::is_signed(request, keys({"54321"}), twilio::kTwilio));
  }
  request.user = "";
  request.header = "CukzLTc1tT5dXEDIHm/tKBanW10=";
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
}

TEST_CASE("a port that is not standard may be left out by the signer, but no other port is ours") {
  const auto header = sign("https://fax.example.org/fax/initialize", kCall);
  CHECK(twilio::is_signed({"https://fax.example.org:3297", "/fax/initialize", kCall, header, "", "", false}, keys({"12345"}), twilio::kTwilio));
  const auto other = sign("https://fax.example.org:9999/fax/initialize", kCall);
  CHECK_FALSE(twilio::is_signed({"https://fax.example.org:3297", "/fax/initialize", kCall, other, "", "", false}, keys({"12345"}), twilio::kTwilio));
  CHECK(twilio::is_signed({"https://fax.example.org/", "/fax/initialize", kCall, header, "", "", false}, keys({"12345"}), twilio::kTwilio));
  const auto six = sign("https://[::1]:8443/fax/initialize", {});
  CHECK(twilio::is_signed({"https://[::1]:8443", "/fax/initialize", {}, six, "", "", false}, keys({"12345"}), twilio::kTwilio));
}

TEST_CASE("multipart: the URL alone, or the URL with the text parts") {
  const auto alone = sign("https://fax.example.org/fax/payload?t=1", {});
  const auto with = sign("https://fax.example.org/fax/payload?t=1", kCall);
  for (const auto& header : {alone, with}) CHECK(twilio::is_signed({"https://fax.example.org", "/fax/payload?t=1", kCall, header, "", "", true}, keys({"12345"}), twilio::kTwilio));
  CHECK_FALSE(twilio::is_signed({"https://fax.example.org", "/fax/payload?t=1", kCall, alone, "", "", false}, keys({"12345"}), twilio::kTwilio));
}

TEST_CASE("no signature, no keys: never signed") {
  CHECK_FALSE(twilio::is_signed({"https://a", "/", {}, "", "", "", false}, keys({"12345"}), twilio::kTwilio));
  CHECK_FALSE(twilio::is_signed({"https://a", "/", {}, sign("https://a/", {}), "", "", false}, {}, twilio::kTwilio));
}

TEST_CASE("the same vectors as requests that came: admitted as they were signed, and not otherwise") {
  struct Vector {
    std::string_view public_url;
    std::string_view target;
    Parameters parameters;
    std::string_view header;
  };
  const Parameters bindings{{"MessagingBinding.Address", "+1415xxxxxxx"}, {"MessagingBinding.Address", "+1325xxxxxxx"}};
  const Vector vectors[] = {
      {"https://mycompany.com", "/myapp.php?foo=1&bar=2", kCall, "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
      {"https://mycompany.com:443", "/myapp.php?foo=1&bar=2", kCall, "kvajT1Ptam85bY51eRf/AJRuM3w="},
      {"http://mycompany.com:80", "/myapp.php?foo=1&bar=2", kCall, "0ZXoZLH/DfblKGATFgpif+LLRf4="},
      {"http://mycompany.com:1234", "/myapp.php?foo=1&bar=2", kCall, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="},
      {"https://mycompany.com", "/myapp.php?foo=1&bar=2&Body=It%27s+amazing", kCall, "TfZzewPq8wqrGlMfyAud8+/IvJ0="},
      {"https://mycompany.com", "/myapp.php?foo=1&bar=2", bindings, "83O6e2vORAoJHUNzJjDWN1jz+BA="},
  };
  for (const auto& vector : vectors) {
    twilio::SignedRequest request{vector.public_url, vector.target, vector.parameters, vector.header, "", ""};
    CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
    request.parameters.emplace_back("Extra", "");
    CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
    request.parameters.pop_back();
    request.target = "/myapp.php?foo=1&bar=3";
    CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
  }
  // Only what was sent counts: the apostrophe was escaped.
  CHECK_FALSE(twilio::is_signed({"https://mycompany.com", "/myapp.php?foo=1&bar=2&Body=It's+amazing", kCall, "TfZzewPq8wqrGlMfyAud8+/IvJ0=", "", ""}, keys({"12345"}), twilio::kTwilio));
}

TEST_CASE("names that come more than once: each provider's rule, and only that") {
  const Parameters repeated{{"Sid", "CA123"}, {"SidAccount", "AC123"}, {"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}};
  twilio::SignedRequest request{"https://mycompany.com", "/myapp.php?foo=1&bar=2", repeated, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", "", ""};
  CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kSignalWire));
  request.header = "eMV0TTCyejiqoUSkV7IwWuk0CRc=";
  CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kSignalWire));
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
}

TEST_CASE("bodySHA256: the URL alone is signed, and the body must have that hash") {
  constexpr std::string_view kHash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
  const std::string target = "/myapp.php?foo=1&bar=2&bodySHA256=" + std::string(kHash);
  twilio::SignedRequest request{"https://mycompany.com", target, {}, "a9nBmqA0ju/hNViExpshrM61xv4=", "", ""};
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
  request.body_sha256 = kHash;
  request.raw_body = R"({"property": "value", "boolean": true})";
  CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
  CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kSignalWire));
  // A form's values are bound by the hash, too, and not signed besides.
  request.parameters = kCall;
  request.raw_body = std::nullopt;
  CHECK(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));
  request.body_sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
  CHECK_FALSE(twilio::is_signed(request, keys({"12345"}), twilio::kTwilio));

  // Signed with a port that nobody wrote.
  CHECK(twilio::is_signed({"https://mycompany.com", "/myapp.php?foo=1&bar=2&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", {}, "Ldidvp12m26NI7eqEvxnEpkd9Hc=", "", "", false,
                           "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}, keys({"12345"}), twilio::kTwilio));
  CHECK(twilio::is_signed({"https://example.ngrok.io", "/webhook?bodySHA256=69f3cbfc18e386ef8236cb7008cd5a54b7fed637a8cb3373b5a1591d7f0fd5f4", {}, "dfO9ek8mxyFtn2nMz24plPmPfIY=", "", "", false,
                           "69f3cbfc18e386ef8236cb7008cd5a54b7fed637a8cb3373b5a1591d7f0fd5f4"}, keys({"PSKtest1234567890abcdef"}), twilio::kSignalWire));
}

TEST_CASE("SignalWire's own vector over a body that is no form") {
  twilio::SignedRequest request{"https://example.ngrok.io", "/webhook", {}, "c3c08c1fefaf9ee198a100d5906765a6f394bf0f", "", ""};
  request.raw_body = R"({"event":"call.state","params":{"call_id":"abc-123","state":"answered"}})";
  CHECK(twilio::is_signed(request, keys({"PSKtest1234567890abcdef"}), twilio::kSignalWire));
  CHECK(twilio::is_signed(request, keys({"new", "PSKtest1234567890abcdef"}), twilio::kSignalWire));
  CHECK_FALSE(twilio::is_signed(request, keys({"PSKtest1234567890abcdef"}), twilio::kTwilio));
  const std::string upper = "C3C08C1FEFAF9EE198A100D5906765A6F394BF0F";
  request.header = upper;
  CHECK_FALSE(twilio::is_signed(request, keys({"PSKtest1234567890abcdef"}), twilio::kSignalWire));
  // A signature of the URL alone says nothing of such a body.
  const auto alone = twilio::signature("PSKtest1234567890abcdef", "https://example.ngrok.io/webhook");
  request.header = alone;
  for (const auto& dialect : {twilio::kSignalWire, twilio::kTwilio}) CHECK_FALSE(twilio::is_signed(request, keys({"PSKtest1234567890abcdef"}), dialect));
  request.raw_body = "";
  CHECK(twilio::is_signed(request, keys({"PSKtest1234567890abcdef"}), twilio::kSignalWire));
}

TEST_CASE("ports: SignalWire adds and drops the standard one alone") {
  const auto admitted = [](std::string_view signed_url, std::string_view public_url) {
    const auto header = sign(std::string(signed_url) + "/x", {});
    return twilio::is_signed({public_url, "/x", {}, header, "", ""}, keys({"12345"}), twilio::kSignalWire);
  };
  CHECK(admitted("https://a.example", "https://a.example"));
  CHECK(admitted("https://a.example:443", "https://a.example"));
  CHECK(admitted("https://a.example", "https://a.example:443"));
  CHECK(admitted("http://a.example:80", "http://a.example"));
  CHECK(admitted("https://a.example:3297", "https://a.example:3297"));
  CHECK_FALSE(admitted("https://a.example", "https://a.example:3297"));
  CHECK_FALSE(admitted("https://a.example:443", "https://a.example:3297"));
  CHECK_FALSE(admitted("https://a.example:80", "https://a.example"));
}

TEST_CASE("why a signature does not match") {
  using twilio::Mismatch;
  const core::SecretString token("token");
  const auto diagnose = [&](std::string_view key, std::string_view signed_url, std::string_view host) {
    const auto header = key.empty() ? std::string() : twilio::signature(key, twilio::signed_text(std::string(signed_url) + "/fax/initialize", kCall, Repeated::sorted_and_unique));
    twilio::SignedRequest request{"https://fax.example.org", "/fax/initialize", kCall, header, "u", "p@"};
    CHECK_FALSE(twilio::is_signed(request, keys({"signing key"}), twilio::kTwilio));
    return twilio::diagnose(request, keys({"signing key"}), twilio::kTwilio, host, token);
  };
  CHECK(diagnose("", "", "fax.example.org").mismatch == Mismatch::no_signature);
  const auto other = diagnose("signing key", "https://old.example.org:8443", "old.example.org:8443");
  CHECK(other.mismatch == Mismatch::other_url);
  CHECK(other.url == "https://old.example.org:8443");
  CHECK(diagnose("signing key", "http://u:p%40@fax.example.org", "fax.example.org").url == "http://fax.example.org");
  const auto key = diagnose("token", "https://fax.example.org", "fax.example.org");
  CHECK(key.mismatch == Mismatch::other_key);
  CHECK(key.url.empty());
  const auto both = diagnose("token", "https://old.example.org", "old.example.org");
  CHECK(both.mismatch == Mismatch::other_key);
  CHECK(both.url == "https://old.example.org");
  CHECK(diagnose("somebody's", "https://fax.example.org", "fax.example.org").mismatch == Mismatch::unknown);
  CHECK(diagnose("signing key", "https://old.example.org", "fax.example.org").mismatch == Mismatch::unknown);
  CHECK(diagnose("signing key", "https://x/<script>", "x/<script>").mismatch == Mismatch::unknown);
  CHECK(diagnose("signing key", "https://old.example.org", "").mismatch == Mismatch::unknown);
  CHECK(twilio::name(Mismatch::other_key) == "other_key");
  CHECK(twilio::name(Mismatch::unknown) == "unknown");
}
