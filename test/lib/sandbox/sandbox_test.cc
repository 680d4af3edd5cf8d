#include "house.h"

using namespace sandbox_test;

TEST_CASE("sandbox: a fax is taken, fetched, sent, and told of at each step") {
  Line line;
  const auto taken = line.send("+12125551212");
  CHECK(taken.status == 201);
  const std::string sid = sid_of(taken);
  const auto created = *json::parse(taken.body);
  CHECK(created["status"].as_string() == "queued");
  CHECK(created["direction"].as_string() == "outbound");
  CHECK(created["num_pages"].is_null());
  CHECK(created["date_created"].as_string() == core::rfc3339(line.clock.now()));
  CHECK(created["url"].as_string() == "https://127.0.0.1:3299/v1/Faxes/" + sid);
  CHECK(created.find("error_code") == nullptr);
  line.pass(5s);
  CHECK(line.status(sid) == "delivered");
  CHECK(line.fax(sid)["num_pages"].as_int64() == 2);
  CHECK(line.fax(sid)["media_url"].is_null());  // StoreMedia=false
  CHECK(line.told() == Words{"queued", "processing", "sending", "delivered"});
  CHECK(std::filesystem::is_empty(line.folder + "/sandbox/media"));

  const auto fetched = line.network.to("/fax/sending/y");
  REQUIRE(fetched.size() == 1);
  CHECK(fetched[0].method == "GET");
  CHECK(fetched[0].url == "https://fax.example.org:3297/fax/sending/y");
  CHECK(fetched[0].signature == sign(kToken, "https://u:p@fax.example.org:3297/fax/sending/y", {}));
  const auto last = line.network.to("/fax/callback/").back();
  Pairs pairs;
  const auto fields = *form::parse_urlencoded(last.body);
  for (const auto& [name, value] : fields) pairs.emplace_back(name, value);
  CHECK(last.signature == sign(kToken, "https://localhost:3297/fax/callback/x", pairs));
  CHECK(form::parse_urlencoded(last.body)->first("NumPages") == "2");
}

TEST_CASE("sandbox: credentials of a URL are given when they are asked for, not before") {
  Line line;
  line.network.want_login = true;
  (void)line.send("+12125551212", "");
  line.pass(5s);
  const auto fetched = line.network.to("/fax/sending/y");
  REQUIRE(fetched.size() == 2);
  CHECK(fetched[0].user.empty());
  CHECK(fetched[1].user == "u");
}

TEST_CASE("sandbox: the numbers that end otherwise") {
  Line line;
  const auto end = [&](std::string_view to) {
    const std::string sid = sid_of(line.send(to));
    line.pass(6s);
    return line.status(sid);
  };
  CHECK(end("+15005550001") == "busy");
  CHECK(end("+15005550002") == "no-answer");
  CHECK(end("+15005550003") == "failed");
  const auto told = *form::parse_urlencoded(line.network.to("/fax/callback/").back().body);
  CHECK(told.first("ErrorCode") == "34004");
  CHECK(told.first("ErrorMessage"));
  CHECK(end("+15005550004") == "sending");
  line.pass(56s);
  CHECK(line.told().back() == "delivered");
  const auto refused = line.send("+15005550005");
  CHECK(refused.status == 400);
  CHECK(code_of(refused) == 21211);
}

TEST_CASE("sandbox: a document that cannot be had fails the fax, a line that is down for a moment does not") {
  Line line;
  line.network.status = 404;
  const std::string gone = sid_of(line.send("+12125551212"));
  line.pass(6s);
  CHECK(line.status(gone) == "failed");
  line.network.status = 200;
  line.network.document = "<html>";
  const std::string html = sid_of(line.send("+12125551212"));
  line.pass(6s);
  CHECK(line.status(html) == "failed");
  line.network.document = kTwoPages;
  line.network.down = true;
  const std::string late = sid_of(line.send("+12125551212"));
  line.pass(3s);
  CHECK(line.status(late) == "processing");
  line.network.down = false;
  line.pass(10s);
  CHECK(line.status(late) == "delivered");
  line.network.down = true;
  const std::string never = sid_of(line.send("+12125551212"));
  line.pass(60s);
  CHECK(line.status(never) == "failed");
}

TEST_CASE("sandbox: nothing leaves this machine") {
  Line line;
  for (const char* url : {"https%3A%2F%2Fexample.org%2Fa.pdf", "https%3A%2F%2Fevil.example.org%2Fa.pdf", "https%3A%2F%2Ffax.example.org%2Fa.pdf"}) {
    const std::string sid = sid_of(line.ask("POST", "/v1/Faxes", "", "To=%2B12125551212&From=%2B15005550006&MediaUrl=" + std::string(url)));
    line.pass(60s);
    CHECK(line.status(sid) == "failed");
  }
  CHECK(line.network.calls.empty());
}

TEST_CASE("sandbox: a fax to our own number comes in, with a URL for its document") {
  Line line;
  const std::string sent = sid_of(line.send(kOwn));
  line.pass(10s);
  CHECK(line.status(sent) == "delivered");
  const auto announced = line.network.to("/fax/initialize");
  REQUIRE(announced.size() == 1);
  const auto payload = line.network.to("/fax/payload?t=abc");
  REQUIRE(payload.size() == 1);
  CHECK(payload[0].url == "https://localhost:3297/fax/payload?t=abc");
  const auto form = *form::parse_urlencoded(payload[0].body);
  const std::string sid(form.first("FaxSid").value_or(""));
  CHECK(sid != sent);
  CHECK(form.first("FaxStatus") == "received");
  CHECK(form.first("NumPages") == "2");
  CHECK(form.first("From") == kOwn);
  CHECK(line.status(sid) == "received");

  const std::string url(form.first("MediaUrl").value_or(""));
  const auto question = url.find('?');
  const std::string path = url.substr(22, question - 22), query = url.substr(question + 1);
  CHECK(url.starts_with("https://127.0.0.1:3299/"));
  auto document = line.sandbox->handle({.method = "GET", .path = path, .query = query});
  CHECK(document.status == 200);
  REQUIRE(document.file.valid());
  struct stat about {};
  REQUIRE(fstat(document.file.get(), &about) == 0);
  CHECK(static_cast<std::size_t>(about.st_size) == kTwoPages.size());
  CHECK_FALSE(line.sandbox->handle({.method = "HEAD", .path = path, .query = query}).file.valid());
  CHECK(line.sandbox->handle({.method = "GET", .path = path, .query = query + "0"}).status == 403);
  CHECK(line.sandbox->handle({.method = "GET", .path = path, .query = ""}).status == 403);
  line.clock.advance(3h);
  CHECK(line.sandbox->handle({.method = "GET", .path = path, .query = query}).status == 403);

  const auto media = *json::parse(line.ask("GET", "/v1/Faxes/" + sid + "/Media").body);
  REQUIRE(media["media"].items().size() == 1);
  const std::string one = "/v1/Faxes/" + sid + "/Media/" + std::string(media["media"].items()[0]["sid"].as_string().value_or(""));
  CHECK(line.ask("GET", one).status == 200);
  CHECK(line.ask("DELETE", one).status == 204);
  CHECK(line.ask("DELETE", one).status == 404);
  CHECK(line.fax(sid)["media_url"].is_null());
  CHECK(line.status(sid) == "received");
}

TEST_CASE("sandbox: the document comes in the request when nobody is to keep it") {
  Line line;
  line.network.twiml = "<Response><Receive action=\"https://localhost:3297/fax/payload\" storeMedia=\"false\"/></Response>";
  const auto made = line.ask("POST", "/sandbox/receive", "From=%2B12125551212", std::string(kTwoPages), "application/pdf");
  CHECK(made.status == 201);
  const std::string sid = sid_of(made);
  line.pass(5s);
  const auto payload = line.network.to("/fax/payload");
  REQUIRE(payload.size() == 1);
  CHECK(payload[0].content_type.starts_with("multipart/form-data; boundary="));
  CHECK(payload[0].body.find(std::string("\r\n\r\n").append(kTwoPages).append("\r\n--")) != std::string::npos);
  CHECK(payload[0].body.find("name=\"Media\"; filename=\"" + sid + ".pdf\"") != std::string::npos);
  CHECK(payload[0].body.find("name=\"FaxSid\"") < payload[0].body.find("name=\"Media\""));
  CHECK(line.status(sid) == "received");
  CHECK(line.fax(sid)["media_url"].is_null());
  CHECK(std::filesystem::is_empty(line.folder + "/sandbox/media"));
}

TEST_CASE("sandbox: what a line does not take is brought again, and then no more") {
  Line line;
  const std::string sid = sid_of(line.ask("POST", "/sandbox/receive", "From=", std::string(kTwoPages), "application/pdf"));
  line.pass(1s);
  line.network.status = 503;
  line.pass(20s);
  CHECK(line.network.to("/fax/payload").size() == 3);
  line.network.status = 200;
  line.pass(60s);
  CHECK(line.network.to("/fax/payload").size() == 4);
  line.network.status = 500;
  const std::string lost = sid_of(line.ask("POST", "/sandbox/receive", "From=%2B12125551212", std::string(kTwoPages), "application/pdf"));
  line.pass(300s);
  CHECK(line.status(lost) == "failed");
  CHECK(line.status(sid) == "received");
}

TEST_CASE("sandbox: a reception can fail, and uploads are looked at") {
  Line line;
  const std::string sid = sid_of(line.ask("POST", "/sandbox/receive", "", "From=%2B12125551212&ErrorCode=34004&ErrorMessage=line+noise"));
  line.pass(5s);
  const auto form = *form::parse_urlencoded(line.network.to("/fax/payload").at(0).body);
  CHECK(form.first("FaxStatus") == "failed");
  CHECK(form.first("ErrorCode") == "34004");
  CHECK_FALSE(form.first("MediaUrl"));
  CHECK(line.status(sid) == "failed");

  const std::string body = "--b\r\nContent-Disposition: form-data; name=\"From\"\r\n\r\n+12125551212\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n" +
                           std::string(kTwoPages) + "\r\n--b--\r\n";
  CHECK(line.ask("POST", "/sandbox/receive", "", body, "multipart/form-data; boundary=b").status == 201);
  CHECK(line.ask("POST", "/sandbox/receive", "", body.substr(0, 150), "multipart/form-data; boundary=b").status == 400);
  CHECK(line.ask("POST", "/sandbox/receive", "From=1", "<html>", "application/pdf").status == 400);
  CHECK(line.ask("POST", "/sandbox/receive", "", std::string(kTwoPages), "application/pdf").status == 400);
  CHECK(line.ask("POST", "/sandbox/receive", "From=a%0Ab", std::string(kTwoPages), "application/pdf").status == 400);
  CHECK(line.ask("GET", "/sandbox/receive").status == 405);
}

TEST_CASE("sandbox: a fax can be canceled until it is sent, and deleted when it is over") {
  Line line;
  const std::string sid = sid_of(line.send("+12125551212"));
  const std::string path = "/v1/Faxes/" + sid;
  CHECK(line.ask("POST", path, "", "Status=delivered").status == 400);
  CHECK(line.ask("DELETE", path).status == 409);
  CHECK(line.ask("POST", path, "", "Status=canceled").status == 200);
  line.pass(6s);
  CHECK(line.status(sid) == "canceled");
  CHECK(line.told() == Words{"queued", "canceled"});
  CHECK(line.ask("POST", path, "", "Status=canceled").status == 400);
  CHECK(line.ask("DELETE", path).status == 204);
  CHECK(line.ask("GET", path).status == 404);
  CHECK(code_of(line.ask("GET", path)) == 20404);

  const std::string late = sid_of(line.send("+12125551212"));
  line.pass(3s);
  CHECK(line.status(late) == "sending");
  CHECK(line.ask("POST", "/v1/Faxes/" + late, "", "Status=canceled").status == 400);
}

TEST_CASE("sandbox: lists are filtered and come in pages, which new faxes do not move") {
  Line line;
  std::vector<std::string> sids;
  for (int i = 0; i < 5; ++i) {
    sids.push_back(sid_of(line.send(i % 2 == 0 ? "+12125551212" : "+12125551213", "")));
    line.clock.advance(10s);
  }
  const auto list = [&](std::string query) { return *json::parse(line.ask("GET", "/v1/Faxes", std::move(query)).body); };
  CHECK(list("")["faxes"].items().size() == 5);
  CHECK(list("")["faxes"].items()[0]["sid"].as_string() == sids[4]);
  CHECK(list("")["meta"]["next_page_url"].is_null());
  CHECK(list("To=%2B12125551213")["faxes"].items().size() == 2);
  CHECK(list("From=%2B19995551213")["faxes"].items().empty());
  const std::string third(line.fax(sids[2])["date_created"].as_string().value_or(""));
  CHECK(list("DateCreatedAfter=" + third)["faxes"].items().size() == 2);
  CHECK(list("DateCreatedOnOrBefore=" + third)["faxes"].items().size() == 3);

  std::set<std::string> seen;
  auto page = list("PageSize=2");
  for (int i = 0; i < 10; ++i) {
    for (const auto& fax : page["faxes"].items()) CHECK(seen.insert(std::string(*fax["sid"].as_string())).second);
    if (page["meta"]["next_page_url"].is_null()) break;
    const std::string next(*page["meta"]["next_page_url"].as_string());
    (void)line.send("+12125551214", "");
    page = list(next.substr(next.find('?') + 1));
  }
  CHECK(seen == std::set<std::string>(sids.begin(), sids.end()));
  CHECK(line.ask("GET", "/v1/Faxes", "PageSize=0").status == 400);
  CHECK(line.ask("GET", "/v1/Faxes", "DateCreatedAfter=yesterday").status == 400);
}

TEST_CASE("sandbox: requests that make no sense, and people who may not ask") {
  Line line;
  const auto denied = line.ask("GET", "/v1/Faxes", "", "", "", "AC1:wrong");
  CHECK(denied.status == 401);
  CHECK(code_of(denied) == 20003);
  CHECK(line.sandbox->handle({.method = "GET", .path = "/v1/Faxes", .query = ""}).status == 401);
  CHECK(line.ask("GET", "/").status == 404);
  CHECK(line.ask("GET", "/v1/Faxes/..%2f..").status == 404);
  CHECK(line.ask("PUT", "/v1/Faxes").status == 405);
  CHECK(line.ask("POST", "/v1/Faxes", "", "", "application/json").status == 400);
  CHECK(line.ask("POST", "/v1/Faxes", "", std::string(100'000, 'a')).status == 400);
  CHECK(code_of(line.send("not a number")) == 21211);
  CHECK(code_of(line.ask("POST", "/v1/Faxes", "", "To=%2B12125551212&From=%2B12125551212&MediaUrl=https%3A%2F%2Flocalhost%2Fa")) == 21212);
  CHECK(code_of(line.ask("POST", "/v1/Faxes", "", "To=%2B12125551212&From=%2B15005550006&MediaUrl=ftp%3A%2F%2Flocalhost%2Fa")) == 21620);
  CHECK(code_of(line.send("+12125551212", "&Quality=best")) == 20001);
  CHECK(line.ask("GET", "/v1/Faxes").body.find("\"faxes\":[]") != std::string::npos);
}

TEST_CASE("sandbox: goes on where it was after a restart") {
  Line line;
  const std::string sid = sid_of(line.send(kOwn));
  for (int i = 0; i < 60; ++i) {
    line.start();
    line.pass(200ms);
  }
  line.pass(5s);
  CHECK(line.status(sid) == "delivered");
  CHECK(line.told() == Words{"queued", "processing", "sending", "delivered"});
  CHECK(line.network.to("/fax/initialize").size() == 1);
  CHECK(line.network.to("/fax/payload").size() == 1);
  struct stat about {};
  REQUIRE(stat((line.folder + "/sandbox").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0700);

  CHECK(core::replace_file(line.folder + "/sandbox/faxes/FXbroken.json", "{", 0600));
  line.start();
  CHECK(line.log.text().find("FXbroken") != std::string::npos);
  CHECK(line.status(sid) == "delivered");
  line.clock.advance(24h * 200);
  line.start();
  CHECK(line.ask("GET", "/v1/Faxes/" + sid).status == 404);
}

TEST_CASE("sandbox: several workers, and people who ask meanwhile") {
  Line line;
  line.standing = false;
  line.start();
  std::vector<std::string> sids;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 3; ++i) workers.emplace_back([&](std::stop_token stop) { line.sandbox->run(stop); });
    for (int i = 0; i < 6; ++i) sids.push_back(sid_of(line.send(i % 2 == 0 ? kOwn : "+12125551212")));
    const auto end = std::chrono::steady_clock::now() + 20s;
    const auto over = [&] {
      for (const std::string& sid : sids)
        if (line.status(sid) != "delivered") return false;
      const std::lock_guard lock(line.network.mutex);
      return line.network.to("/fax/payload").size() == 3 && line.told().size() == 24;
    };
    while (!over() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  }
  for (const std::string& sid : sids) CHECK(line.status(sid) == "delivered");
  CHECK(line.network.to("/fax/sending/").size() == 6);
  CHECK(line.network.to("/fax/payload").size() == 3);
  CHECK(line.told().size() == 24);
}
