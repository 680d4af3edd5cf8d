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

TEST_CASE("each next step of a cause: what has to be put right first, what is of no use, what only a person knows, all end") {
  struct Case {
    const char* code;
    const char* message;
    const char* cause;
  };
  for (const auto& one : {Case{"11220", "", "media_address_unusable"}, Case{"12300", "", "document_not_accepted"}, Case{"34005", "", "service_ended"}, Case{"20504", "", "provider_error"},
                          Case{"", "Unexpected message received", "transmission_error"}, Case{"34002", "No response after sending a page", "transmission_error"}}) {
    CAPTURE(one.cause);
    Sent line;
    line.ends(ProviderStatus::failed, one.code, one.message);
    line.pass(10s);
    CHECK(line.status(line.id) == Status::failed);
    CHECK(line.cause(line.id) == one.cause);
    line.run_for(24h);
    CHECK(line.provider.count("submit") == 1);
  }
}

TEST_CASE("a reason that is in no table is shown with its code") {
  Sent line;
  line.ends(ProviderStatus::failed, "99999", "Something new");
  CHECK(line.cause(line.id) == "unknown_reason");
  CHECK(line.fax(line.id).cause_text == "error 99999: Something new");
}

namespace {

const char* const kTooFine = "Far end cannot receive at the resolution of the image";

// The provider refuses each fax for its resolution, unless `takes` is what was asked for.
void only_takes(Sent& line, const std::string& takes) {
  line.provider.move = [takes](fax::ProviderFax& word, const fax::SubmitRequest& request) {
    if (request.quality == takes) word.status = ProviderStatus::delivered, word.pages = 2;
    else word.status = ProviderStatus::failed, word.error_code = "11", word.error_message = kTooFine;
  };
}

}  // namespace

TEST_CASE("a resolution that is too high: the next attempt asks for the standard one, through other troubles too") {
  for (const bool held : {false, true}) {
    CAPTURE(held);
    Sent line;
    only_takes(line, "standard");
    line.pass(2s);
    CHECK(line.status(line.id) == Status::waiting);
    CHECK(line.cause(line.id) == "resolution_too_high");
    // Calls that were not taken fetch no document.
    line.provider.on_submit = nullptr;
    if (held) line.provider.outcomes = {{.kind = Kind::rate_limited}, {.kind = Kind::unreachable, .error = down()}};
    line.run_for(24h);
    CHECK(line.status(line.id) == Status::delivered);
    REQUIRE(line.provider.requests.size() == (held ? 4 : 2));
    CHECK(line.provider.requests.front().quality.empty());
    CHECK(line.provider.requests.back().quality == "standard");
    CHECK(line.story(line.id).find("The next attempts ask for the standard resolution; ") != std::string::npos);
  }
}

TEST_CASE("a machine that does not take the standard resolution either is not called a third time") {
  Sent line;
  only_takes(line, "none");
  line.run_for(24h);
  CHECK(line.status(line.id) == Status::failed);
  CHECK(line.cause(line.id) == "remote_incompatible");
  CHECK(line.provider.count("submit") == 2);
}

TEST_CASE("other causes leave the resolution as it is") {
  Sent line;
  line.provider.move = [](fax::ProviderFax& word, const auto&) { word.status = ProviderStatus::busy; };
  line.run_for(24h);
  REQUIRE(line.provider.requests.size() == 5);
  for (const auto& request : line.provider.requests) CHECK(request.quality.empty());
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

TEST_CASE("read once more before another attempt, the last fax may say more: only what is still to be tried again is") {
  struct Case {
    ProviderStatus now;
    const char* code;
    Status ends;
    const char* cause;
  };
  for (const auto& one : {Case{ProviderStatus::failed, "", Status::failed, "failed_without_reason"}, Case{ProviderStatus::failed, "34004", Status::failed, "transmission_error"},
                          Case{ProviderStatus::failed, "21211", Status::failed, "number_refused"}, Case{ProviderStatus::canceled, "", Status::canceled, "canceled_at_provider"}}) {
    CAPTURE(one.cause);
    Sent line;
    line.ends(ProviderStatus::busy);
    REQUIRE(line.status(line.id) == Status::waiting);
    line.at_provider().status = one.now;
    line.at_provider().error_code = one.code;
    line.run_for(24h);
    CHECK(line.provider.count("submit") == 1);
    CHECK(line.status(line.id) == one.ends);
    CHECK(line.cause(line.id) == one.cause);
  }
  Sent line;
  line.ends(ProviderStatus::busy);
  line.at_provider().status = ProviderStatus::no_answer;
  line.pass(400s);
  CHECK(line.provider.count("submit") == 2);
}

TEST_CASE("a reason that came by callback alone still stands when the fax is read once more") {
  Sent line;
  CHECK(line.call_back(line.provider.requests[0].callback_url, "FX1", "34002", "busy"));
  line.ends(ProviderStatus::failed);
  REQUIRE(line.status(line.id) == Status::waiting);
  line.pass(400s);
  CHECK(line.provider.count("submit") == 2);
}

TEST_CASE("the API's reason counts more than a callback's") {
  Sent line;
  CHECK(line.call_back(line.provider.requests[0].callback_url, "FX1", "34002", "busy"));
  line.ends(ProviderStatus::failed, "34004");
  CHECK(line.cause(line.id) == "transmission_error");
  line.run_for(24h);
  CHECK(line.status(line.id) == Status::failed);
  CHECK(line.provider.count("submit") == 1);
}

TEST_CASE("a document that was handed out was fetched, whatever the provider says: a person is asked") {
  for (const bool handed_out : {true, false}) {
    CAPTURE(handed_out);
    Bench bench;
    const auto id = bench.send();
    bench.run();
    if (handed_out) bench.get(bench.provider.requests.at(0).media_url);
    bench.provider.faxes["FX1"].status = ProviderStatus::failed;
    bench.provider.faxes["FX1"].error_code = "11200";
    bench.pass(2s);
    CHECK(bench.status(id) == (handed_out ? Status::failed : Status::waiting));
    CHECK(bench.cause(id) == (handed_out ? "provider_error" : "media_not_fetched"));
    if (handed_out) CHECK(bench.fax(id).cause_text == "error 11200");
    if (!handed_out) continue;
    bench.run_for(24h);
    CHECK(bench.provider.count("submit") == 1);
  }
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

TEST_CASE("an id that turns out to be another fax's moves nothing, at the deadline neither") {
  for (const bool received : {true, false}) {
    CAPTURE(received);
    Sent line;
    if (received) line.at_provider().direction = fax::Direction::inbound;
    else line.at_provider().to = "+12125559999";
    const core::LogCapture log;
    line.ends(received ? ProviderStatus::failed : ProviderStatus::delivered, received ? "34004" : "");
    line.run_for(1h);
    CHECK(line.status(line.id) == Status::sending);
    CHECK(log.text().find("did not send here") != std::string::npos);
    line.run_for(73h);
    CHECK(line.status(line.id) == Status::unresolved);
    CHECK(line.cause(line.id) == "deadline_passed");
    CHECK(line.provider.count("submit") == 1);
  }
}

TEST_CASE("a cancel that was not ours") {
  Sent line;
  line.ends(ProviderStatus::canceled);
  CHECK(line.status(line.id) == Status::canceled);
  CHECK(line.cause(line.id) == "canceled_at_provider");
}

TEST_CASE("whatever the provider says in whatever order: the first final word stays, and nothing is sent twice") {
  struct Word {
    ProviderStatus said;
    Status ends;
  };
  const std::vector<Word> words{{ProviderStatus::queued, Status::sending}, {ProviderStatus::processing, Status::sending}, {ProviderStatus::sending, Status::sending},
                                {ProviderStatus::delivered, Status::delivered}, {ProviderStatus::busy, Status::failed}, {ProviderStatus::no_answer, Status::failed},
                                {ProviderStatus::failed, Status::failed}, {ProviderStatus::canceled, Status::canceled}, {ProviderStatus::unknown, Status::sending}};
  for (const auto& first : words)
    for (const auto& second : words) {
      CAPTURE(std::string(fax::name(first.said)) + ", " + std::string(fax::name(second.said)));
      Sent line;
      line.options.retry_limit = 0;
      auto expected = Status::sending;
      for (const auto& word : {first, second, first}) {
        line.at_provider().status = word.said;
        line.at_provider().error_code = word.said == ProviderStatus::failed ? "34004" : "";
        // Each is called back about, twice.
        for (int i = 0; i < 2; ++i) CHECK(line.call_back(line.provider.requests[0].callback_url, "FX1", line.at_provider().error_code));
        line.run();
        if (expected == Status::sending) expected = word.ends;
        CHECK(line.status(line.id) == expected);
      }
      CHECK(line.provider.count("submit") == 1);
    }
}
