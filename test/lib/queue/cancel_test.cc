#include "bench.h"

using namespace bench;
using Cancel = fax::CancelOutcome;

TEST_CASE("a cancel before the call: nothing is submitted") {
  Bench bench;
  const auto id = bench.send();
  bench.cancel(id);
  bench.run();
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.cause(id) == "canceled_by_user");
  CHECK(bench.provider.calls.empty());
}

TEST_CASE("a cancel between attempts") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::unreachable, .error = down()}};
  const auto id = bench.send();
  bench.run();
  REQUIRE(bench.status(id) == Status::waiting);
  bench.cancel(id);
  bench.run_for(1h);
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.provider.count("submit") == 1);
}

TEST_CASE("a cancel while the call is being made is taken up after it") {
  Bench bench;
  const auto id = bench.send();
  bench.provider.on_submit = [&](const auto&) { bench.cancel(id); };
  bench.provider.cancels = {{Cancel::Kind::canceled}};
  bench.run();
  bench.pass(2s);
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.cause(id) == "canceled_by_user");
  CHECK(bench.provider.count("cancel FX1") == 1);
}

TEST_CASE("a cancel of a call that was cut off: void when not handed out, looked for when it was" * doctest::skip(databases::on_server())) {
  for (const bool handed_out : {false, true}) {
    CAPTURE(handed_out);
    Bench bench;
    const auto id = bench.send();
    bench.provider.on_submit = [&](const auto& request) {
      if (handed_out) CHECK(bench.get(request.media_url));
      bench.cancel(id);
      Power::the().cut_at(1, false);
    };
    bench.run();
    Power::the().restore();
    REQUIRE(bench.status(id) == Status::submitting);
    bench.provider.on_submit = nullptr;
    bench.pass(6min);
    if (!handed_out) CHECK(bench.status(id) == Status::canceled);
    if (handed_out) {
      // The list knows it; then the provider is asked to cancel, which is too late.
      bench.run_for(1min);
      CHECK(bench.status(id) == Status::sending);
      CHECK(bench.story(id).find("Too late to cancel") != std::string::npos);
    }
    CHECK(bench.provider.count("submit") == 1);
  }
}

TEST_CASE("a cancel while it is looked for: canceled when it is found, and can be") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  bench.provider.on_submit = [&](const auto& request) { CHECK(bench.get(request.media_url)); };
  const auto id = bench.send();
  bench.run();
  bench.cancel(id);
  bench.run();
  REQUIRE(bench.status(id) == Status::checking);
  bench.provider.listed = {bench.provider.fax("FXa", ProviderStatus::queued)};
  bench.provider.cancels = {{Cancel::Kind::canceled}};
  bench.run_for(1min);
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.provider.count("submit") == 1);
}

TEST_CASE("too late: the fax goes on to its end, an event says so, and nothing is tried again") {
  struct Case {
    ProviderStatus end;
    std::string code;
    Status status;
    std::string cause;
  };
  for (const auto& one : {Case{ProviderStatus::delivered, "", Status::delivered, ""}, Case{ProviderStatus::busy, "", Status::canceled, "canceled_by_user"},
                          Case{ProviderStatus::canceled, "", Status::canceled, "canceled_by_user"},
                          // Pages may have arrived: "canceled" would say that none did.
                          Case{ProviderStatus::failed, "34004", Status::failed, "transmission_error"}}) {
    CAPTURE(fax::name(one.end));
    Bench bench;
    const auto id = bench.send();
    bench.run();
    bench.get(bench.provider.requests[0].media_url);
    bench.cancel(id);
    bench.run();
    CHECK(bench.status(id) == Status::sending);
    CHECK(bench.fax(id).cancel_requested);
    CHECK(bench.story(id).find("Too late to cancel") != std::string::npos);
    bench.provider.faxes["FX1"].status = one.end;
    bench.provider.faxes["FX1"].error_code = one.code;
    bench.run_for(24h);
    CHECK(bench.status(id) == one.status);
    CHECK(bench.cause(id) == one.cause);
    CHECK(bench.provider.count("submit") == 1);
    CHECK(bench.provider.count("cancel") == 1);
  }
}

TEST_CASE("a cancel that the provider says it did, and did not: an event says so, once") {
  for (const auto kind : {Cancel::Kind::canceled, Cancel::Kind::too_late, Cancel::Kind::unknown}) {
    CAPTURE(static_cast<int>(kind));
    Bench bench;
    const auto id = bench.send();
    bench.run();
    bench.cancel(id);
    bench.provider.cancels = {{kind}};
    int looks = 0;
    bench.provider.move = [&](fax::ProviderFax& word, const auto&) { word.status = ++looks < 3 && kind != Cancel::Kind::unknown ? ProviderStatus::processing : ProviderStatus::delivered; };
    bench.run_for(1min);
    CHECK(bench.status(id) == Status::delivered);
    const auto story = bench.story(id);
    CHECK(story.find("Too late to cancel; ") < story.find("Delivered; "));
    CHECK(story.find("Too late to cancel; ") == story.rfind("Too late to cancel; "));
  }
  Bench bench;
  const auto id = bench.send();
  bench.run();
  bench.provider.faxes["FX1"].status = ProviderStatus::delivered;
  bench.run_for(1min);
  CHECK(bench.story(id).find("Too late to cancel") == std::string::npos);
}

TEST_CASE("a cancel whose outcome is unknown is asked again") {
  Bench bench;
  const auto id = bench.send();
  bench.run();
  bench.cancel(id);
  bench.provider.cancels = {{Cancel::Kind::unknown}, {Cancel::Kind::canceled}};
  bench.run_for(1min);
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.provider.count("cancel") == 2);
}

TEST_CASE("a final fax cannot be canceled") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::not_taken, .error_code = "21211"}};
  const auto id = bench.send();
  bench.run();
  CHECK(bench.faxes->request_cancel(id, bench.clock.now()).error().code == core::Code::conflict);
}

TEST_CASE("the deadline: failed where nothing can have been sent, whatever the state" * doctest::skip(databases::on_server())) {
  for (const auto* state : {"preparing", "waiting", "held", "submitting"}) {
    CAPTURE(state);
    Bench bench;
    const std::string wanted = state;
    if (wanted == "preparing") bench.box_is_away = true;
    if (wanted == "waiting") bench.provider.outcomes.assign(2000, {.kind = Kind::unreachable, .error = down()});
    if (wanted == "held") bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 100h}};
    if (wanted == "submitting") bench.provider.on_submit = [](const auto&) { Power::the().cut_at(1, false); };
    const auto id = bench.send();
    bench.run();
    Power::the().restore();
    const auto submits = bench.provider.requests.size();
    if (wanted == "submitting") REQUIRE(bench.status(id) == Status::submitting);
    bench.clock.advance(72h);
    if (wanted == "held") bench.clock.advance(28h);
    bench.run();
    CHECK(bench.status(id) == Status::failed);
    CHECK(bench.cause(id) == "never_submitted");
    CHECK(bench.provider.requests.size() == submits);
    if (submits > 0) CHECK_FALSE(bench.get(bench.provider.requests.back().media_url));
  }
}

TEST_CASE("the deadline passes for a fax that is held too, though the hold lasts longer") {
  Bench bench;
  bench.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 200h}};
  const auto id = bench.send();
  bench.run();
  bench.pass(72h);
  CHECK(bench.status(id) == Status::failed);
}

TEST_CASE("the deadline: unresolved where somebody may have the document; the provider's word corrects it") {
  Bench bench;
  const auto id = bench.send();
  bench.run();
  bench.get(bench.provider.requests[0].media_url);
  bench.pass(72h);
  CHECK(bench.status(id) == Status::unresolved);
  CHECK(bench.cause(id) == "deadline_passed");
  bench.provider.faxes["FX1"].status = ProviderStatus::delivered;
  CHECK(bench.call_back(bench.provider.requests[0].callback_url, "FX1"));
  bench.run();
  CHECK(bench.status(id) == Status::delivered);
}

TEST_CASE("the deadline: the provider's last word counts, and is asked again when it cannot be read") {
  for (const bool unread : {false, true}) {
    CAPTURE(unread);
    Bench bench;
    const auto id = bench.send();
    bench.run();
    bench.provider.faxes["FX1"].status = ProviderStatus::delivered;
    if (unread) bench.provider.fetch_errors = {down()};
    bench.pass(72h);
    CHECK(bench.status(id) == (unread ? Status::unresolved : Status::delivered));
    bench.pass(60s);
    CHECK(bench.status(id) == Status::delivered);
  }
}

TEST_CASE("the deadline of a call that is looked for") {
  Bench bench;
  bench.options.check_time = std::chrono::hours(100);
  bench.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  bench.provider.on_submit = [&](const auto& request) { CHECK(bench.get(request.media_url)); };
  const auto id = bench.send();
  bench.run();
  bench.pass(72h);
  CHECK(bench.status(id) == Status::unresolved);
}
