#include "crypto/random.h"
#include "incoming.h"
#include "text/percent.h"

using namespace house;

TEST_CASE("the first webhook: only a matching signature is answered, with a way to bring the document") {
  Incoming house;
  for (const std::string method : {"POST", "GET"}) {
    const bool post = method == "POST";
    const std::string target = post ? "/fax/initialize" : "/fax/initialize?" + kFirst;
    const auto call = [&](Parameters more) { return ask(house.routes, method, target, with(more, post ? kForm : Parameters()), post ? kFirst : ""); };
    const auto answer = call(house.sign(target, post ? kFirst : ""));
    REQUIRE(answer.status() == 200);
    CHECK(answer.first("Content-Type").value_or("").starts_with("text/xml"));
    CHECK(action_of(answer) == "https://fax.example" + house.by_token());
    CHECK(answer.text().find("storeMedia=\"true\"") != std::string::npos);
    CHECK(house.hints.back() == "receiving\tFX1\t+12125550100\t+15005550006");
    check_empty(call({}), 403);
    check_empty(call(house.sign(target, post ? kFirst : "", "another key")), 403);
    check_empty(call(house.sign("/fax/initialize", "FaxSid=FX2")), 403);
  }
  check_empty(ask(house.routes, "PUT", "/fax/initialize"), 405);
  check_empty(ask(house.routes, "GET", "/fax/other"), 404);
  CHECK(house.all().empty());
}

TEST_CASE("the first webhook: what PUBLIC_URL says is signed, whatever Host says; the old key counts besides") {
  Incoming house;
  house.side.signing_keys.emplace_back("an older key");
  CHECK(house.form("/fax/initialize", kFirst, with(house.sign("/fax/initialize", kFirst), {{"HTTP_HOST", "evil.example"}})).status() == 200);
  CHECK(house.form("/fax/initialize", kFirst, house.sign("/fax/initialize", kFirst, "an older key")).status() == 200);
  CHECK(house.form("/fax/initialize", kFirst, {{"HTTP_X_SIGNALWIRE_SIGNATURE", house.sign("/fax/initialize", kFirst).front().second}}).status() == 200);
  check_empty(house.form("/fax/initialize", "From=1", house.sign("/fax/initialize", "From=1")), 400);
  check_empty(house.form("/fax/initialize", std::string(70000, 'x')), 413);
  check_empty(ask(house.routes, "POST", "/fax/initialize", kJson, "{}"), 415);
}

TEST_CASE("WEBHOOK_SIGNATURE=optional accepts the unsigned, loudly, and never the wrongly signed") {
  Incoming house;
  house.side.signature_required = false;
  house.side.store_media = false;
  const core::LogCapture log;
  const auto answer = house.form("/fax/initialize", kFirst);
  CHECK(answer.status() == 200);
  CHECK(answer.text().find("storeMedia=\"false\"") != std::string::npos);
  CHECK(log.text().find("level=warning") != std::string::npos);
  CHECK(log.text().find("UNSIGNED") != std::string::npos);
  check_empty(house.form("/fax/initialize", kFirst, house.sign("/fax/initialize", kFirst, "another key")), 403);
}

TEST_CASE("INBOUND_AUTH: the password comes before all, and nothing is used up without it") {
  Incoming house;
  house.with_password();
  auto fax = house.sent();
  (void)house.attempt(fax, "m", crypto::token_hash("ctoken"));
  const auto signature = house.sign("/fax/initialize", kFirst);
  for (const auto& target : {std::string("/fax/initialize"), house.by_token(), std::string("/fax/callback/ctoken"), std::string("/fax/callback/unknown")})
    for (const auto& wrong : {Parameters{}, Incoming::basic("user name:wrong"), Incoming::basic("user name:pass:w@rd "), Parameters{{"HTTP_AUTHORIZATION", "Basic !"}}, Parameters{{"HTTP_AUTHORIZATION", "Bearer x"}}}) {
      const auto answer = house.form(target, kFirst, with(wrong, signature));
      check_empty(answer, 401);
      CHECK(answer.first("WWW-Authenticate").value_or("").starts_with("Basic realm="));
    }
  CHECK(house.all().size() == 1);
  CHECK(house.wakes == 0);
  const auto right = Incoming::basic("user name:pass:w@rd");
  const auto answer = house.form("/fax/initialize", kFirst, with(right, signature));
  REQUIRE(answer.status() == 200);
  CHECK(action_of(answer) == "https://user%20name:pass%3Aw%40rd@fax.example" + house.by_token());
  const auto with_user = twilio::signature("the signing key", "https://user%20name:pass%3Aw%40rd@fax.example/fax/initializeFaxSidFX9");
  CHECK(house.form("/fax/initialize", "FaxSid=FX9", with(right, {{"HTTP_X_TWILIO_SIGNATURE", with_user}})).status() == 200);
  CHECK(house.form(house.by_token(), kFirst + "&MediaUrl=https://media.example/1", with({{"HTTP_AUTHORIZATION", "basic " + crypto::base64_encode("user name:pass:w@rd")}}, {})).status() == 200);
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX5", right).status() == 200);
}

TEST_CASE("a payload with a document is durable when it is answered") {
  Incoming house;
  const auto answer = house.document(house.by_token(), {kMedia, kSid, kFrom, {"To", "+15005550006"}, {"NumPages", "3"}, {"FaxStatus", "received"}});
  CHECK(answer.status() == 200);
  const auto fax = house.only();
  CHECK(fax.status == fax::Status::received);
  CHECK(fax.provider_id == "FX1");
  CHECK(fax.from == "+12125550100");
  CHECK(fax.pages == 3);
  CHECK(fax.mail_due);
  CHECK(house.faxes->documents_of(fax.id).value().front().bytes == static_cast<std::int64_t>(kPdf.size()));
  CHECK(house.spooled() == 1);
  CHECK(house.wakes == 1);
}

TEST_CASE("the same document again changes nothing, another one is kept beside it") {
  Incoming house;
  for (int i = 0; i < 2; ++i) CHECK(house.document(house.by_token(), {kSid, kFrom, kMedia}).status() == 200);
  CHECK(house.only().version == 1);
  CHECK(house.spooled() == 1);
  CHECK(house.document(house.by_token(), {kSid, kFrom, {"Media", kPdf + "more", "x.pdf"}}).status() == 200);
  CHECK(house.faxes->documents_of(house.only().id).value().size() == 2);
  CHECK(house.spooled() == 2);
}

TEST_CASE("what was deleted here does not come back") {
  Incoming house;
  const auto fax = house.received("FX1");
  REQUIRE(house.faxes->remove(fax.id, house.clock.now()));
  const auto before = house.spooled();
  CHECK(house.document(house.by_token(), {kSid, kMedia}).status() == 200);
  CHECK(house.all().empty());
  CHECK(house.spooled() == before);
}

TEST_CASE("nginx hears whether a payload is wanted before it reads a byte of its body") {
  Incoming house;
  const auto admit = [&](const std::string& target, Parameters more = {}, const std::string& length = "999999") {
    return ask(house.routes, "GET", "/admit", with(more, {{"ORIGINAL_URI", target}, {"ORIGINAL_METHOD", "POST"}, {"ORIGINAL_LENGTH", length}})).status();
  };
  const Parameters some_signature{{"HTTP_X_TWILIO_SIGNATURE", "whatever"}};
  CHECK(admit(house.by_token()) == 204);
  CHECK(admit("/fax/payload?a=b&t=" + house.token("FX1")) == 204);
  CHECK(admit(house.by_token(), {}, "999999999999999") == 503);  // no disk is that large
  for (const auto& none : {std::string(), std::string("/fax/payload"), std::string("/fax/payload?t="), std::string("/fax/payload?t=%zz"), "/fax/payload?t=" + house.token("FX1", -1s)}) {
    CHECK(admit(none, {}, "10") == 403);
    CHECK(admit(none, some_signature, "10") == 204);  // its signature is looked at when it is there
    CHECK(admit(none, some_signature) == 403);
    CHECK(admit(none, some_signature, "") == 403);
  }
  house.with_password();
  CHECK(admit(house.by_token()) == 401);
  CHECK(admit(house.by_token(), house.basic("user name:pass:w@rd")) == 204);
}

TEST_CASE("a token admits whatever the signature says, and one that is not good counts as none") {
  Incoming house;
  const core::LogCapture log;
  CHECK(house.document(house.by_token(), {kSid, kMedia}, {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}).status() == 200);
  CHECK(log.text().find("signature does not match") != std::string::npos);
  CHECK(house.form(house.by_token("FX2"), "FaxSid=FX2&MediaUrl=https://media.example/2", {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}).status() == 200);
  const auto count = house.all().size();
  std::string broken = house.by_token("FX3");
  broken.back() = broken.back() == 'A' ? 'B' : 'A';
  const auto expired = "/fax/payload?t=" + house.token("FX3", -1s);
  for (const auto& target : {std::string("/fax/payload"), std::string("/fax/payload?t="), std::string("/fax/payload?t=%zz"), broken, expired, house.by_token("FX4")}) {
    check_empty(house.document(target, {{"FaxSid", "FX3"}, kMedia}), 403);
    check_empty(house.document(target, {{"FaxSid", "FX3"}, kMedia}, {{"HTTP_X_TWILIO_SIGNATURE", "wrong"}}), 403);
    check_empty(house.form(target, "FaxSid=FX3&MediaUrl=https://media.example/3"), 403);
    check_empty(ask(house.routes, "GET", target + (target.find('?') == std::string::npos ? "?" : "&") + "FaxSid=FX3"), 403);
  }
  // With the provider's signature the token is not needed.
  CHECK(house.form(expired, "FaxSid=FX3&MediaUrl=https://media.example/3", house.sign(expired, "FaxSid=FX3&MediaUrl=https://media.example/3")).status() == 200);
  CHECK(house.all().size() == count + 1);
  CHECK(house.temporary_files() == 0);
  CHECK(log.text().find(house.token("FX1").substr(5)) == std::string::npos);
}

TEST_CASE("a FaxSid that is not the token's own is not admitted by it, however it is spelled") {
  Incoming house;
  for (const std::string sid : {"FX2", "../FX1", "FX1 ", ""}) check_empty(house.document(house.by_token(), {{"FaxSid", sid}, kMedia}), 403);
  check_empty(house.form(house.by_token(), "FaxSid=..%2FFX1&MediaUrl=https://media.example/1"), 403);
  CHECK(house.all().empty());
  CHECK(house.spooled() == 0);
}

TEST_CASE("without a FaxSid in the body, the token knows it") {
  Incoming house;
  CHECK(house.document(house.by_token("FX1"), {kMedia, kFrom}).status() == 200);
  CHECK(house.form(house.by_token("FX2"), "From=%2B12125550100&MediaUrl=https://media.example/2").status() == 200);
  CHECK(ask(house.routes, "GET", house.by_token("FX3") + "&MediaUrl=https%3A%2F%2Fmedia.example%2F3").status() == 200);
  std::vector<std::string> sids;
  for (const auto& fax : house.all()) sids.push_back(fax.provider_id);
  std::sort(sids.begin(), sids.end());
  CHECK(sids == std::vector<std::string>{"FX1", "FX2", "FX3"});
}

TEST_CASE("multipart without a token: by the signature of the URL, or of URL and text fields") {
  Incoming house;
  const std::string target = "/fax/payload";
  CHECK(house.document(target, {kMedia, kSid}, house.sign(target)).status() == 200);
  CHECK(house.document(target, {kMedia, {"FaxSid", "FX2"}, kFrom}, house.sign(target, "FaxSid=FX2&From=%2B12125550100")).status() == 200);
  check_empty(house.document(target, {kMedia, {"FaxSid", "FX3"}}, house.sign(target, "FaxSid=FX4")), 403);
  check_empty(house.document(target, {kMedia}, house.sign(target)), 400);
  CHECK(house.all().size() == 2);
  CHECK(house.spooled() == 2);
  CHECK(house.temporary_files() == 0);
}

TEST_CASE("a GET brings a payload too, signed or by its token") {
  Incoming house;
  CHECK(ask(house.routes, "GET", house.by_token() + "&FaxSid=FX1&From=%2B12125550100&MediaUrl=https%3A%2F%2Fmedia.example%2F1&NumPages=2").status() == 200);
  const auto fax = house.only();
  CHECK(fax.status == fax::Status::fetching);
  CHECK(fax.media_url == "https://media.example/1");
  CHECK(fax.pages == 2);
  const std::string target = "/fax/payload?FaxSid=FX2&MediaUrl=https%3A%2F%2Fmedia.example%2F2";
  CHECK(ask(house.routes, "GET", target, house.sign(target)).status() == 200);
  CHECK(house.all().size() == 2);
}

TEST_CASE("a document completes a record that had none") {
  Incoming house;
  CHECK(house.form(house.by_token(), "FaxSid=FX1&FaxStatus=failed&ErrorCode=34100&ErrorMessage=call%20dropped").status() == 200);
  const auto failed = house.only();
  CHECK(failed.status == fax::Status::failed);
  CHECK(failed.cause_code == "reception_failed");
  CHECK(failed.cause_text == "error 34100: call dropped");
  CHECK_FALSE(failed.next_at);
  CHECK(house.form(house.by_token(), "FaxSid=FX1&FaxStatus=failed&ErrorCode=34100").status() == 200);
  CHECK(house.only().version == failed.version);
  CHECK(house.document(house.by_token(), {kSid, kMedia}).status() == 200);
  CHECK(house.only().status == fax::Status::received);
  CHECK(house.only().cause_code.empty());
}

TEST_CASE("an ErrorCode with a document: the document is kept") {
  Incoming house;
  CHECK(house.document(house.by_token(), {{"ErrorCode", "34100"}, kSid, kMedia}).status() == 200);
  CHECK(house.only().status == fax::Status::received);
}

TEST_CASE("received, but without a document: the provider is asked, if it keeps them") {
  Incoming house;
  CHECK(house.form(house.by_token(), "FaxSid=FX1&FaxStatus=received").status() == 200);
  CHECK(house.only().status == fax::Status::receiving);
  CHECK(house.only().next_at == house.clock.now());
  Incoming seed;
  seed.side.store_media = false;
  CHECK(seed.document(seed.by_token(), {kSid, {"Media", "", "FX1.pdf"}, {"FaxStatus", "received"}}).status() == 200);
  CHECK(seed.only().status == fax::Status::failed);
  CHECK(seed.only().cause_code == "not_kept");
}

TEST_CASE("received is received, whatever an ErrorCode beside it says") {
  for (const std::string code : {"0", "34100"}) {
    CAPTURE(code);
    Incoming house;
    CHECK(house.form(house.by_token(), "FaxSid=FX1&FaxStatus=received&ErrorCode=" + code + "&MediaUrl=https%3A%2F%2Fmedia.example%2F1").status() == 200);
    CHECK(house.only().status == fax::Status::fetching);
    CHECK(house.only().media_url == "https://media.example/1");
    Incoming other;
    CHECK(other.form(other.by_token(), "FaxSid=FX1&FaxStatus=received&ErrorCode=" + code).status() == 200);
    CHECK(other.only().status == fax::Status::receiving);
    Incoming third;
    CHECK(third.form(third.by_token(), "FaxSid=FX1&FaxStatus=failed&ErrorCode=" + code + "&MediaUrl=https%3A%2F%2Fmedia.example%2F1").status() == 200);
    CHECK(third.only().status == fax::Status::failed);
  }
}

TEST_CASE("MAX_FAX_BYTES bounds what the provider keeps too, not what it has nowhere else") {
  const Part large{"Media", kPdf + std::string(5000, 'x'), "FX1.pdf"};
  Incoming house;
  check_empty(house.document(house.by_token(), {kSid, large}), 413);
  CHECK(house.spooled() == 0);
  house.side.store_media = false;
  CHECK(house.document(house.by_token(), {kSid, large}).status() == 200);
  CHECK(house.only().status == fax::Status::received);
  check_empty(house.document("/fax/payload", {{"FaxSid", "FX2"}, large}, house.sign("/fax/payload")), 413);
}

TEST_CASE("a body that was cut off is no document") {
  Incoming house;
  const auto whole = multipart({kSid, kMedia});
  check_empty(ask(house.routes, "POST", house.by_token(), kMultipart, whole.substr(0, whole.size() - 6)), 400);
  CHECK(house.all().empty());
  CHECK(house.spooled() == 0);
  CHECK(house.temporary_files() == 0);
}

TEST_CASE("line feeds and NULs from outside cost no fax, and write no lines") {
  Incoming house;
  const core::LogCapture log;
  CHECK(house.document(house.by_token(), {kSid, kMedia, {"From", std::string("+1212\r\nBcc: x\0y", 15)}, {"Other", std::string("\0", 1)}}).status() == 200);
  CHECK(house.only().from == "+1212  Bcc: x y");
  const std::string body = "FaxSid=FX2&From=a%00%0D%0Ab&MediaUrl=https://media.example/2";
  CHECK(house.form(house.by_token("FX2"), body).status() == 200);
  CHECK(house.form("/fax/payload", "FaxSid=FX3&From=%00&MediaUrl=https://media.example/3", house.sign("/fax/payload", "FaxSid=FX3&From=%00&MediaUrl=https://media.example/3")).status() == 200);
  CHECK(ask(house.routes, "GET", house.by_token("FX4") + "&FaxSid=FX4&From=%00&MediaUrl=https%3A%2F%2Fmedia.example%2F4").status() == 200);
  CHECK(house.all().size() == 4);
  const auto first = "FaxSid=FX5&From=a%0A%09b";
  CHECK(house.form("/fax/initialize", first, house.sign("/fax/initialize", first)).status() == 200);
  CHECK(house.hints.back() == "receiving\tFX5\ta  b\t");
  CHECK(log.text().find("\nBcc") == std::string::npos);
}

TEST_CASE("what cannot be stored is 503, for the provider to come again, and leaves nothing") {
  Incoming full(std::int64_t{1} << 60);
  const auto answer = full.document(full.by_token(), {kSid, kMedia});
  check_empty(answer, 503);
  CHECK(answer.first("Retry-After"));
  Incoming house;
  {
    const House::Lock lock(house);
    check_empty(house.document(house.by_token(), {kSid, kMedia}), 503);
    check_empty(house.form(house.by_token(), "FaxSid=FX1&MediaUrl=https://media.example/1"), 503);
    check_empty(house.form(house.by_token(), "FaxSid=FX1&FaxStatus=received"), 503);
  }
  CHECK(house.spooled() == 0);
  CHECK(house.document(house.by_token(), {kSid, kMedia}).status() == 200);
  REQUIRE(house.database->lease().value().execute("DROP TABLE faxes"));
  check_empty(house.document(house.by_token("FX2"), {{"FaxSid", "FX2"}, kMedia}), 503);
}

TEST_CASE("callbacks: a hint on the attempt's own token, for its own fax") {
  Incoming house;
  auto fax = house.sent();
  const auto attempt = house.attempt(fax, "m", crypto::token_hash("ctoken"));
  REQUIRE(house.faxes->record_provider_id(attempt.id, "FX7"));
  for (const auto* method : {"GET", "POST"}) check_empty(ask(house.routes, method, "/fax/callback/unknown?FaxSid=FX7"), 404);
  check_empty(ask(house.routes, "POST", "/fax/callback/ctoken/more"), 404);
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX8&FaxStatus=delivered").status() == 200);
  CHECK(house.form("/fax/callback/ctoken", "").status() == 200);
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=..%2F").status() == 200);
  CHECK(house.faxes->last_attempt(fax.id).value()->hinted_id.empty());
  CHECK(house.wakes == 0);
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&FaxStatus=failed&ErrorCode=34001&ErrorMessage=see+https%3A%2F%2Fu:p%40fax.example%2F").status() == 200);
  const auto noted = house.faxes->last_attempt(fax.id).value().value();
  CHECK(noted.hinted_id == "FX7");
  CHECK(noted.error_code == "34001");
  CHECK(noted.error_message == "see (address)");
  CHECK(house.wakes == 1);
  // A hint ends nothing: the API is read first.
  CHECK(house.faxes->fax(fax.id).value().status == fax::Status::submitting);
  CHECK(ask(house.routes, "GET", "/fax/callback/ctoken?FaxSid=FX7").status() == 200);
  CHECK(house.wakes == 2);
}

TEST_CASE("callbacks: a reason counts only with a status that is final") {
  for (const auto* status : {"processing", "queued", "sending", "nonsense", ""}) {
    CAPTURE(status);
    Incoming house;
    auto fax = house.sent();
    const auto attempt = house.attempt(fax, "m", crypto::token_hash("ctoken"));
    CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&FaxStatus=" + std::string(status) + "&ErrorCode=11200&ErrorMessage=slow").status() == 200);
    CHECK(house.wakes == 1);
    CHECK(house.faxes->last_attempt(fax.id).value()->error_code.empty());
    CHECK(house.faxes->last_attempt(fax.id).value()->error_message.empty());
    CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&FaxStatus=failed&ErrorCode=34004").status() == 200);
    CHECK(house.faxes->last_attempt(fax.id).value()->error_code == "34004");
  }
}

TEST_CASE("callbacks that cannot be noted come again") {
  Incoming house;
  auto fax = house.sent();
  (void)house.attempt(fax, "m", crypto::token_hash("ctoken"));
  const House::Lock lock(house);
  check_empty(house.form("/fax/callback/ctoken", "FaxSid=FX7"), 503);
}

TEST_CASE("callbacks in any number and order, with words that are none, by GET and POST: hints, and no more") {
  Incoming house;
  auto fax = house.sent();
  const auto attempt = house.attempt(fax, "m", crypto::token_hash("ctoken"));
  REQUIRE(house.faxes->record_provider_id(attempt.id, "FX7"));
  const std::vector<std::string> words{"queued", "processing", "sending", "delivered", "busy", "no-answer", "failed", "canceled", "received", "DELIVERED", "", "%00%0A", "nonsense"};
  int asked = 0;
  for (const auto& one : words)
    for (const auto& other : words)
      for (const auto& word : {one, other}) {
        const auto text = "FaxSid=FX7&FaxStatus=" + word + "&FaxStatus=delivered&NumPages=2";
        const auto answer = ++asked % 2 == 0 ? house.form("/fax/callback/ctoken", text) : ask(house.routes, "GET", "/fax/callback/ctoken?" + text);
        CHECK(answer.status() == 200);
      }
  CHECK(house.wakes == asked);
  CHECK(house.faxes->fax(fax.id).value().status == fax::Status::submitting);
  CHECK(house.faxes->last_attempt(fax.id).value()->hinted_id == "FX7");
  // The past has nothing to say: the attempt is over.
  REQUIRE(house.faxes->end_attempt(attempt.id, false, house.clock.now()));
  fax = house.faxes->fax(fax.id).value();
  for (const auto& word : words) CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&FaxStatus=" + word).status() == 200);
  CHECK(house.faxes->fax(fax.id).value().version == fax.version);
}

TEST_CASE("another account: a callback is ignored, what our key signed is taken, both are said") {
  Incoming house;
  const core::LogCapture log;
  auto fax = house.sent();
  const auto attempt = house.attempt(fax, "m", crypto::token_hash("ctoken"));
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&AccountSid=ACother&FaxStatus=failed&ErrorCode=34002").status() == 200);
  CHECK(house.wakes == 0);
  CHECK(house.faxes->last_attempt(fax.id).value()->hinted_id.empty());
  CHECK(log.text().find("callback of another account, ignored") != std::string::npos);
  CHECK(house.form("/fax/callback/ctoken", "FaxSid=FX7&AccountSid=ac0123456789ABCDEF").status() == 200);
  CHECK(house.faxes->last_attempt(fax.id).value()->hinted_id == "FX7");
  const auto first = kFirst + "&AccountSid=ACother";
  CHECK(house.form("/fax/initialize", first, house.sign("/fax/initialize", first)).status() == 200);
  CHECK(house.hints.size() == 1);
  CHECK(house.document(house.by_token(), {kSid, kMedia, {"AccountSid", "ACother"}}).status() == 200);
  CHECK(house.faxes->fax_of_provider_id("FX1").value().status == fax::Status::received);
  CHECK(log.text().find("what=\"first webhook\" provider_id=FX1 account=ACother") != std::string::npos);
  CHECK(log.text().find("what=payload provider_id=FX1 account=ACother") != std::string::npos);
}

TEST_CASE("a blocked sender is rejected where the provider can, else taken; all others are taken") {
  Incoming house;
  house.side.blocked_senders = {"+12125550199", "+12125550100"};
  const core::LogCapture log;
  const auto call = [&](const std::string& form) { return house.form("/fax/initialize", form, house.sign("/fax/initialize", form)); };
  CHECK(call(kFirst).text().find("<Receive ") != std::string::npos);
  CHECK(log.text().find("level=warning") != std::string::npos);
  CHECK(log.text().find("blocked sender is taken") != std::string::npos);
  CHECK(house.hints.size() == 1);
  house.side.dialect = &twilio::kSignalWire;
  const auto rejected = call(kFirst);
  CHECK(rejected.status() == 200);
  CHECK(rejected.text().find("<Response><Reject/></Response>") != std::string::npos);
  CHECK(log.text().find("blocked sender rejected") != std::string::npos);
  CHECK(log.text().find("+12125550100") == std::string::npos);
  CHECK(house.hints.size() == 1);  // nothing comes in
  for (const auto* other : {"%2B12125550101", "anonymous", "", "%2B1212555010", "%2B121255501000"})
    CHECK(call("FaxSid=FX1&From=" + std::string(other)).text().find("<Receive ") != std::string::npos);
  // A document that comes all the same is kept.
  CHECK(house.document(house.by_token(), {kSid, kFrom, kMedia}).status() == 200);
  // Nobody is rejected on a stranger's word.
  check_empty(house.form("/fax/initialize", kFirst), 403);
}

TEST_CASE("the paper's size is told, and the document is asked for as it is kept") {
  Incoming house;
  house.side.page_size = "a4";
  const auto call = [&] { return house.form("/fax/initialize", kFirst, house.sign("/fax/initialize", kFirst)).text(); };
  CHECK(call().find("pageSize=\"a4\" storeMedia=\"true\"") != std::string::npos);
  house.side.dialect = &twilio::kSignalWire;
  CHECK(call().find("pageSize=\"a4\"/>") != std::string::npos);
}

TEST_CASE("names that come more than once are signed as each provider does") {
  const std::string target = "/fax/initialize", form = "FaxSid=FX1&Tag=b&Tag=a&Tag=b";
  const auto signed_as = [&](const std::string& text) { return Parameters{{"HTTP_X_TWILIO_SIGNATURE", twilio::signature("the signing key", "https://fax.example" + target + text)}}; };
  const std::string sorted = "FaxSidFX1TagaTagb", in_order = "FaxSidFX1TagbTagaTagb";
  Incoming house;
  CHECK(house.form(target, form, signed_as(sorted)).status() == 200);
  check_empty(house.form(target, form, signed_as(in_order)), 403);
  house.side.dialect = &twilio::kSignalWire;
  CHECK(house.form(target, form, signed_as(in_order)).status() == 200);
  check_empty(house.form(target, form, signed_as(sorted)), 403);
}

TEST_CASE("a document is taken under whatever name its part has, since it may be the only copy") {
  for (const char* name : {"file", "media", "Document"}) {
    Incoming house;
    house.side.store_media = false;
    CHECK(house.document(house.by_token(), {kSid, kFrom, {"FaxStatus", "received"}, {name, kPdf, "fax.pdf"}}).status() == 200);
    CHECK(house.only().status == fax::Status::received);
  }
}
