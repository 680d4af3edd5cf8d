#include "app/send.h"

#include "house.h"

namespace {

using namespace house;

struct Sending : House {
  explicit Sending(std::int64_t reserve_bytes = 0) : House(reserve_bytes), routes(app::send_routes(line, *faxes, *spool)) {}
  web::Response post(const std::vector<Part>& parts, Parameters more = {}) { return ask(routes, "POST", "/api/faxes", with(with(more, kAnna), kMultipart), multipart(parts)); }
  web::Response json(const std::string& body, Parameters more = {}) { return ask(routes, "POST", "/api/faxes", with(with(more, kAnna), kJson), body); }
  std::int64_t count() { return static_cast<std::int64_t>(faxes->list({}).value().size()); }
  web::Routes routes;
};

const std::string kUnknown = "01hzzzzzzzzzzzzzzzzzzzzzzz";
const Part kFile{"file", kPdf, "letter.pdf"};
const Part kTo{"to", "(212) 555-1212"};

}  // namespace

TEST_CASE("a fax is accepted once it is durable, and answered whole") {
  Sending house;
  const auto answer = house.post({kTo, kFile});
  REQUIRE(answer.status() == 202);
  CHECK(answer.first("Content-Type") == "application/json");
  CHECK(answer.first("Cache-Control") == "no-store");
  const auto fax = json_of(answer);
  CHECK(names_of(fax) == std::vector<std::string>{"id", "direction", "status", "final", "to", "from", "pages", "pages_done", "created", "updated", "cause", "provider", "provider_id",
                                                  "attempt", "resend_of", "read", "cancel_requested", "practice", "events"});
  const auto id = text_of(fax["id"]);
  CHECK(answer.first("Location") == "/api/faxes/" + id);
  CHECK(text_of(fax["direction"]) == "outbound");
  CHECK(text_of(fax["status"]) == "queued");
  CHECK(fax["final"].as_bool() == false);
  CHECK(text_of(fax["to"]) == "+12125551212");
  CHECK(text_of(fax["from"]) == "+15005550006");
  for (const auto* unknown : {"pages", "pages_done", "cause", "provider_id", "resend_of"}) CHECK(fax.find(unknown)->is_null());
  CHECK(text_of(fax["created"]) == "2027-01-15T08:00:00Z");
  CHECK(fax["practice"].as_bool() == true);
  REQUIRE(fax["events"].items().size() == 1);
  CHECK(names_of(fax["events"].items().front()) == std::vector<std::string>{"at", "what", "why"});
  CHECK(house.wakes == 1);
  CHECK(house.faxes->fax(id).value().owner == "anna");
  CHECK(house.spooled() == 1);
  CHECK(house.temporary_files() == 0);
}

TEST_CASE("several files are one fax, in their order, wherever the number stands") {
  Sending house;
  const auto answer = house.post({{"file", kPdf + "1", "one.pdf"}, kTo, {"file", kPdf + "2", "two.pdf"}});
  REQUIRE(answer.status() == 202);
  const auto documents = house.faxes->documents_of(text_of(json_of(answer)["id"])).value();
  REQUIRE(documents.size() == 2);
  CHECK(documents[0].file_name == "one.pdf");
  CHECK(documents[1].file_name == "two.pdf");
}

TEST_CASE("what is wrong with a new fax is said, and leaves nothing behind") {
  Sending house;
  check_problem(house.post({kTo}), 400, "file");
  check_problem(house.post({kFile}), 400, "to");
  check_problem(house.post({{"to", "  "}, kFile}), 400, "to");
  check_problem(house.post({{"to", "12"}, kFile}), 422, "to");
  check_problem(house.post({kTo, {"file", "", "empty.pdf"}}), 422, "file");
  check_problem(house.post({kTo, {"file", "hello", "letter.pdf"}}), 415, "file");
  check_problem(house.post({kTo, {"file", "", ""}}), 400, "file");
  check_problem(house.post({{"to", std::string("212\0", 4)}, kFile}), 400);
  const auto large = house.post({kTo, {"file", kPdf + std::string(5000, 'x'), "large.pdf"}});
  check_problem(large, 413, "file");
  CHECK(text_of(json_of(large)["detail"]).find("4 KB") != std::string::npos);
  const auto cut = multipart({kTo, kFile});
  check_problem(ask(house.routes, "POST", "/api/faxes", with(kAnna, kMultipart), cut.substr(0, cut.size() - 9)), 400);
  check_problem(ask(house.routes, "POST", "/api/faxes", with(kAnna, {{"CONTENT_TYPE", "multipart/form-data"}}), cut), 400);
  check_problem(ask(house.routes, "POST", "/api/faxes", with(kAnna, {{"CONTENT_TYPE", "text/plain"}}), "x"), 415);
  check_problem(ask(house.routes, "POST", "/api/faxes", with(kAnna, kForm), "to=%2B12125551212"), 400, "file");
  check_problem(house.post(std::vector<Part>(51, kFile)), 400, "to");
  std::vector<Part> many(51, kFile);
  many.push_back(kTo);
  check_problem(house.post(many), 400, "file");
  CHECK(house.count() == 0);
  CHECK(house.spooled() == 0);
  CHECK(house.temporary_files() == 0);
  CHECK(house.wakes == 0);
}

TEST_CASE("an American number behind a + is not taken for a Moroccan one") {
  Sending house;
  const auto answer = house.post({{"to", "+2125551212"}, kFile});
  check_problem(answer, 422, "to");
  CHECK(text_of(json_of(answer)["detail"]).find("+1 212") != std::string::npos);
  check_problem(house.post({{"to", "911"}, kFile}), 422, "to");
}

TEST_CASE("no space for uploads is 507, a book that cannot be written 503") {
  Sending full(std::int64_t{1} << 60);
  const auto answer = full.post({kTo, kFile});
  check_problem(answer, 507);
  Sending house;
  const auto id = house.document();
  const House::Lock lock(house);
  for (const auto& now : {house.post({kTo, kFile}), house.json("{\"to\":\"+12125551212\",\"documents\":[\"" + id + "\"]}")}) {
    check_problem(now, 503);
    CHECK(now.first("Retry-After"));
  }
}

TEST_CASE("path, method, log-in, origin are asked in this order, before anything is read") {
  Sending house;
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/nothing"), 404);
  const auto method = ask(house.routes, "PUT", "/api/faxes");
  check_problem(method, 405);
  CHECK(method.first("Allow") == "POST");
  const Parameters foreign{{"HTTP_ORIGIN", "https://evil.example"}};
  check_problem(ask(house.routes, "POST", "/api/faxes", foreign, "rubbish"), 401);
  check_problem(ask(house.routes, "POST", "/api/faxes", with(foreign, kAnna), "rubbish"), 403);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/cancel", with(foreign, kAnna)), 403);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/resend", with({{"HTTP_IDEMPOTENCY_KEY", ""}}, kAnna)), 404);
  check_problem(ask(house.routes, "POST", "/api/faxes", {{"AUTH_USER", "anna"}, {"AUTH_VIA", "cookie"}}), 403);
  CHECK(ask(house.routes, "POST", "/api/faxes", with(kBerta, kMultipart), multipart({kTo, kFile})).status() == 202);
  check_problem(ask(house.routes, "GET", "/api/numbers?q=1"), 401);
  check_problem(ask(house.routes, "GET", "/api/documents/" + kUnknown), 401);
}

TEST_CASE("an Idempotency-Key makes one fax, of one person and one body") {
  Sending house;
  const Parameters key{{"HTTP_IDEMPOTENCY_KEY", "order-7"}};
  const auto first = house.post({kTo, kFile}, key);
  REQUIRE(first.status() == 202);
  const auto again = house.post({{"to", "+1 212 555 1212"}, kFile}, key);
  CHECK(again.status() == 202);
  CHECK(text_of(json_of(again)["id"]) == text_of(json_of(first)["id"]));
  CHECK(again.first("Location") == first.first("Location"));
  CHECK(house.count() == 1);
  CHECK(house.spooled() == 1);
  check_problem(house.post({{"to", "+12125551213"}, kFile}, key), 422, "Idempotency-Key");
  check_problem(house.post({kTo, {"file", kPdf + "other", "letter.pdf"}}, key), 422, "Idempotency-Key");
  CHECK(house.count() == 1);
  CHECK(house.spooled() == 1);  // what was refused is nobody's
  house.clock.advance(24h);
  CHECK(text_of(json_of(house.post({kTo, kFile}, key))["id"]) == text_of(json_of(first)["id"]));
  const auto other = ask(house.routes, "POST", "/api/faxes", with(with(key, kBerta), kMultipart), multipart({kTo, kFile}));
  CHECK(other.status() == 202);
  CHECK(house.count() == 2);
  for (const auto& wrong : {std::string(256, 'k'), std::string("a b"), std::string("\xc3\xa4"), std::string()}) check_problem(house.post({kTo, kFile}, {{"HTTP_IDEMPOTENCY_KEY", wrong}}), 400, "Idempotency-Key");
  CHECK(house.post({kTo, kFile}, {{"HTTP_IDEMPOTENCY_KEY", std::string(255, 'k')}}).status() == 202);
}

TEST_CASE("a document is uploaded, looked at, and sent by its id") {
  Sending house;
  const auto uploaded = ask(house.routes, "POST", "/api/documents", with(kAnna, kMultipart), multipart({kFile}));
  REQUIRE(uploaded.status() == 202);
  const auto document = json_of(uploaded);
  CHECK(names_of(document) == std::vector<std::string>{"id", "state", "pages", "warnings", "cause"});
  CHECK(text_of(document["state"]) == "queued");
  CHECK(document["pages"].is_null());
  CHECK(document["warnings"].is_array());
  CHECK(document["cause"].is_null());
  const auto id = text_of(document["id"]);
  CHECK(text_of(json_of(ask(house.routes, "GET", "/api/documents/" + id, kAnna))["id"]) == id);
  CHECK(house.json("{\"to\":\"+12125551212\",\"documents\":[\"" + id + "\"]}").status() == 202);
  check_problem(ask(house.routes, "GET", "/api/documents/" + kUnknown, kAnna), 404);
  check_problem(ask(house.routes, "GET", "/api/documents/%ff", kAnna), 404);
  check_problem(ask(house.routes, "POST", "/api/documents", with(kAnna, kJson), "{}"), 415);
  check_problem(ask(house.routes, "POST", "/api/documents", with(kAnna, kMultipart), multipart({kFile, kFile})), 400, "file");
  check_problem(ask(house.routes, "POST", "/api/documents", with(kAnna, kMultipart), multipart({kTo})), 400, "file");
  check_problem(ask(house.routes, "POST", "/api/documents", with(kAnna, kMultipart), multipart({{"file", "", "empty.pdf"}})), 422, "file");
}

TEST_CASE("a refused document is shown with its cause, and not sent") {
  Sending house;
  const auto id = house.document(store::DocumentState::refused);
  const auto shown = json_of(ask(house.routes, "GET", "/api/documents/" + id, kAnna));
  CHECK(text_of(shown["state"]) == "refused");
  CHECK(names_of(shown["cause"]) == std::vector<std::string>{"code", "text", "advice"});
  CHECK(text_of(shown["cause"]["code"]) == "document_encrypted");
  check_problem(house.json("{\"to\":\"+12125551212\",\"documents\":[\"" + id + "\"]}"), 422, "documents");
  CHECK(house.count() == 0);
}

TEST_CASE("a key that made a fax still answers with it when its document was refused later") {
  Sending house;
  const auto id = house.document(store::DocumentState::queued);
  const Parameters key{{"HTTP_IDEMPOTENCY_KEY", "k"}};
  const auto body = "{\"to\":\"+12125551212\",\"documents\":[\"" + id + "\"]}";
  REQUIRE(house.json(body, key).status() == 202);
  auto document = house.faxes->document(id).value();
  document.state = store::DocumentState::refused;
  document.cause_code = "document_damaged";
  REQUIRE(house.faxes->save_document(document));
  CHECK(house.json(body, key).status() == 202);
  CHECK(house.count() == 1);
}

TEST_CASE("a key that made a fax still answers with it when its documents are no longer kept") {
  Sending house;
  const auto id = house.document();
  const Parameters key{{"HTTP_IDEMPOTENCY_KEY", "k"}};
  const auto body = [&](const std::string& to, const std::string& document) { return R"({"to":")" + to + R"(","documents":[")" + document + R"("]})"; };
  const auto first = text_of(json_of(house.json(body("+12125551212", id), key))["id"]);
  auto fax = house.faxes->fax(first).value();
  house.put(fax, {fax::Status::canceled});
  const Parameters other{{"HTTP_IDEMPOTENCY_KEY", "again"}};
  const auto second = text_of(json_of(ask(house.routes, "POST", "/api/faxes/" + first + "/resend", with(other, kAnna)))["id"]);
  auto resent = house.faxes->fax(second).value();
  house.put(resent, {fax::Status::canceled});
  REQUIRE(house.faxes->forget_document(id));
  const auto repeated = house.json(body("(212) 555-1212", id), key);
  REQUIRE(repeated.status() == 202);
  CHECK(text_of(json_of(repeated)["id"]) == first);
  CHECK(repeated.first("Location") == "/api/faxes/" + first);
  CHECK(text_of(json_of(ask(house.routes, "POST", "/api/faxes/" + first + "/resend", with(other, kAnna)))["id"]) == second);
  CHECK(house.count() == 2);
  // Another fax: the key is no way around what is asked of every one.
  check_problem(house.json(body("+12125551213", id), key), 404, "documents");
  check_problem(house.json(body("+12125551212", house.document(store::DocumentState::ready, kPdf + "other")), key), 422, "Idempotency-Key");
  check_problem(house.json(body("+12125551212", id), other), 404, "documents");
  check_problem(house.json(body("+12125551212", id)), 404, "documents");
  REQUIRE(house.faxes->remove(first, house.clock.now()));
  check_problem(house.json(body("+12125551212", id), key), 409, "Idempotency-Key");
  CHECK(house.count() == 1);
}

TEST_CASE("the same files are the same fax, by a form or by name") {
  Sending house;
  const Parameters key{{"HTTP_IDEMPOTENCY_KEY", "k"}};
  const auto first = text_of(json_of(house.post({kTo, kFile}, key))["id"]);
  const auto body = R"({"to":"+12125551212","documents":[")" + house.document() + R"("]})";
  CHECK(text_of(json_of(house.json(body, key))["id"]) == first);
  CHECK(house.count() == 1);
}

TEST_CASE("JSON that makes no fax: what is wrong, ids before values") {
  Sending house;
  const auto id = house.document();
  for (const auto* body : {"", "{", "[]", "5", "{\"to\":\"+12125551212\"}", "{\"to\":\"+12125551212\",\"documents\":[]}", "{\"to\":\"+12125551212\",\"documents\":\"x\"}", "{\"to\":\"1\",\"documents\":[5]}"})
    CHECK(house.json(body).status() == 400);
  check_problem(house.json("{\"to\":\"+12125551212\",\"documents\":[\"" + kUnknown + "\"]}"), 404, "documents");
  check_problem(house.json("{\"to\":\"nonsense\",\"documents\":[\"" + kUnknown + "\"]}"), 404, "documents");
  check_problem(house.json("{\"to\":\"+12125551212\",\"documents\":[\"\\u0000\"]}"), 404, "documents");
  check_problem(house.json("{\"documents\":[\"" + id + "\"]}"), 400, "to");
  check_problem(house.json("{\"to\":5,\"documents\":[\"" + id + "\"]}"), 400, "to");
  check_problem(house.json("{\"to\":\"12\",\"documents\":[\"" + id + "\"]}"), 422, "to");
  check_problem(house.json(std::string(70000, ' ')), 413);
  CHECK(house.count() == 0);
}

TEST_CASE("cancel: asked for once, refused when it is too late") {
  Sending house;
  auto fax = house.sent();
  const auto answer = ask(house.routes, "POST", "/api/faxes/" + fax.id + "/cancel", kAnna);
  REQUIRE(answer.status() == 200);
  CHECK(json_of(answer)["cancel_requested"].as_bool() == true);
  CHECK(json_of(answer)["events"].items().size() == 2);
  CHECK(house.wakes == 1);
  CHECK(json_of(ask(house.routes, "POST", "/api/faxes/" + fax.id + "/cancel", kAnna))["events"].items().size() == 2);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/cancel", kAnna), 404);
  check_problem(ask(house.routes, "POST", "/api/faxes/%ff/cancel", kAnna), 404);
  fax = house.faxes->fax(fax.id).value();
  house.put(fax, {fax::Status::canceled});
  check_problem(ask(house.routes, "POST", "/api/faxes/" + fax.id + "/cancel", kAnna), 409);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + house.received().id + "/cancel", kAnna), 409);
}

TEST_CASE("settle: a person says how an unresolved fax ended, and only of such a one") {
  Sending house;
  auto fax = house.sent();
  const auto path = "/api/faxes/" + fax.id + "/settle";
  const auto settle = [&](const std::string& body) { return ask(house.routes, "POST", path, with(kAnna, kJson), body); };
  check_problem(settle("nonsense"), 409);  // the state is looked at before the content
  house.put(fax, {fax::Status::unresolved});
  check_problem(settle("nonsense"), 400);
  for (const auto* body : {"{}", "[]", R"({"as":"canceled"})", R"({"as":1})"}) check_problem(settle(body), 400, "as");
  CHECK(house.faxes->fax(fax.id).value().status == fax::Status::unresolved);
  const auto settled = settle(R"({"as":"delivered"})");
  CHECK(settled.status() == 200);
  CHECK(text_of(json_of(settled)["status"]) == "delivered");
  CHECK(text_of(json_of(settled)["cause"]["code"]) == "settled_by_person");
  CHECK(house.faxes->events(fax.id).value().back().why == "By anna.");
  check_problem(settle(R"({"as":"failed"})"), 409);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/settle", kAnna), 404);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + house.received().id + "/settle", kAnna), 409);
}

TEST_CASE("resend: a new fax of the same documents, when the old one has ended") {
  Sending house;
  auto fax = house.sent();
  const auto path = "/api/faxes/" + fax.id + "/resend";
  check_problem(ask(house.routes, "POST", path, with({{"HTTP_IDEMPOTENCY_KEY", ""}}, kAnna)), 409);
  house.put(fax, {fax::Status::canceled});
  const Parameters key{{"HTTP_IDEMPOTENCY_KEY", "again"}};
  const auto answer = ask(house.routes, "POST", path, with(key, kAnna));
  REQUIRE(answer.status() == 202);
  const auto id = text_of(json_of(answer)["id"]);
  CHECK(id != fax.id);
  CHECK(answer.first("Location") == "/api/faxes/" + id);
  CHECK(text_of(json_of(answer)["resend_of"]) == fax.id);
  CHECK(text_of(json_of(answer)["to"]) == fax.to);
  CHECK(house.faxes->documents_of(id).value().front().id == house.faxes->documents_of(fax.id).value().front().id);
  CHECK(text_of(json_of(ask(house.routes, "POST", path, with(key, kAnna)))["id"]) == id);
  CHECK(house.count() == 2);
  // The old one shows it, once.
  int shown = 0;
  const auto events = house.faxes->events(fax.id).value();
  for (const auto& event : events) shown += event.what == "Sent again" && event.why == "As fax " + id + "." ? 1 : 0;
  CHECK(shown == 1);
  check_problem(house.post({kTo, kFile}, key), 422, "Idempotency-Key");
  check_problem(ask(house.routes, "POST", "/api/faxes/" + kUnknown + "/resend", kAnna), 404);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + house.received().id + "/resend", kAnna), 409);
  auto again = house.faxes->fax(id).value();
  house.put(again, {fax::Status::canceled});  // or its document would still be wanted
  for (const auto& document : house.faxes->documents_of(fax.id).value()) REQUIRE(house.faxes->forget_document(document.id));
  check_problem(ask(house.routes, "POST", path, kAnna), 409);
}

TEST_CASE("resend: never of a part of what was sent") {
  Sending house;
  const auto d1 = house.document(store::DocumentState::ready, kPdf + "1");
  const auto d2 = house.document(store::DocumentState::ready, kPdf + "2");
  const auto made = [&](const std::vector<std::string>& ids) { return house.faxes->create({"anna", house.line.number, "+12125551212", "sandbox", ids, "", "", "", 72h}, house.clock.now()).value().fax; };
  auto both = made({d1, d2});
  const auto younger = made({d1});  // keeps the first one
  house.put(both, {fax::Status::canceled});
  REQUIRE(house.faxes->forget_document(d2));
  const auto answer = ask(house.routes, "POST", "/api/faxes/" + both.id + "/resend", kAnna);
  check_problem(answer, 409);
  CHECK(text_of(json_of(answer)["detail"]).find("Not all") == 0);
  CHECK(house.count() == 2);
  CHECK(house.faxes->document_ids_of(both.id).value() == std::vector<std::string>{d1, d2});
}

TEST_CASE("a SIP address is sent to at hosts that the settings name, and nowhere else") {
  Sending house;
  const Part to{"to", "sip:office@sip.example.org"};
  check_problem(house.post({to, kFile}), 422, "to");
  house.line.sip_hosts = {"sip.example.org"};
  const auto taken = json_of(house.post({to, kFile}));
  CHECK(text_of(taken["to"]) == "sip:office@sip.example.org");
  const auto explained = json_of(ask(house.routes, "GET", "/api/numbers?q=sip%3Aoffice%40sip.example.org", kAnna));
  CHECK(explained["valid"].as_bool() == true);
  CHECK(text_of(explained["text"]) == "office@sip.example.org");
}

TEST_CASE("numbers are explained before anything is sent to them") {
  Sending house;
  const auto good = json_of(ask(house.routes, "GET", "/api/numbers?q=212+555+1212", kAnna));
  CHECK(text_of(good["e164"]) == "+12125551212");
  CHECK(text_of(good["country"]) == "United States");
  CHECK(good["valid"].as_bool() == true);
  CHECK(text_of(good["text"]).find("212") != std::string::npos);
  const auto wrong = json_of(ask(house.routes, "GET", "/api/numbers?q=%2B2125551212", kAnna));
  CHECK(wrong.find("e164")->is_null());
  CHECK(wrong.find("country")->is_null());
  CHECK(wrong["valid"].as_bool() == false);
  CHECK_FALSE(text_of(wrong["text"]).empty());
  CHECK(text_of(wrong["suggestion"]) == "+12125551212");
  CHECK(json_of(ask(house.routes, "GET", "/api/numbers?q=", kAnna))["valid"].as_bool() == false);
  CHECK(text_of(json_of(ask(house.routes, "GET", "/api/numbers?q=%2B15005550006", kAnna))["e164"]) == "+15005550006");
  check_problem(ask(house.routes, "GET", "/api/numbers", kAnna), 400, "q");
  check_problem(ask(house.routes, "GET", "/api/numbers?q=%zz", kAnna), 400);
}
