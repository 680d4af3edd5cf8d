#include "notice/words.h"

#include <doctest/doctest.h>

#include "crypto/encoding.h"
#include "json/value.h"
#include "notice/outbox.h"
#include "notice/ways.h"

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

notice::Options options(notice::Content content = notice::Content::link) {
  notice::Options it;
  it.content = content;
  it.page_url = "https://fax.example.org:8443";
  return it;
}

store::Notice failed_fax() {
  store::Notice it;
  it.id = "01hn0000000000000000000000";
  it.fax_id = "01hf0000000000000000000000";
  it.event = "failed";
  it.at = it.created = core::from_ms(1'800'000'000'000);
  it.direction = "outbound";
  it.owner = "anna";
  it.from = "+15005550006";
  it.to = "+12125551212";
  it.provider = "twilio";
  it.pages = 3;
  it.attempt = 2;
  it.cause_code = "busy";
  it.document_id = "01hd0000000000000000000000";
  return it;
}

store::Notice received_fax(const std::string& from) {
  auto it = failed_fax();
  it.event = "received";
  it.direction = "inbound";
  it.from = from;
  it.owner.clear();
  it.cause_code.clear();
  return it;
}

json::Value read(const std::string& text) { return json::parse(text).value(); }

}  // namespace

TEST_CASE("a failure says to whom, why and what to do next, with the address on the page") {
  const auto words = notice::words_of(options(), failed_fax());
  CHECK(words.subject == "Fax to +12125551212 not delivered");
  for (const auto* part : {"The fax was not delivered.", "To:       +12125551212", "Sent by:  anna", "Pages:    3", "Attempts: 2", "2027-01-15 ", "Why:      ", "https://fax.example.org:8443/#/fax/01hf0000000000000000000000"})
    CHECK_MESSAGE(has(words.text, part), words.text);
  CHECK(words.text.find("PRACTICE") == std::string::npos);
}

TEST_CASE("each end has its words") {
  auto it = failed_fax();
  const auto subject = [&](const std::string& event) { return it.event = event, notice::words_of(options(), it).subject; };
  it.pages_done = 2;
  CHECK(subject("partly_delivered") == "Fax to +12125551212 delivered in part: 2 of 3 pages");
  CHECK(subject("canceled") == "Fax to +12125551212 canceled");
  CHECK(subject("unresolved") == "Nobody can say whether the fax to +12125551212 arrived");
  it.before = "partly_delivered";
  it.pages_done = 1;
  CHECK(subject("delivered") == "Correction: Fax to +12125551212 delivered, 1 page");
  CHECK(has(notice::words_of(options(), it).text, "This corrects what was said before (partly delivered)."));
  CHECK(notice::words_of(options(), received_fax("")).subject == "Fax from a withheld number has come in, 3 pages");
}

TEST_CASE("NOTICE_CONTENT=none tells no number, no name, no result, no address") {
  for (const auto& it : {failed_fax(), received_fax("+12125550100")}) {
    const auto words = notice::words_of(options(notice::Content::none), it);
    const auto json = notice::json_of(options(notice::Content::none), it, std::nullopt);
    for (const std::string secret : {"+1", "anna", "busy", "failed", "example.org", "01hf"}) {
      CHECK_MESSAGE(!has(words.subject + words.text, secret), words.text);
      CHECK_MESSAGE(!has(json, secret), json);
    }
  }
  CHECK(notice::words_of(options(notice::Content::none), received_fax("")).subject == "A fax has come in");
  CHECK(read(notice::json_of(options(notice::Content::none), failed_fax(), std::nullopt))["type"].as_string() == "fax.ended");
}

TEST_CASE("a practice line says so, at every level") {
  for (const auto content : {notice::Content::none, notice::Content::link, notice::Content::document}) {
    auto with = options(content);
    with.practice = true;
    const auto words = notice::words_of(with, failed_fax());
    CHECK(words.subject.starts_with("PRACTICE LINE: "));
    CHECK(words.text.starts_with("PRACTICE LINE: "));
    CHECK(read(notice::json_of(with, failed_fax(), std::nullopt))["data"]["practice"].as_bool() == true);
  }
}

TEST_CASE("the JSON has what a program needs, whatever the caller calls himself") {
  const std::string hostile = "\r\nBcc: eve@example.org\"},\"x\":{";
  const auto value = read(notice::json_of(options(), received_fax(hostile), std::nullopt));
  CHECK(value["type"].as_string() == "fax.received");
  CHECK(value["data"]["from"].as_string() == hostile);
  CHECK(value["data"]["pages"].as_int64() == 3);
  CHECK(value["data"]["cause"].is_null());
  CHECK(value["data"]["document"].is_null());
  CHECK(read(notice::json_of(options(), failed_fax(), std::nullopt))["data"]["cause"]["code"].as_string() == "busy");
  const auto paper = read(notice::json_of(options(notice::Content::document), failed_fax(), notice::Paper{"QQ==", std::nullopt, 1}));
  CHECK(paper["data"]["document"]["base64"].as_string() == "QQ==");
  CHECK(paper["data"]["document"]["file_name"].as_string() == "fax-+12125551212-2027-01-15-0800.pdf");
  CHECK(notice::file_name_of(received_fax("../../x")) == "fax-withheld-2027-01-15-0800.pdf");
}

TEST_CASE("a webhook is signed as Standard Webhooks shows it in its example") {
  const auto headers = notice::webhook_headers("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", core::from_ms(1'614'265'330'000), R"({"test": 2432232314})");
  REQUIRE(headers.size() == 3);
  CHECK(headers[0] == std::pair<std::string, std::string>("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"));
  CHECK(headers[1].second == "1614265330");
  CHECK(headers[2].second == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  // Any other key counts as it stands.
  CHECK(notice::webhook_headers("secret", "i", {}, "")[2].second != notice::webhook_headers("whsec_c2VjcmV0", "j", {}, "")[2].second);
  CHECK(notice::webhook_headers("secret", "i", {}, "")[2].second == notice::webhook_headers("whsec_c2VjcmV0", "i", {}, "")[2].second);
}

TEST_CASE("the ways are those that are set; waits grow to an hour") {
  auto it = options();
  CHECK(notice::ways_of(it) == std::vector<std::string>{"maildir"});
  it.smtp_url = "smtp://mail.example.org";
  it.recipients = {"anna@example.org", "bob@example.org"};
  it.webhook_url = "https://example.org/hook";
  it.command = "/bin/true";
  CHECK(notice::ways_of(it) == std::vector<std::string>{"maildir", "smtp:anna@example.org", "smtp:bob@example.org", "webhook", "command"});
  CHECK(notice::family_of("smtp:anna@example.org") == "smtp");
  CHECK(notice::wait_after(0).count() == 10);
  CHECK(notice::wait_after(1).count() == 20);
  CHECK(notice::wait_after(40).count() == 3600);
}
