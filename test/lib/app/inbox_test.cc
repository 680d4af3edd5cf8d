#include "app/inbox.h"

#include "house.h"

namespace {

using namespace house;

struct Reading : House {
  Reading() : routes(app::inbox_routes(line, *faxes, *spool)) {}
  web::Response read(const std::string& id, const std::string& body) { return ask(routes, "POST", "/api/faxes/" + id + "/read", with(kAnna, kJson), body); }
  web::Response remove(const std::string& id) { return ask(routes, "DELETE", "/api/faxes/" + id, kAnna); }
  web::Routes routes;
};

const std::string kUnknown = "01hzzzzzzzzzzzzzzzzzzzzzzz";

std::string content(const web::Response& answer) {
  const auto& file = answer.file();
  if (!file) return answer.text();
  std::string text(file->length, '\0');
  REQUIRE(::pread(file->fd.get(), text.data(), text.size(), static_cast<off_t>(file->offset)) == static_cast<ssize_t>(text.size()));
  return text;
}

}  // namespace

TEST_CASE("the document of a received fax is what came, byte for byte") {
  Reading house;
  const std::string bytes("%PDF-1.4\r\n\0\xff\n", 14);
  const auto fax = house.received("FX1", bytes);
  const auto path = "/api/faxes/" + fax.id + "/document.pdf";
  const auto answer = ask(house.routes, "GET", path, kAnna);
  CHECK(answer.status() == 200);
  CHECK(answer.first("Content-Type") == "application/pdf");
  CHECK(answer.first("X-Content-Type-Options") == "nosniff");
  CHECK(answer.first("Content-Disposition").value_or("").find("fax-+12125550100-2027-01-15-0800.pdf") != std::string::npos);
  CHECK(content(answer) == bytes);
  const auto part = ask(house.routes, "GET", path, with({{"HTTP_RANGE", "bytes=1-3"}}, kAnna));
  CHECK(part.status() == 206);
  CHECK(content(part) == "PDF");
  const auto head = ask(house.routes, "HEAD", path, kAnna);
  CHECK(head.content_length() == bytes.size());
  CHECK_FALSE(head.file());
  check_problem(ask(house.routes, "GET", path), 401);
  check_problem(ask(house.routes, "POST", path, kAnna), 405);
}

TEST_CASE("where there is no document, there is 404") {
  Reading house;
  check_problem(ask(house.routes, "GET", "/api/faxes/" + kUnknown + "/document.pdf", kAnna), 404);
  check_problem(ask(house.routes, "GET", "/api/faxes/" + house.sent().id + "/document.pdf", kAnna), 404);
  const auto fax = house.received();
  REQUIRE(house.spool->remove(fax.document_id));
  check_problem(ask(house.routes, "GET", "/api/faxes/" + fax.id + "/document.pdf", kAnna), 404);
  REQUIRE(house.faxes->forget_document(fax.document_id));
  check_problem(ask(house.routes, "GET", "/api/faxes/" + fax.id + "/document.pdf", kAnna), 404);
}

TEST_CASE("of a sent fax it is what the provider was given") {
  Reading house;
  auto fax = house.sent();
  fax.document_id = house.document(store::DocumentState::ready, kPdf + "joined");
  house.put(fax, {fax::Status::preparing});
  const auto answer = ask(house.routes, "GET", "/api/faxes/" + fax.id + "/document.pdf", kAnna);
  CHECK(content(answer) == kPdf + "joined");
  CHECK(answer.first("Content-Disposition").value_or("").find("fax-+12125551212-") != std::string::npos);
}

TEST_CASE("a received fax is marked as read, and unread again") {
  Reading house;
  const auto fax = house.received();
  const auto answer = house.read(fax.id, R"({"read":true})");
  REQUIRE(answer.status() == 200);
  CHECK(json_of(answer)["read"].as_bool() == true);
  CHECK(json_of(answer)["events"].is_array());
  CHECK(house.faxes->unread_count().value() == 0);
  CHECK(json_of(house.read(fax.id, R"({"read":false})"))["read"].as_bool() == false);
  CHECK(house.faxes->unread_count().value() == 1);
}

TEST_CASE("read: id, then state, then content") {
  Reading house;
  const auto fax = house.received();
  check_problem(house.read(kUnknown, "rubbish"), 404);
  check_problem(house.read(house.sent().id, "rubbish"), 409);
  check_problem(house.read(fax.id, "rubbish"), 400);
  check_problem(house.read(fax.id, R"({"read":"yes"})"), 400, "read");
  check_problem(house.read(fax.id, "{}"), 400, "read");
  check_problem(house.read(fax.id, std::string(5000, ' ')), 413);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + fax.id + "/read", {}, R"({"read":true})"), 401);
  check_problem(ask(house.routes, "POST", "/api/faxes/" + fax.id + "/read", with({{"HTTP_ORIGIN", "null"}}, kAnna), R"({"read":true})"), 403);
}

TEST_CASE("a fax is deleted with its document, once it has ended and is in the mailbox") {
  Reading house;
  auto sent = house.sent();
  check_problem(house.remove(kUnknown), 404);
  check_problem(house.remove(sent.id), 409);
  auto due = house.received("FX2");
  due.mail_due = true;
  REQUIRE(house.faxes->save(due, house.clock.now()));
  check_problem(house.remove(due.id), 409);
  check_problem(ask(house.routes, "DELETE", "/api/faxes/" + due.id, {}), 401);
  check_problem(ask(house.routes, "DELETE", "/api/faxes/" + due.id, with({{"HTTP_ORIGIN", "https://evil.example"}}, kAnna)), 403);
  const auto fax = house.received("FX1");
  const auto before = house.spooled();
  const auto answer = house.remove(fax.id);
  CHECK(answer.status() == 204);
  CHECK(answer.text().empty());
  CHECK(house.spooled() == before - 1);
  check_problem(house.remove(fax.id), 404);
  CHECK(house.faxes->is_known_or_forgotten("FX1").value());
  house.put(sent, {fax::Status::canceled});
  CHECK(house.remove(sent.id).status() == 204);
}

TEST_CASE("a document that another fax uses stays") {
  Reading house;
  auto first = house.sent();
  const auto document = house.faxes->documents_of(first.id).value().front().id;
  const auto second = house.faxes->create({"anna", house.line.number, first.to, "sandbox", {document}, first.id, "", "", 72h}, house.clock.now()).value().fax;
  house.put(first, {fax::Status::canceled});
  CHECK(house.remove(first.id).status() == 204);
  CHECK(house.spool->open(document));
  CHECK(house.faxes->documents_of(second.id).value().size() == 1);
}
