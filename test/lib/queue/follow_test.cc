#include "bench.h"

using namespace bench;

namespace {

struct Sent : Bench {
  Sent() {
    id = send();
    run();
    CHECK(status(id) == Status::sending);
    provider.on_submit = [this](const auto& request) { get(request.media_url); };
    get(provider.requests.at(0).media_url);
  }
  fax::ProviderFax& at_provider(const std::string& sid = "FX1") { return provider.faxes.at(sid); }
  void ends(ProviderStatus state, const std::string& code = "", const std::string& message = "") {
    at_provider().status = state, at_provider().error_code = code, at_provider().error_message = message;
    pass(2s);
  }
  std::string id;
};

}  // namespace

TEST_CASE("delivered: final, copy taken back, pages compared") {
  struct Case {
    std::optional<std::int64_t> pages;
    Status status;
    std::string why;
  };
  for (const auto& one : {Case{2, Status::delivered, "2 pages."}, Case{{}, Status::delivered, "Page count not reported."}, Case{3, Status::delivered, "3 pages."},
                          Case{1, Status::partly_delivered, "Fewer pages arrived than were sent. (1 of 2 pages)"}}) {
    CAPTURE(one.why);
    Sent line;
    line.at_provider().pages = one.pages;
    line.ends(ProviderStatus::delivered);
    CHECK(line.status(line.id) == one.status);
    CHECK(line.cause(line.id) == (one.status == Status::delivered ? "" : "pages_missing"));
    CHECK(line.last_why(line.id) == one.why);
    CHECK(line.copies() == 0);
    CHECK_FALSE(line.get(line.provider.requests[0].media_url));
    line.run_for(1h);
    CHECK(line.provider.count("submit") == 1);
  }
}

TEST_CASE("what may be tried again is, up to RETRY_LIMIT, each time with other tokens") {
  for (const auto state : {ProviderStatus::busy, ProviderStatus::no_answer}) {
    CAPTURE(fax::name(state));
    Sent line;
    line.provider.move = [&](fax::ProviderFax& word, const auto&) { word.status = state, word.pages = 1; };
    line.pass(2s);
    CHECK(line.status(line.id) == Status::waiting);
    CHECK(line.cause(line.id) == (state == ProviderStatus::busy ? "busy" : "no_answer"));
    line.pass(269s);
    CHECK(line.provider.count("submit") == 1);
    line.run_for(24h);
    CHECK(line.provider.count("submit") == 5);
    CHECK(line.status(line.id) == Status::failed);
    CHECK(line.cause(line.id) == (state == ProviderStatus::busy ? "busy" : "no_answer"));
    std::map<std::string, int> urls;
    for (const auto& request : line.provider.requests) urls[request.media_url]++, urls[request.callback_url]++;
    CHECK(urls.size() == 10);
  }
}

TEST_CASE("RETRY_LIMIT 0: no further attempt") {
  Sent line;
  line.options.retry_limit = 0;
  line.ends(ProviderStatus::busy);
  CHECK(line.status(line.id) == Status::failed);
  line.run_for(24h);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("where pages may have arrived nothing is tried again") {
  for (const auto* code : {"34004", "99999", "34108"}) {
    CAPTURE(code);
    Sent line;
    line.ends(ProviderStatus::failed, code);
    CHECK(line.status(line.id) == Status::failed);
    line.run_for(24h);
    CHECK(line.provider.count("submit") == 1);
  }
}

TEST_CASE("before another attempt the last fax is read once more, and must be final") {
  Sent line;
  line.ends(ProviderStatus::busy);
  REQUIRE(line.status(line.id) == Status::waiting);
  line.at_provider().status = ProviderStatus::sending;
  line.pass(400s);
  CHECK(line.provider.count("submit") == 1);
  line.at_provider().status = ProviderStatus::delivered;
  line.at_provider().pages = 2;
  line.pass(30s);
  CHECK(line.status(line.id) == Status::delivered);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("the reason comes by callback, a moment behind") {
  Sent line;
  line.ends(ProviderStatus::failed);
  CHECK(line.status(line.id) == Status::sending);
  CHECK(line.call_back(line.provider.requests[0].callback_url, "FX1", "34002", "busy"));
  line.run();
  CHECK(line.status(line.id) == Status::waiting);
  CHECK(line.cause(line.id) == "busy");
}

TEST_CASE("failed without a reason: a little patience, then final, and pages may have arrived") {
  Sent line;
  line.ends(ProviderStatus::failed);
  line.pass(2s);
  CHECK(line.status(line.id) == Status::sending);
  line.pass(2s);
  line.pass(2s);
  CHECK(line.status(line.id) == Status::failed);
  CHECK(line.cause(line.id) == "failed_without_reason");
  line.run_for(24h);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("a callback is a hint: the API's word counts, and another FaxSid none") {
  Sent line;
  line.at_provider().status = ProviderStatus::processing;
  CHECK(line.call_back(line.provider.requests[0].callback_url, "FX1"));
  line.run();
  CHECK(line.status(line.id) == Status::sending);
  CHECK_FALSE(line.call_back(line.provider.requests[0].callback_url, "FXother", "34002", "busy"));
  line.ends(ProviderStatus::delivered);
  CHECK(line.status(line.id) == Status::delivered);
}

TEST_CASE("a status word that nobody knows is never final") {
  Sent line;
  line.at_provider().status = ProviderStatus::unknown;
  line.run_for(24h);
  CHECK(line.status(line.id) == Status::sending);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("an API that does not answer changes nothing") {
  Sent line;
  line.provider.fetch_errors = {down(), lost(), {core::Code::not_found, "no such fax"}, {core::Code::bad_request, "not JSON"}};
  line.at_provider().status = ProviderStatus::delivered;
  const core::LogCapture log;
  line.pass(2s);
  CHECK(line.status(line.id) == Status::sending);
  CHECK(log.text().find("the provider did not say how the fax is") != std::string::npos);
  line.run_for(10min);
  CHECK(line.status(line.id) == Status::delivered);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("a cancel that was not ours") {
  Sent line;
  line.ends(ProviderStatus::canceled);
  CHECK(line.status(line.id) == Status::canceled);
  CHECK(line.cause(line.id) == "canceled_at_provider");
}
