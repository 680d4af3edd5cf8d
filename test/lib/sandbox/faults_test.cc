// Each fault does what it says, once, and then no more.
#include "sandbox/faults.h"

#include <algorithm>

#include "house.h"

using namespace sandbox_test;

namespace {

std::size_t count(Line& line) { return json::parse(line.ask("GET", line.faxes()).body)->operator[]("faxes").items().size(); }

std::string header(const Response& response, std::string_view name) {
  for (const auto& [one, value] : response.headers)
    if (one == name) return value;
  return "";
}

// Whether the signature of a form that was posted is the one that it should be.
bool is_signed(const Line& line, const Called& call, const std::string& url) {
  Pairs pairs;
  const auto fields = *form::parse_urlencoded(call.method == "GET" ? "" : call.body);
  for (const auto& [name, value] : fields) pairs.emplace_back(name, value);
  return call.signature == sign(kToken, call.method == "GET" ? call.url : url, pairs, !line.signalwire());
}

constexpr std::string_view kAllEvents = "&StatusCallback=https%3A%2F%2Flocalhost%3A3297%2Ffax%2Fcallback%2Fx";

std::string send_and_wait(Line& line) {
  std::string more(kAllEvents);
  if (line.signalwire()) more += "&StatusCallbackEvent=initiated&StatusCallbackEvent=answered&StatusCallbackEvent=completed";
  const std::string sid = sid_of(line.send("+12125551212", more));
  line.pass(8s);
  return sid;
}

}  // namespace

TEST_CASE("faults: of the call to send") {
  for (const std::string dialect : {"twilio", "signalwire"}) {
    Line line(dialect);
    const int good = line.signalwire() ? 200 : 201;
    const auto faulty = [&](std::string_view name, std::string_view more = "") {
      REQUIRE(line.arm(name, more).status == 200);
      auto answer = line.send("+12125551212", "");
      CHECK_MESSAGE(line.send("+12125551212", "").status == good, name);  // used up
      return answer;
    };
    std::size_t taken = 0;
    const auto adds = [&](std::size_t faxes) {
      const bool same = count(line) == taken + faxes + 1;
      taken = count(line);
      return same;
    };
    CHECK(code_of(faulty("refuse")) == 21211);
    CHECK(adds(0));
    CHECK(faulty("unauthorized").status == 401);
    CHECK(adds(0));
    const auto limited = faulty("rate-limit");
    CHECK(limited.status == 429);
    CHECK(code_of(limited) == 20429);
    CHECK(header(limited, "Retry-After").empty());
    CHECK(adds(0));
    CHECK(header(faulty("rate-limit", "&seconds=7"), "Retry-After") == "7");
    CHECK(adds(0));
    CHECK(faulty("error-500").status == 500);
    CHECK(adds(0));
    CHECK(faulty("error-500-taken").status == 500);
    CHECK(adds(1));
    CHECK(faulty("hang").delay == 90s);
    CHECK(adds(1));
    CHECK(faulty("hang", "&seconds=3").delay == 3s);
    CHECK(adds(1));
    CHECK(faulty("drop").drop);
    CHECK(adds(1));
    const auto twice = faulty("answer-twice");
    CHECK_FALSE(json::parse(twice.body));
    CHECK(json::parse(twice.body.substr(0, twice.body.size() / 2)));
    CHECK(header(twice, "Content-Length") == std::to_string(twice.body.size()));
    CHECK(adds(1));
    const auto cut = faulty("answer-truncated");
    CHECK_FALSE(json::parse(cut.body));
    CHECK(std::stoul(header(cut, "Content-Length")) > cut.body.size());
    CHECK(adds(1));
    const auto huge = faulty("answer-huge");
    CHECK(huge.body.size() > (std::size_t{16} << 20));
    CHECK(header(huge, "Content-Length") == std::to_string(huge.body.size()));
    CHECK(adds(1));
    const auto page = faulty("not-json");
    CHECK(page.status == good);
    CHECK(page.body.starts_with("<html>"));
    CHECK(header(page, "Content-Type") == "text/html");
    CHECK(adds(1));
    // A request that is wrong anyhow uses up nothing.
    REQUIRE(line.arm("error-500").status == 200);
    CHECK(line.send("12", "").status == 400);
    CHECK(line.send("+12125551212", "").status == 500);
  }
}

TEST_CASE("faults: of status callbacks") {
  for (const std::string dialect : {"twilio", "signalwire"}) {
    Line line(dialect);
    const auto told = [&](std::string_view fault) {
      REQUIRE(line.arm(fault).status == 200);
      line.network.calls.clear();
      const std::string sid = send_and_wait(line);
      CHECK_MESSAGE(line.status(sid) == "delivered", fault);
      return line.told();
    };
    CHECK(told("callbacks-twice") == Words{"queued", "queued", "processing", "processing", "sending", "sending", "delivered", "delivered"});
    CHECK(told("callbacks-reordered") == Words{"delivered", "sending", "processing", "queued"});
    CHECK(told("callbacks-never").empty());
    CHECK(told("callbacks-contradicting") == Words{"queued", "processing", "sending", "failed", "delivered", "failed"});
    CHECK(form::parse_urlencoded(line.network.to("/fax/callback/").back().body)->first("ErrorCode") == "34004");
    CHECK(told("callbacks-late").empty());
    line.pass(60s);
    CHECK(line.told() == Words{"queued", "processing", "sending", "delivered"});
    for (const Called& call : line.network.to("/fax/callback/")) CHECK(is_signed(line, call, "https://localhost:3297/fax/callback/x"));
    CHECK(told("callbacks-wrong-signature").size() == 4);
    for (const Called& call : line.network.to("/fax/callback/")) CHECK_FALSE(is_signed(line, call, "https://localhost:3297/fax/callback/x"));
    line.network.calls.clear();
    (void)send_and_wait(line);
    CHECK(line.told() == Words{"queued", "processing", "sending", "delivered"});
    for (const Called& call : line.network.to("/fax/callback/")) CHECK(is_signed(line, call, "https://localhost:3297/fax/callback/x"));
  }
}

TEST_CASE("faults: of the document") {
  for (const std::string dialect : {"twilio", "signalwire"}) {
    Line line(dialect);
    for (const std::size_t padding : {0UL, 3000UL}) {
      line.network.document = std::string(kTwoPages) + std::string(padding, '%');
      const auto fetched = [&](std::string_view fault) {
        REQUIRE(line.arm(fault).status == 200);
        line.network.calls.clear();
        const std::string sid = send_and_wait(line);
        CHECK_MESSAGE(line.status(sid) == "delivered", fault);
        const auto pages = line.fax(sid)["num_pages"];
        CHECK_MESSAGE((line.signalwire() ? pages.as_string() == "2" : pages.as_int64() == 2), fault);
        return line.network.to("/fax/sending/y");
      };
      CHECK(fetched("media-twice").size() == 2);
      const auto asked = fetched("media-head");
      REQUIRE(asked.size() == 2);
      CHECK(asked[0].method == "HEAD");
      CHECK(asked[1].method == "GET");
      const auto pieces = fetched("media-range");
      REQUIRE(pieces.size() == 2);
      CHECK(pieces[0].range == "bytes=0-1023");
      CHECK(pieces[1].range == "bytes=1024-");
      const auto slow = fetched("media-slow");
      REQUIRE(slow.size() == 1);
      CHECK(slow[0].bytes_a_second == 16 * 1024);
    }
    REQUIRE(line.arm("media-never").status == 200);
    line.network.calls.clear();
    const std::string never = send_and_wait(line);
    line.pass(600s);
    CHECK(line.status(never) == "queued");
    CHECK(line.network.to("/fax/sending/").empty());
    CHECK(line.ask("POST", line.faxes() + "/" + never, "", "Status=canceled").status == 200);
    CHECK(line.status(never) == "canceled");
    REQUIRE(line.arm("one-page-less").status == 200);
    const auto less = line.fax(send_and_wait(line))["num_pages"];
    CHECK((line.signalwire() ? less.as_string() == "1" : less.as_int64() == 1));
  }
}

TEST_CASE("faults: of what comes in") {
  for (const std::string dialect : {"twilio", "signalwire"}) {
    Line line(dialect);
    const auto arrives = [&](std::string_view fault, std::chrono::milliseconds wait = 5s) {
      REQUIRE(line.arm(fault).status == 200);
      line.network.calls.clear();
      const std::string sid = sid_of(line.arrive());
      line.pass(wait);
      return sid;
    };
    const auto payloads = [&] { return line.network.to("/fax/payload"); };
    const auto field = [&](std::string_view name) { return std::string(form::parse_urlencoded(payloads().at(0).body)->first(name).value_or("none")); };
    const std::string first_url = "https://localhost:3297/fax/initialize", payload_url = "https://localhost:3297/fax/payload?t=abc";

    (void)arrives("first-webhook-wrong-signature");
    CHECK_FALSE(is_signed(line, line.network.to("/fax/initialize").at(0), first_url));
    CHECK(is_signed(line, payloads().at(0), payload_url));
    (void)arrives("first-webhook-by-get");
    const auto get = line.network.to("/fax/initialize?").at(0);
    CHECK(get.method == "GET");
    CHECK(get.url.find("FaxSid=") != std::string::npos);
    CHECK(is_signed(line, get, ""));
    CHECK(payloads().at(0).method == "POST");
    (void)arrives("payload-wrong-signature");
    CHECK(is_signed(line, line.network.to("/fax/initialize").at(0), first_url));
    CHECK_FALSE(is_signed(line, payloads().at(0), payload_url));
    (void)arrives("payload-twice");
    REQUIRE(payloads().size() == 2);
    CHECK(payloads()[0].body.substr(0, 60) == payloads()[1].body.substr(0, 60));

    const std::string sid = arrives("media-url-expired");
    const auto status_of = [&](const std::string& url) {
      const auto question = url.find('?');
      return line.ask("GET", url.substr(22, question - 22), url.substr(question + 1), "", "", ":").status;
    };
    CHECK(status_of(field("MediaUrl")) == 403);
    CHECK(status_of(std::string(line.fax(sid)["media_url"].as_string().value_or(""))) == 200);
    const std::string without = arrives("no-media-url");
    CHECK(field("MediaUrl") == "none");
    CHECK(field("MediaSid") == "none");
    CHECK(field("NumPages") == "2");
    CHECK(status_of(std::string(line.fax(without)["media_url"].as_string().value_or(""))) == 200);

    REQUIRE(line.arm("payload-never-repeated").status == 200);
    line.network.calls.clear();
    (void)line.arrive();
    line.pass(1s);
    line.network.status = 503;
    line.pass(300s);
    CHECK(payloads().size() == 1);
    line.network.status = 200;
  }
}

TEST_CASE("faults: the document before the text parts") {
  Line line;
  line.network.twiml = "<Response><Receive action=\"/fax/payload\" storeMedia=\"false\"/></Response>";
  REQUIRE(line.arm("payload-parts-reordered").status == 200);
  const std::string sid = sid_of(line.arrive());
  line.pass(5s);
  const std::string body = line.network.to("/fax/payload").at(0).body;
  CHECK(body.find("name=\"Media\"") < body.find("name=\"FaxSid\""));
  CHECK(body.find(std::string("\r\n\r\n").append(kTwoPages).append("\r\n--")) != std::string::npos);
  CHECK(body.find("\r\n\r\n" + sid + "\r\n--") != std::string::npos);
}

TEST_CASE("faults: several at once, one use each, over a restart") {
  Line line;
  REQUIRE(line.arm("callbacks-twice", "&times=2").status == 200);
  REQUIRE(line.arm("media-head").status == 200);
  REQUIRE(line.arm("hang", "&seconds=5").status == 200);
  line.start();
  const auto armed = [&] { return std::string(line.ask("GET", "/sandbox/faults").body); };
  CHECK(armed() == R"({"faults":[{"fault":"callbacks-twice","stage":"callbacks","times":2,"seconds":null},{"fault":"hang","stage":"call","times":1,"seconds":5},)"
                   R"({"fault":"media-head","stage":"document","times":1,"seconds":null}]})");
  const auto taken = line.send("+12125551212");
  CHECK(taken.delay == 5s);
  CHECK(armed() == R"({"faults":[{"fault":"callbacks-twice","stage":"callbacks","times":1,"seconds":null}]})");
  line.start();
  line.pass(6s);
  CHECK(line.told().size() == 8);  // the fax keeps what it has
  CHECK(line.network.to("/fax/sending/y").at(0).method == "HEAD");
  CHECK(line.ask("DELETE", "/sandbox/faults").status == 204);
  line.start();
  CHECK(armed() == R"({"faults":[]})");
  line.network.calls.clear();
  (void)line.send("+12125551212");
  line.pass(6s);
  CHECK(line.told().size() == 4);

  CHECK(core::replace_file(line.folder + "/sandbox/faults.json", "{", 0600));
  line.start();
  CHECK(armed() == R"({"faults":[]})");
  CHECK(line.log.text().find("faults") != std::string::npos);
}

TEST_CASE("faults: requests that make no sense") {
  Line line;
  for (const std::string body : {"", "fault=", "fault=none", "fault=drop&times=0", "fault=drop&times=x", "fault=drop&times=1000001", "fault=drop&seconds=1", "fault=hang&seconds=-1", "fault=hang&seconds=86401", "fault=%zz"})
    CHECK_MESSAGE(line.ask("POST", "/sandbox/faults", "", body).status == 400, body);
  CHECK(line.ask("PUT", "/sandbox/faults").status == 405);
  CHECK(line.ask("GET", "/sandbox/faults", "", "", "", "AC1:wrong").status == 401);
  CHECK(line.ask("GET", "/sandbox/faults").body == R"({"faults":[]})");
}
