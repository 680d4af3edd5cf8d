#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "core/fd.h"
#include "sandbox/caller.h"
#include "sandbox/fax.h"
#include "sandbox/pdf.h"
#include "sandbox/signature.h"
#include "sandbox/twiml.h"

using namespace sandbox;

namespace {

std::string code_of(std::string_view xml) {
  const auto receive = read_twiml(xml);
  return receive ? "ok" : receive.error().field;
}

std::optional<std::int64_t> pages_of(const std::string& text) {
  char name[] = "/tmp/faxline-sandbox-pdf-XXXXXX";
  const core::UniqueFd fd(mkstemp(name));
  REQUIRE(core::write_all(fd.get(), text, name));
  const auto pages = count_pages(name);
  CHECK(*is_pdf(name) == (text.substr(0, 1024).find("%PDF-") != std::string::npos));
  ::unlink(name);
  return pages;
}

}  // namespace

TEST_CASE("signature: the vectors of Twilio's client libraries") {
  const Pairs call{{"From", "+14158675309"}, {"To", "+18005551212"}, {"CallSid", "CA1234567890ABCDE"}, {"Digits", "1234"}, {"Caller", "+14158675309"}};
  CHECK(sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", call) == "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  CHECK(sign("12345", "http://mycompany.com:1234/myapp.php?foo=1&bar=2", call) == "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
  CHECK(sign("12345", "https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2", call) == "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=");
  CHECK(sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", {{"Sid", "CA123"}, {"SidAccount", "AC123"}, {"Digits", "5678"}, {"Digits", "1234"}, {"Digits", "1234"}}) ==
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

TEST_CASE("signature: forms") {
  CHECK(urlencoded({{"From", "+1 2"}, {"a&b", ""}}) == "From=%2B1%202&a%26b=");
  CHECK(urlencoded({}).empty());
}

TEST_CASE("twiml: what is asked for") {
  const auto receive = read_twiml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hi --><Response>\n <Receive action=\"/fax/payload?t=1&amp;x=&#x41;\" method='GET' storeMedia=\"false\"/>\n</Response>\n");
  REQUIRE(receive);
  CHECK(receive->action == "/fax/payload?t=1&x=A");
  CHECK(receive->method == "GET");
  CHECK_FALSE(receive->store_media);
  const auto plain = read_twiml("<Response><Receive></Receive></Response>");
  REQUIRE(plain);
  CHECK(plain->action.empty());
  CHECK(plain->method == "POST");
  CHECK(plain->store_media);
  CHECK(plain->media_type == "application/pdf");
}

TEST_CASE("twiml: what is no answer") {
  for (const char* xml : {"", "200/OK", "<Response>", "<Response/><Response/>", "</Response>", "<Response><a></b></Response>", "<Response a=1/>", "<Response a='1' a='2'/>",
                          "<!DOCTYPE x><Response/>", "<Response>&nbsp;</Response>", "<Response><Receive action=\"&#0;\"/></Response>", "<response><Receive/></response>",
                          "<Response><Receive action=\"a<b\"/></Response>", "<Response>\xff</Response>", "<Response><![CDATA[x]]></Response>", "x<Response/>", "<Response/>x", "<",
                          "<Response &", "<Response a='&#99999999999;'/>", "<Response a='&#x;'/>"})
    CHECK_MESSAGE(code_of(xml) == "12100", xml);
  for (const char* xml : {"<Response/>", "<Response><receive/></Response>", "<Response><Say><Receive/></Say></Response>", "<Response><Receive method='PUT'/></Response>",
                          "<Response><Receive storeMedia='no'/></Response>", "<Response><Receive mediaType='text/html'/></Response>", "<Response><Receive onclick=''/></Response>"})
    CHECK_MESSAGE(code_of(xml) == "34106", xml);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<Response>";
  CHECK(code_of(deep) == "12100");
  CHECK(code_of("<Response>" + std::string(100'000, ' ') + "</Response>") == "12100");
}

TEST_CASE("pdf: counts what it can see, and says so when it cannot") {
  CHECK(pages_of("%PDF-1.4\n<< /Type /Pages /Count 2 >> << /Type /Page >> <</Type/Page/Parent 1 0 R>>") == 2);
  CHECK(pages_of("%PDF-1.4\n<< /Type /Pages >>") == std::nullopt);
  CHECK(pages_of("%PDF-1.5\n<< /Type /Page >> << /Type /ObjStm >>") == std::nullopt);
  CHECK(pages_of("<html>") == std::nullopt);
  std::string cut = "%PDF-1.4\n";
  cut.append(64 * 1024 - cut.size() - 7, ' ').append("/Type /Page >>").append(200'000, ' ').append("/Type /Page");
  CHECK(pages_of(cut) == 2);
  CHECK_FALSE(is_pdf("/nonexistent/file"));
  CHECK(count_pages("/nonexistent/file") == std::nullopt);
}

TEST_CASE("fax: written and read back") {
  Fax fax;
  fax.sid = new_sid("FX");
  fax.direction = "outbound";
  fax.status = "sending";
  fax.to = "+1\"\n";
  fax.pages = 3;
  fax.store_media = false;
  fax.callbacks = {{"queued", 7, 1}, {"sending", 9, 0}};
  const auto read = fax_from_json(to_json(fax));
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(fax));
  CHECK(read->callbacks.size() == 2);
  CHECK_FALSE(read->is_final());
  for (const char* text : {"", "{}", "[]", "{\"sid\":\"../../x\",\"status\":\"sent\",\"direction\":\"outbound\"}"}) CHECK_FALSE(fax_from_json(text));
  CHECK(is_sid(fax.sid, "FX"));
  CHECK_FALSE(is_sid(fax.sid, "ME"));
  CHECK_FALSE(is_sid("FX../../../../../../../../../../etc", "FX"));
}

TEST_CASE("caller: a document in a form") {
  CHECK(multipart({{"FaxSid", "FX1"}}, "FX1.pdf", "%PDF-", "b") ==
        "--b\r\nContent-Disposition: form-data; name=\"FaxSid\"\r\n\r\nFX1\r\n--b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"FX1.pdf\"\r\n"
        "Content-Type: application/pdf\r\n\r\n%PDF-\r\n--b--\r\n");
}
