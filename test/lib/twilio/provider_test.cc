#include "twilio/provider.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>

#include "core/fd.h"
#include "core/log.h"
#include "line.h"

using core::Code;
using test::always;
using test::Connection;
using test::fax_json;
using test::has;
using test::kFax;
using test::Line;
using test::LoopbackServer;
using namespace std::chrono_literals;

namespace {

constexpr const char* kSid = "FX0123456789abcdef0123456789abcdef";
constexpr const char* kUuid = "b0b4c3d2-1111-2222-3333-444455556666";

using Kind = fax::SubmitOutcome::Kind;

}  // namespace

TEST_CASE("submit: the request as documented, the id from the answer") {
  Line line(always(fax_json(kSid), "201 Created"));
  const auto outcome = line.provider.submit(kFax);
  CHECK(outcome.kind == Kind::taken);
  CHECK(outcome.provider_id == kSid);
  const auto request = line.last();
  CHECK(request.starts_with("POST /v1/Faxes HTTP/1.1\r\n"));
  CHECK(has(request, "Authorization: Basic QUMxOnRva2Vu\r\n"));
  CHECK(has(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
  CHECK(request.ends_with("\r\n\r\nTo=%2B12125551212&From=%2B15005550006&MediaUrl=https%3A%2F%2Fu%3Ap%2540%40fax.example.org%2Ffax%2Fsending%2Ft"
                          "&StatusCallback=https%3A%2F%2Ffax.example.org%2Ffax%2Fcallback%2Fc&StoreMedia=false"));
}

TEST_CASE("submit to SignalWire: its path, its ids, any 2xx") {
  Line line(always(fax_json(kUuid, R"(,"price":"-0.01")")), twilio::kSignalWire);
  const auto outcome = line.provider.submit(kFax);
  CHECK(outcome.kind == Kind::taken);
  CHECK(outcome.provider_id == kUuid);
  CHECK(line.last().starts_with("POST /api/laml/2010-04-01/Accounts/AC1/Faxes HTTP/1.1\r\n"));
  CHECK(line.last().ends_with("&StoreMedia=false&StatusCallbackMethod=POST"));
}

TEST_CASE("submit: what surely was not taken") {
  const auto outcome = [](const std::string& status, const std::string& body, const std::string& headers = "") {
    Line line(always(body, status, headers));
    return line.provider.submit(kFax);
  };
  const auto refused = outcome("400 Bad Request", R"({"code":21211,"message":"bad To","more_info":"","status":400})");
  CHECK(refused.kind == Kind::not_taken);
  CHECK(refused.error_code == "21211");
  CHECK(refused.message == "bad To");
  CHECK(outcome("422 Unprocessable", R"({"errors":[{"code":"21217","message":"missing"}]})").error_code == "21217");
  const auto quoting = outcome("400 Bad Request", R"({"code":21620,"message":"MediaUrl https://u:p%40@fax.example.org/fax/sending/t is bad"})");
  CHECK(quoting.message == "MediaUrl (address) is bad");
  CHECK(!has(quoting.error.text, "fax.example.org"));
  CHECK(outcome("422 Unprocessable", R"({"errors":["plain words"]})").message == "plain words");

  const auto limited = outcome("429 Too Many Requests", R"({"code":20429,"message":"slow down"})", "Retry-After: 7\r\n");
  CHECK(limited.kind == Kind::rate_limited);
  CHECK(limited.retry_after == 7s);
  CHECK(outcome("429 Too Many Requests", "").kind == Kind::rate_limited);
  CHECK(outcome("401 Unauthorized", R"({"code":20003,"message":"Authenticate"})").kind == Kind::unauthorized);
  CHECK(outcome("403 Forbidden", R"({"code":20003,"message":"Authenticate"})").kind == Kind::unauthorized);

  int port = 0;
  {
    LoopbackServer gone(always(""));
    port = gone.port();
  }
  http::Client client({});
  twilio::Provider provider(client, {.dialect = twilio::kTwilio, .base_url = "http://127.0.0.1:" + std::to_string(port) + "/", .sid = "AC1", .token = core::SecretString("t")});
  CHECK(provider.submit(kFax).kind == Kind::unreachable);
}

TEST_CASE("submit: everything else is an unknown outcome") {
  const auto kind = [](const LoopbackServer::Handler& handler) {
    Line line(handler);
    return line.provider.submit(kFax).kind;
  };
  for (const auto* body : {"", "{}", "null", "[]", "<html>", "{\"sid\":\"\"}", "{\"sid\":\"a/b\"}", "{\"sid\":\"FX1\"", "{\"sid\":[]}"}) {
    CAPTURE(body);
    CHECK(kind(always(body, "201 Created")) == Kind::unknown);
  }
  for (const auto* body : {"", "{}", "<html>no</html>", "\"no\"", R"({"errors":[]})", R"({"code":null,"message":""})"}) {
    CAPTURE(body);
    CHECK(kind(always(body, "400 Bad Request")) == Kind::unknown);
    CHECK(kind(always(body, "404 Not Found")) == Kind::unknown);
  }
  const std::string refusal = R"({"code":20500,"message":"oops","status":500})";
  CHECK(kind(always(refusal, "500 Internal Server Error")) == Kind::unknown);
  CHECK(kind(always(refusal, "503 Service Unavailable")) == Kind::unknown);
  CHECK(kind(always("", "302 Found", "Location: /v1/Faxes\r\n")) == Kind::unknown);
  CHECK(kind([](Connection& c, const std::string&) { c.close(); }) == Kind::unknown);
  CHECK(kind([](Connection& c, const std::string&) { c.reset(); }) == Kind::unknown);
  CHECK(kind([](Connection& c, const std::string&) { c.hang(); }) == Kind::unknown);
  CHECK(kind([](Connection& c, const std::string&) { c.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{\"code\":1,\"message\":\"x\"}"); c.close(); }) == Kind::unknown);
}

TEST_CASE("submit: an answer about another fax is an unknown outcome; what it leaves out proves nothing") {
  const auto kind = [](const std::string& to, const std::string& more) {
    Line line(always(fax_json(kSid, more), "201 Created"));
    auto request = kFax;
    request.to = to;
    const auto outcome = line.provider.submit(request);
    CHECK(outcome.provider_id.empty() == (outcome.kind != Kind::taken));
    return outcome.kind;
  };
  // Of a name that comes twice the last one counts.
  CHECK(kind(kFax.to, R"(,"to":"+12125559999")") == Kind::unknown);
  CHECK(kind(kFax.to, R"(,"direction":"inbound")") == Kind::unknown);
  CHECK(kind(kFax.to, R"(,"to":null,"direction":null)") == Kind::taken);
  CHECK(kind(kFax.to, R"(,"to":"sip:+12125551212@example.org")") == Kind::taken);
  CHECK(kind("sip:fax@Example.org", R"(,"to":"sip:fax@example.org")") == Kind::taken);
}

TEST_CASE("fetch reads a fax of either provider") {
  Line line([](Connection& connection, const std::string& request) {
    if (has(request, "/FX404")) return void(connection.send(LoopbackServer::answer(R"({"code":20404,"message":"none"})", "404 Not Found")));
    if (has(request, "/FXother")) return void(connection.send(LoopbackServer::answer(fax_json("FXsome"))));
    if (has(request, "/FX401")) return void(connection.send(LoopbackServer::answer("", "401 Unauthorized")));
    if (has(request, "/FX429")) return void(connection.send(LoopbackServer::answer("", "429 Slow", "Retry-After: 9\r\n")));
    connection.send(LoopbackServer::answer(
        R"({"sid":")" + std::string(kUuid) + R"(","from":"+1","to":"+2","status":"no-answer","direction":"inbound","num_pages":"4","price":"-0.07","error_code":34004,"error_message":"bad\u0000 line","date_created":"Wed, 25 Nov 2026 07:40:49 +0000","media_url":"https://files.example/x.pdf?a=b"})"));
  });
  const auto fax = line.provider.fetch(kUuid);
  REQUIRE(fax);
  CHECK(line.last().starts_with("GET /v1/Faxes/" + std::string(kUuid) + " HTTP/1.1\r\n"));
  CHECK(fax->id == kUuid);
  CHECK(fax->status == fax::ProviderStatus::no_answer);
  CHECK(fax->direction == fax::Direction::inbound);
  CHECK(fax->pages == 4);
  CHECK(fax->error_code == "34004");
  CHECK(fax->error_message == "bad  line");
  CHECK(fax->created == core::parse_rfc3339("2026-11-25T07:40:49Z").value());
  CHECK(fax->media_url == "https://files.example/x.pdf?a=b");
  CHECK(line.provider.media_url(kUuid).value() == fax->media_url);

  CHECK(line.provider.fetch("FX404").error().code == Code::not_found);
  CHECK(line.provider.fetch("FXother").error().code == Code::bad_request);
  CHECK(line.provider.fetch("FX401").error().code == Code::unauthenticated);
  CHECK(line.provider.fetch("FX429").error().code == Code::limited);
  CHECK(line.provider.fetch("FX429").error().retry_after == 9s);
  const auto before = line.server.requests().size();
  for (const auto* bad : {"", "..", "a/b", "a?b", "a%2fb"}) CHECK(line.provider.fetch(bad).error().code == Code::bad_request);
  CHECK(line.server.requests().size() == before);
}

TEST_CASE("a status word that is not known is not a success") {
  Line line(always(R"({"sid":"FX1","status":"success"})"));
  CHECK(line.provider.fetch("FX1")->status == fax::ProviderStatus::unknown);
  CHECK(line.provider.media_url("FX1").error().code == Code::not_found);
}

TEST_CASE("cancel") {
  using CancelKind = fax::CancelOutcome::Kind;
  const auto cancel = [](const LoopbackServer::Handler& handler) {
    Line line(handler);
    const auto kind = line.provider.cancel("FX1").kind;
    CHECK(line.last().starts_with("POST /v1/Faxes/FX1 HTTP/1.1\r\n"));
    CHECK(line.last().ends_with("\r\n\r\nStatus=canceled"));
    return kind;
  };
  CHECK(cancel(always(fax_json("FX1"))) == CancelKind::canceled);
  CHECK(cancel(always(R"({"sid":"FX1","status":"delivered"})")) == CancelKind::too_late);
  CHECK(cancel(always("")) == CancelKind::canceled);
  CHECK(cancel(always(R"({"code":10000,"message":"in progress"})", "422 No")) == CancelKind::too_late);
  CHECK(cancel(always(R"({"code":20009,"message":"in progress"})", "409 No")) == CancelKind::too_late);
  CHECK(cancel(always("<html>", "400 No")) == CancelKind::unknown);
  CHECK(cancel(always("", "500 No")) == CancelKind::unknown);
  CHECK(cancel(always("", "401 No")) == CancelKind::unknown);
  CHECK(cancel([](Connection& c, const std::string&) { c.close(); }) == CancelKind::unknown);
}

TEST_CASE("list: filters, and both ways of paging") {
  Line line([](Connection& connection, const std::string& request) {
    const bool second = has(request, "Page=1");
    const std::string faxes = second ? fax_json("FX2") + "," + fax_json("FX3") : fax_json("FX1") + "," + fax_json("FX2");
    const std::string next = second ? "null" : R"("/v1/Faxes?PageSize=200&Page=1&PageToken=x")";
    const bool meta = !has(request, "From=%2B2") && !has(request, "shape=flat");
    connection.send(LoopbackServer::answer(
        meta ? R"({"faxes":[)" + faxes + R"(],"meta":{"key":"faxes","next_page_url":)" + next + "}}"
             : R"({"uri":"/","page":0,"next_page_uri":)" + std::string(second ? "\"\"" : R"("/v1/Faxes?Page=1&shape=flat")") + R"(,"faxes":[)" + faxes + "]}"));
  });
  fax::ListQuery query;
  query.created_after = core::parse_rfc3339("2026-11-25T07:40:49Z").value();
  query.from = "+1";
  query.to = "+2";
  const auto list = line.provider.list(query);
  REQUIRE(list);
  REQUIRE(list->faxes.size() == 3);
  CHECK(list->unreadable == 0);
  CHECK(list->faxes.at(0).id == "FX1");
  CHECK(list->faxes.at(2).id == "FX3");
  CHECK(line.server.requests().front().starts_with("GET /v1/Faxes?From=%2B1&To=%2B2&DateCreatedAfter=2026-11-25T07%3A40%3A48Z&PageSize=200 HTTP/1.1\r\n"));
  CHECK(line.server.requests().size() == 2);

  query.from = "+2";
  const auto flat = line.provider.list(query);
  REQUIRE(flat);
  CHECK(flat->faxes.size() == 3);
}

TEST_CASE("list: an entry that cannot be read hides no other one") {
  Line line(always(R"({"faxes":[{"sid":null},)" + fax_json("FX1") + R"(,null,{"sid":"a/b"},)" + fax_json("FX2") + R"(],"meta":{"next_page_url":null}})"));
  const core::LogCapture log;
  const auto list = line.provider.list({});
  REQUIRE(list);
  REQUIRE(list->faxes.size() == 2);
  CHECK(list->faxes.at(1).id == "FX2");
  CHECK(list->unreadable == 3);
  CHECK(log.text().find("the provider's list has entries that cannot be read") != std::string::npos);
}

TEST_CASE("list: pages that lead away or round in circles, and what is no list") {
  const auto code = [](const std::string& body, const std::string& status = "200 OK") {
    Line line(always(body, status));
    const auto list = line.provider.list({});
    REQUIRE(!list);
    CHECK(line.server.requests().size() <= 2);
    return list.error().code;
  };
  CHECK(code(R"({"faxes":[],"meta":{"next_page_url":"http://127.0.0.1:1/v1/Faxes"}})") == Code::bad_request);
  CHECK(code(R"({"faxes":[],"meta":{"next_page_url":"/v1/Faxes?Page=1"}})") == Code::bad_request);
  CHECK(code(R"({"faxes":[],"meta":{"next_page_url":7}})") == Code::bad_request);
  CHECK(code(R"({"faxes":[],"meta":{"next_page_url":"/v1/ Faxes"}})") == Code::bad_request);
  CHECK(code(R"({"faxes":{}})") == Code::bad_request);
  CHECK(code("{}") == Code::bad_request);
  CHECK(code("") == Code::bad_request);
  CHECK(code("", "500 No") == Code::unknown_outcome);
  Line empty(always(R"({"faxes":[],"meta":{"next_page_url":null}})"));
  CHECK(empty.provider.list({})->faxes.empty());
}

TEST_CASE("media is deleted, the fax is not") {
  Line line([](Connection& connection, const std::string& request) {
    if (request.starts_with("GET")) connection.send(LoopbackServer::answer(R"({"media":[{"sid":"ME1"}],"fax_media":[{"sid":"ME1"},{"sid":"ME2"}]})"));
    else connection.send(has(request, "ME2") ? LoopbackServer::answer(R"({"code":20404,"message":"gone"})", "404 Not Found") : "HTTP/1.1 204 No Content\r\n\r\n");
  });
  CHECK(line.provider.delete_media("FX1"));
  const auto requests = line.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].starts_with("GET /v1/Faxes/FX1/Media HTTP/1.1\r\n"));
  CHECK(requests[1].starts_with("DELETE /v1/Faxes/FX1/Media/ME1 HTTP/1.1\r\n"));
  CHECK(requests[2].starts_with("DELETE /v1/Faxes/FX1/Media/ME2 HTTP/1.1\r\n"));

  Line odd(always(R"({"media":[{"sid":"../../FX1"}]})"));
  CHECK(odd.provider.delete_media("FX1").error().code == Code::bad_request);
  CHECK(odd.server.requests().size() == 1);
  Line busy([](Connection& connection, const std::string& request) {
    if (request.starts_with("GET")) connection.send(LoopbackServer::answer(R"({"media":[{"sid":"ME1"}]})"));
    else connection.send(LoopbackServer::answer(R"({"code":20009,"message":"in progress"})", "409 Conflict"));
  });
  CHECK(busy.provider.delete_media("FX1").error().code == Code::conflict);
  CHECK(busy.provider.delete_media("FX/1").error().code == Code::bad_request);
}

TEST_CASE("a document comes from the provider with credentials, from a named host without, from elsewhere not") {
  LoopbackServer files(always("%PDF-files"));
  std::string target;
  LoopbackServer api([&](Connection& connection, const std::string& request) {
    if (has(request, "/missing")) connection.send(LoopbackServer::answer("", "404 Not Found"));
    else if (has(request, "/denied")) connection.send(LoopbackServer::answer("", "403 Forbidden"));
    else if (has(request, "/away")) connection.send(LoopbackServer::answer("", "302 Found", "Location: " + target + "\r\n"));
    else if (has(request, "/cut")) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n%PDF"), connection.close();
    else connection.send(LoopbackServer::answer("%PDF-api"));
  });
  http::Client client({});
  const auto provider_with = [&](std::vector<std::string> hosts) {
    return std::make_unique<twilio::Provider>(client, twilio::Account{twilio::kTwilio, api.url(""), "AC1", core::SecretString("token"), std::move(hosts)});
  };
  const auto strict = provider_with({});
  const auto open = provider_with({"127.0.0.1:" + std::to_string(files.port())});
  const std::string path = std::string("/tmp/twilio-test-") + std::to_string(::getpid());
  const auto file = core::open_file(path, O_RDWR | O_CREAT | O_TRUNC).value();
  ::unlink(path.c_str());
  const auto length = [&] { return ::lseek(file.get(), 0, SEEK_END); };

  REQUIRE(strict->download(api.url("/x.pdf"), file.get(), 100));
  CHECK(has(api.requests().back(), "Authorization: Basic QUMxOnRva2Vu\r\n"));
  CHECK(length() == 8);
  CHECK(strict->download(api.url("/x.pdf"), file.get(), 7).error().code == Code::too_large);
  CHECK(strict->download(api.url("/missing"), file.get(), 100).error().code == Code::not_found);
  CHECK(strict->download(api.url("/denied"), file.get(), 100).error().code == Code::forbidden);
  CHECK(strict->download(api.url("/cut"), file.get(), 100).error().code == Code::unknown_outcome);
  CHECK(strict->download("nonsense", file.get(), 100).error().code == Code::bad_request);

  const auto refused = strict->download(files.url("/x.pdf"), file.get(), 100);
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::forbidden);
  target = files.url("/x.pdf");
  CHECK(!strict->download(api.url("/away"), file.get(), 100));
  CHECK(files.requests().empty());

  REQUIRE(open->download(files.url("/x.pdf"), file.get(), 100));
  REQUIRE(open->download(api.url("/away"), file.get(), 100));
  CHECK(files.requests().size() == 2);
  for (const auto& request : files.requests()) CHECK(!has(request, "Authorization"));
}
