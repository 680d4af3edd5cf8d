#include "app/status.h"

#include "house.h"

namespace {

using namespace house;

struct Asking : House {
  explicit Asking(std::int64_t reserve_bytes = 0) : House(reserve_bytes), routes(app::status_routes(line, *faxes, {*faxes, *watch, *spool, clock, clock.now()})) {}
  web::Response get(const std::string& target, const Parameters& more = kAnna) { return ask(routes, "GET", target, more); }
  json::Value list(const std::string& query = "") {
    const auto answer = get("/api/faxes" + query);
    REQUIRE(answer.status() == 200);
    return json_of(answer);
  }
  std::vector<std::string> ids(const std::string& query) {
    std::vector<std::string> found;
    const auto said = list(query);
    for (const auto& fax : said["faxes"].items()) found.push_back(text_of(fax["id"]));
    return found;
  }
  web::Routes routes;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a list is newest first, in pages, without events") {
  Asking house;
  const auto nothing = house.list();
  CHECK(names_of(nothing) == std::vector<std::string>{"faxes", "next"});
  CHECK(nothing.find("next")->is_null());
  Ids made;
  for (int i = 0; i < 5; ++i) {
    house.clock.advance(1s);
    made.insert(made.begin(), house.sent().id);
  }
  CHECK(house.ids("") == made);
  CHECK(names_of(house.list()["faxes"].items().front()) == std::vector<std::string>{"id", "direction", "status", "final", "to", "from", "pages", "pages_done", "created", "updated", "cause",
                                                                                  "provider", "provider_id", "attempt", "resend_of", "read", "cancel_requested", "practice"});
  const auto first = house.list("?limit=2");
  CHECK(house.ids("?limit=2") == Ids{made[0], made[1]});
  const auto second = "?limit=2&before=" + text_of(first["next"]);
  CHECK(house.ids(second) == Ids{made[2], made[3]});
  const auto third = "?limit=2&before=" + text_of(house.list(second)["next"]);
  CHECK(house.ids(third) == Ids{made[4]});
  CHECK(house.list(third).find("next")->is_null());
  CHECK(house.list("?limit=5").find("next")->is_null());
}

TEST_CASE("without a limit there are fifty, at most two hundred") {
  Asking house;
  for (int i = 0; i < 51; ++i) {
    house.clock.advance(1ms);
    (void)house.sent();
  }
  CHECK(house.list()["faxes"].items().size() == 50);
  CHECK(house.list()["next"].is_string());
  CHECK(house.list("?limit=200")["faxes"].items().size() == 51);
}

TEST_CASE("a list by direction, state and number") {
  Asking house;
  const auto one = house.sent("+12125551212").id;
  house.clock.advance(1s);
  auto canceled = house.sent("+4930123456");
  house.put(canceled, {fax::Status::canceled});
  house.clock.advance(1s);
  const auto received = house.received().id;
  CHECK(house.ids("?direction=inbound") == Ids{received});
  CHECK(house.ids("?direction=outbound") == Ids{canceled.id, one});
  CHECK(house.ids("?status=canceled") == Ids{canceled.id});
  CHECK(house.ids("?status=canceled,received") == Ids{received, canceled.id});
  CHECK(house.ids("?status=delivered").empty());
  CHECK(house.ids("?q=212-555-1212") == Ids{one});
  CHECK(house.ids("?q=%2B49+30") == Ids{canceled.id});
  CHECK(house.ids("?q=0100&direction=inbound") == Ids{received});
  CHECK(house.ids("?q=anna").empty());
  CHECK(house.ids("?q=%25").empty());
  CHECK(house.ids("?q=").size() == 3);
  CHECK(house.ids("?direction=&status=&before=").size() == 3);
}

TEST_CASE("a query that makes no sense is 400 and names what is to blame") {
  Asking house;
  check_problem(house.get("/api/faxes?direction=up"), 400, "direction");
  check_problem(house.get("/api/faxes?status=nonsense"), 400, "status");
  check_problem(house.get("/api/faxes?status=queued,"), 400, "status");
  for (const auto* limit : {"0", "-1", "201", "ten", "", "99999999999999999999"}) check_problem(house.get(std::string("/api/faxes?limit=") + limit), 400, "limit");
  for (const auto* before : {"x", "01hzzzzzzzzzzzzzzzzzzzzzzzz", "%00"}) CHECK(house.get(std::string("/api/faxes?before=") + before).status() == 400);
  CHECK(house.get("/api/faxes?q=%zz").status() == 400);
}

TEST_CASE("one fax, with its events, oldest first") {
  Asking house;
  auto fax = house.sent();
  house.clock.advance(1min);
  (void)house.faxes->request_cancel(fax.id, house.clock.now()).value();
  const auto answer = house.get("/api/faxes/" + fax.id);
  REQUIRE(answer.status() == 200);
  const auto said = json_of(answer);
  REQUIRE(said["events"].items().size() == 2);
  CHECK(text_of(said["events"].items()[0]["at"]) == "2027-01-15T08:00:00Z");
  CHECK(text_of(said["events"].items()[1]["at"]) == "2027-01-15T08:01:00Z");
  CHECK(said["events"].items()[1].find("why")->is_null());
  CHECK(said["cancel_requested"].as_bool() == true);
  for (const auto* unknown : {"01hzzzzzzzzzzzzzzzzzzzzzzz", "x", "%ff", "%00", "..", "%27%20OR%201=1"}) check_problem(house.get(std::string("/api/faxes/") + unknown), 404);
  check_problem(house.get("/api/faxes/" + fax.id, {}), 401);
  const auto put = ask(house.routes, "PUT", "/api/faxes/" + fax.id, kAnna);
  check_problem(put, 405);
  CHECK(put.first("Allow") == "GET, HEAD");
}

TEST_CASE("the story tells when the provider fetched the document, in its place") {
  Asking house;
  auto fax = house.sent();
  const auto attempt = house.attempt(fax, "m", "c");
  house.clock.advance(5s);
  REQUIRE(house.faxes->hand_out(attempt.id, house.clock.now()).value());
  house.clock.advance(5s);
  REQUIRE(house.faxes->add_event(fax.id, {house.clock.now(), "Delivered", ""}));
  const auto events = json_of(house.get("/api/faxes/" + fax.id))["events"];
  REQUIRE(events.items().size() == 3);
  CHECK(text_of(events.items()[1]["what"]) == "The provider fetched the document");
  CHECK(text_of(events.items()[1]["why"]).starts_with("Attempt 1."));
  CHECK(text_of(events.items()[1]["at"]) == "2027-01-15T08:00:05Z");
  CHECK(text_of(events.items()[2]["what"]) == "Delivered");
}

TEST_CASE("a received fax, a withheld sender, a cause with its advice") {
  Asking house;
  store::Reception failed;
  failed.fax_sid = "FX1";
  failed.to = house.line.number;
  failed.provider = "twilio";
  failed.cause_code = "reception_failed";
  failed.cause_text = "call dropped";
  const auto id = house.faxes->receive(failed, house.clock.now()).value().fax.id;
  CHECK(json_of(house.get("/api/faxes/" + id + "?with=next"))["document"].as_bool() == false);
  const auto said = json_of(house.get("/api/faxes/" + id));
  CHECK(text_of(said["direction"]) == "inbound");
  CHECK(text_of(said["status"]) == "failed");
  CHECK(said["final"].as_bool() == true);
  CHECK(said.find("from")->is_null());
  CHECK(text_of(said["provider_id"]) == "FX1");
  CHECK(said["practice"].as_bool() == false);
  CHECK(said["read"].as_bool() == false);
  CHECK(names_of(said["cause"]) == std::vector<std::string>{"code", "text", "advice"});
  CHECK(text_of(said["cause"]["code"]) == "reception_failed");
  CHECK(text_of(said["cause"]["text"]).find("call dropped") != std::string::npos);
  CHECK_FALSE(text_of(said["cause"]["advice"]).empty());
}

TEST_CASE("the seed's status: by our id or the provider's, in Twilio's words") {
  Asking house;
  auto fax = house.sent();
  const auto queued = json_of(house.get("/api/fax/" + fax.id));
  CHECK(names_of(queued) == std::vector<std::string>{"status", "pages"});
  CHECK(text_of(queued["status"]) == "queued");
  CHECK(queued.find("pages")->is_null());
  const auto attempt = house.attempt(fax, "m", "c");
  REQUIRE(house.faxes->record_provider_id(attempt.id, "FX9"));
  fax = house.faxes->fax(fax.id).value();
  fax.pages = 2;
  house.put(fax, {fax::Status::sending, fax::Status::delivered});
  const auto delivered = json_of(house.get("/api/fax/FX9"));
  CHECK(text_of(delivered["status"]) == "delivered");
  CHECK(delivered["pages"].as_int64() == 2);
  (void)house.received("FX10");
  CHECK(text_of(json_of(house.get("/api/fax/FX10"))["status"]) == "received");
  for (const auto* unknown : {"FX11", "%ff"}) check_problem(house.get(std::string("/api/fax/") + unknown), 404);
  check_problem(house.get("/api/fax/FX9", {}), 401);
}

TEST_CASE("ping and health need no log-in; a book that cannot be read is not healthy") {
  Asking house;
  CHECK(house.get("/api/ping", {}).text() == R"({"status":"ok"})");
  CHECK(house.get("/healthz", {}).status() == 200);
  CHECK(ask(house.routes, "HEAD", "/healthz").text().empty());
  REQUIRE(house.database->lease().value().execute("DROP TABLE faxes"));
  CHECK(house.get("/healthz", {}).status() >= 500);
  CHECK(house.get("/api/ping", {}).status() == 200);
}

TEST_CASE("metrics: from this machine, or with a log-in") {
  Asking house;
  (void)house.sent();
  (void)house.received();
  const auto answer = house.get("/metrics", {});
  CHECK(answer.first("Content-Type").value_or("").starts_with("text/plain"));
  CHECK(answer.text().find("faxline_faxes{direction=\"outbound\",status=\"queued\"} 1\n") != std::string::npos);
  CHECK(answer.text().find("faxline_unread 1\n") != std::string::npos);
  const Parameters elsewhere{{"REMOTE_ADDR", "192.0.2.7"}};
  check_problem(house.get("/metrics", elsewhere), 401);
  CHECK(house.get("/metrics", with(elsewhere, kBerta)).status() == 200);
}

TEST_CASE("health says in words what is wrong: the queue's silence, the mailbox, the disk, the book") {
  const auto said = [](const web::Response& answer) { return text_of(json_of(answer)["detail"]); };
  Asking house;
  house.clock.advance(59s);
  CHECK(house.get("/healthz", {}).status() == 200);  // the queue may be starting, too
  house.clock.advance(1s);
  const auto silent = house.get("/healthz", {});
  check_problem(silent, 503);
  CHECK(said(silent).find("no sign of life") != std::string::npos);
  REQUIRE(house.watch->beat(store::Watch::kQueue, house.clock.now()));
  CHECK(house.get("/healthz", {}).status() == 200);
  house.clock.advance(121s);
  check_problem(house.get("/healthz", {}), 503);
  REQUIRE(house.watch->beat(store::Watch::kQueue, house.clock.now()));

  REQUIRE(house.watch->note_trouble("mailbox", "The mailbox is away. Mount it.", house.clock.now()));
  CHECK(house.get("/healthz", {}).status() == 200);  // a moment is no illness
  house.clock.advance(301s);
  REQUIRE(house.watch->beat(store::Watch::kQueue, house.clock.now()));
  const auto away = house.get("/healthz", {});
  check_problem(away, 503);
  CHECK(said(away) == "The mailbox is away. Mount it.");
  REQUIRE(house.watch->end_trouble("mailbox"));
  CHECK(house.get("/healthz", {}).status() == 200);
  {
    const House::Lock lock(house);
    CHECK(said(house.get("/healthz", {})).find("cannot be written") != std::string::npos);
  }
  Asking full(std::int64_t{1} << 60);
  const auto answer = full.get("/healthz", {});
  check_problem(answer, 503);
  CHECK(said(answer).find("disk of the fax line is full") != std::string::npos);
}

TEST_CASE("the line lists its troubles, until they are over") {
  Asking house;
  CHECK(json_of(house.get("/api/line"))["troubles"].items().empty());
  REQUIRE(house.watch->note_trouble("mailbox", "The mailbox is away. Mount it.", house.clock.now()));
  house.clock.advance(1min);
  REQUIRE(house.watch->note_trouble("mailbox", "The mailbox is full. Make room.", house.clock.now()));
  const auto troubles = json_of(house.get("/api/line"))["troubles"];
  REQUIRE(troubles.items().size() == 1);
  const auto& trouble = troubles.items()[0];
  CHECK(text_of(trouble["kind"]) == "mailbox");
  CHECK(text_of(trouble["text"]) == "The mailbox is full. Make room.");
  CHECK(text_of(trouble["since"]) == "2027-01-15T08:00:00Z");
  CHECK(text_of(trouble["last_try"]) == "2027-01-15T08:01:00Z");
  REQUIRE(house.watch->end_trouble("mailbox"));
  CHECK(json_of(house.get("/api/line"))["troubles"].items().empty());
}

TEST_CASE("a fax says what comes next, until it is over") {
  Asking house;
  auto fax = house.sent();
  const auto next = [&] { return json_of(house.get("/api/faxes/" + fax.id + "?with=next"))["next"]; };
  CHECK(json_of(house.get("/api/faxes/" + fax.id)).find("next") == nullptr);
  check_problem(house.get("/api/faxes/" + fax.id + "?with=all"), 400, "with");
  CHECK(text_of(next()["text"]) == "The document is looked at, then handed to the provider.");
  CHECK(next().find("at")->is_null());
  CHECK(json_of(house.get("/api/faxes/" + fax.id)).find("document") == nullptr);
  CHECK(json_of(house.get("/api/faxes/" + fax.id + "?with=next"))["document"].as_bool() == false);
  fax.document_id = core::new_id(house.clock.now());
  fax.cancel_requested = true;
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  CHECK(json_of(house.get("/api/faxes/" + fax.id + "?with=next"))["document"].as_bool() == true);
  CHECK(text_of(next()["text"]) == "It is canceled, if that is not too late.");
  fax.cancel_tried = true;
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  CHECK(text_of(next()["text"]) == "The document is looked at, then handed to the provider.");
  fax.cancel_requested = fax.cancel_tried = false;
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  house.put(fax, {fax::Status::preparing, fax::Status::waiting});
  fax.next_at = house.clock.now() + 5min;
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  CHECK(text_of(next()["text"]) == "The next try follows by itself.");
  CHECK(text_of(next()["at"]) == "2027-01-15T08:05:00Z");
  fax.cause_code = "disk_full";
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  CHECK(text_of(next()["text"]).find("room on the disk") != std::string::npos);
  house.put(fax, {fax::Status::canceled});
  CHECK(next().is_null());
  fax = house.received();
  CHECK(next().is_null());
  fax.mail_due = true;
  fax.mail_tries = 1;
  REQUIRE(house.faxes->save(fax, house.clock.now()));
  CHECK(text_of(next()["text"]).find("put into the mailbox when that works") != std::string::npos);
}

TEST_CASE("the numbers for those who watch") {
  Asking house;
  (void)house.sent();
  house.clock.advance(90s);
  REQUIRE(house.watch->beat(store::Watch::kQueue, house.clock.now()));
  REQUIRE(house.watch->note_trouble("mailbox", "Away.", house.clock.now()));
  house.watch->measure(store::Watch::kToMailbox, 1500ms);
  REQUIRE(house.watch->flush());
  const auto text = std::string(house.get("/metrics").text());
  for (const auto* line : {"faxline_oldest_open_seconds{direction=\"outbound\"} 90\n", "faxline_oldest_open_seconds{direction=\"inbound\"} 0\n", "faxline_trouble{kind=\"mailbox\"} 1\n",
                           "faxline_trouble{kind=\"disk\"} 0\n", "faxline_held 0\n", "faxline_to_mailbox_seconds_bucket{le=\"1\"} 0\n", "faxline_to_mailbox_seconds_bucket{le=\"2\"} 1\n",
                           "faxline_to_mailbox_seconds_bucket{le=\"+Inf\"} 1\n", "faxline_to_mailbox_seconds_sum 1.500\n", "faxline_to_mailbox_seconds_count 1\n", "faxline_queue_silence_seconds 0\n",
                           "faxline_overdue_faxes 1\n", "faxline_mails_waiting 0\n"})
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  CHECK(text.find("faxline_reconciled_seconds") == std::string::npos);  // it never was
}

TEST_CASE("the line says what is the matter with it") {
  Asking house;
  const auto ready = json_of(house.get("/api/line"));
  CHECK(text_of(ready["state"]) == "ready");
  CHECK(ready.find("text")->is_null());
  CHECK(text_of(ready["number"]) == "+15005550006");
  REQUIRE(house.faxes->set_hold(store::Hold{"unauthorized", house.clock.now(), house.clock.now() + 5min, 1}));
  const auto held = json_of(house.get("/api/line"));
  CHECK(text_of(held["state"]) == "wrong_credentials");
  CHECK(text_of(held["text"]).find("token") != std::string::npos);
  check_problem(house.get("/api/line", {}), 401);
}
