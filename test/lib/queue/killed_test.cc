// Each step is cut off at each commit of the book (on SQLite, which asks before it) and at each call to the outside, before
// and after its effect; then everything is opened anew and goes on. Twice: with the power gone, and with one failure that passes.
#include "bench.h"

using namespace bench;

namespace {

// Bench with a provider that fetches documents and moves faxes on by itself.
struct Line : Bench {
  // What a fax ends as, in order of the calls; then delivered.
  std::vector<ProviderStatus> ends;
  bool fetches_late = false;
  std::map<std::string, bool> fetched;

  Line() {
    provider.on_submit = [this](const auto& request) {
      if (!fetches_late && is_taken(request)) fetched[request.media_url] = get(request.media_url);
    };
    provider.move = [this](fax::ProviderFax& word, const fax::SubmitRequest& request) {
      if (fax::is_final(word.status)) return;
      if (!fetched.contains(request.media_url)) fetched[request.media_url] = get(request.media_url);
      if (!fetched[request.media_url]) {
        word.status = ProviderStatus::failed, word.error_code = "11200";
        return;
      }
      const std::size_t number = std::stoul(word.id.substr(2)) - 1;
      if (word.status == ProviderStatus::queued) word.status = ProviderStatus::processing;
      else word.status = number < ends.size() ? ends[number] : ProviderStatus::delivered, word.pages = 2;
    };
  }
  bool is_taken(const fax::SubmitRequest& request) const {
    for (const auto& [id, one] : provider.taken)
      if (one.media_url == request.media_url) return true;
    return false;
  }
  // Faxes of which pages may have gone out.
  int sent() const {
    int n = 0;
    for (const auto& [id, request] : provider.taken) {
      const auto at = fetched.find(request.media_url);
      const auto state = provider.faxes.at(id).status;
      n += at != fetched.end() && at->second && state != ProviderStatus::busy && state != ProviderStatus::canceled ? 1 : 0;
    }
    return n;
  }
};

// `begin` makes the work, `step` (if given) is done besides the workers' own; `check` looks when all is quiet.
void kill_everywhere(const std::function<void(Line&)>& begin, const std::function<void(Line&)>& check, const std::function<void(Line&)>& step = {}) {
  for (const bool once : {false, true}) {
    int n = 1;
    for (;; ++n) {
      CAPTURE(once);
      CAPTURE(n);
      const core::LogCapture log;
      Line line;
      begin(line);
      Power::the().cut_at(n, once);
      if (step) step(line);
      line.run_for(4h);
      const bool hit = Power::the().hit();
      Power::the().restore();
      line.start();
      line.pass(6min);
      if (step) step(line);
      line.run_for(12h);
      INFO(log.text());
      check(line);
      if (!hit) break;
      REQUIRE(n < 300);
    }
    // It was cut off at several places indeed.
    CHECK(n > 3);
  }
}

std::string only_fax(Line& line) {
  const auto all = line.faxes->list({}).value();
  REQUIRE(all.size() == 1);
  return all.front().id;
}

void check_sent_once(Line& line) {
  const auto id = only_fax(line);
  CHECK(line.sent() <= 1);
  CHECK(fax::is_final(line.status(id)));
  CHECK(line.status(id) == (line.sent() == 1 ? Status::delivered : Status::failed));
  CHECK(line.sent() == 1);
  CHECK(line.copies() == 0);
}

}  // namespace

TEST_CASE("killed anywhere: a fax is sent once, and its end is known" * doctest::skip(databases::on_server())) {
  for (const bool late : {false, true}) {
    CAPTURE(late);
    kill_everywhere([&](Line& line) { line.fetches_late = late, line.send(); }, check_sent_once);
  }
}

TEST_CASE("killed anywhere: several documents" * doctest::skip(databases::on_server())) {
  kill_everywhere([](Line& line) { line.send({line.upload("%PDF 1 a"), line.upload("%PDF 1 b")}); }, check_sent_once);
}

TEST_CASE("killed anywhere: busy, then delivered" * doctest::skip(databases::on_server())) {
  kill_everywhere([](Line& line) { line.ends = {ProviderStatus::busy, ProviderStatus::busy}, line.send(); }, check_sent_once);
}

TEST_CASE("killed anywhere: a call whose answer was lost" * doctest::skip(databases::on_server())) {
  for (const bool late : {false, true}) {
    CAPTURE(late);
    kill_everywhere(
        [&](Line& line) {
          line.fetches_late = late;
          line.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
          line.send();
        },
        [](Line& line) {
          // Cut off twice there may be a voided call besides: then the list proves nothing, and a person decides.
          const auto id = only_fax(line);
          CHECK(line.sent() == 1);
          CHECK((line.status(id) == Status::delivered || line.status(id) == Status::unresolved));
        });
  }
}

TEST_CASE("killed anywhere: refused" * doctest::skip(databases::on_server())) {
  kill_everywhere(
      [](Line& line) {
        line.provider.outcomes.assign(5, {.kind = Kind::not_taken, .error_code = "21211", .message = "Invalid To"});
        line.send();
      },
      [](Line& line) {
        const auto id = only_fax(line);
        CHECK(line.status(id) == Status::failed);
        CHECK(line.cause(id) == "number_refused");
        CHECK(line.provider.count("submit") <= 2);
        CHECK(line.copies() == 0);
      });
}

TEST_CASE("killed anywhere: held by the account, three faxes" * doctest::skip(databases::on_server())) {
  kill_everywhere(
      [](Line& line) {
        line.provider.outcomes = {{.kind = Kind::rate_limited, .retry_after = 60s}, {.kind = Kind::unauthorized}};
        for (const auto* to : {"+12125551201", "+12125551202", "+12125551203"}) line.send_to(to);
      },
      [](Line& line) {
        CHECK(line.sent() == 3);
        const auto all = line.faxes->list({}).value();
        for (const auto& fax : all) CHECK(fax.status == Status::delivered);
        CHECK_FALSE(line.faxes->hold().value());
      });
}

TEST_CASE("killed anywhere: canceled while it is being sent" * doctest::skip(databases::on_server())) {
  for (const bool too_late : {false, true}) {
    CAPTURE(too_late);
    kill_everywhere(
        [&](Line& line) {
          const auto id = line.send();
          line.run();
          line.cancel(id);
          if (!too_late) line.provider.cancels.assign(9, {fax::CancelOutcome::Kind::canceled});
        },
        [&](Line& line) {
          const auto id = only_fax(line);
          CHECK(line.provider.count("submit") == 1);
          // Where the cancel was lost on its way, the fax may have been quicker.
          const auto at_provider = line.provider.faxes.at("FX1").status;
          CHECK(line.status(id) == (at_provider == ProviderStatus::delivered ? Status::delivered : Status::canceled));
          if (too_late) CHECK(line.status(id) == Status::delivered);
        });
  }
}

TEST_CASE("killed anywhere, then canceled, or over its time: what was delivered is delivered" * doctest::skip(databases::on_server())) {
  for (const bool by_time : {false, true}) {
    CAPTURE(by_time);
    for (int n = 1;; ++n) {
      CAPTURE(n);
      const core::LogCapture log;
      Line line;
      const auto id = line.send();
      line.run();
      Power::the().cut_at(n, false);
      line.run_for(1h);
      const bool hit = Power::the().hit();
      Power::the().restore();
      line.start();
      if (by_time) line.clock.advance(72h);
      else (void)line.faxes->request_cancel(id, line.clock.now());
      line.pass(6min);
      line.run_for(12h);
      INFO(log.text());
      const auto at_provider = line.provider.faxes.at("FX1").status;
      if (at_provider == ProviderStatus::delivered) CHECK(line.status(id) == Status::delivered);
      else CHECK(line.status(id) == Status::unresolved);
      CHECK(line.provider.count("submit") == 1);
      if (!hit) break;
      REQUIRE(n < 300);
    }
  }
}

TEST_CASE("killed anywhere: a received fax is mailed once, whole, and deleted at the provider only when it is here" * doctest::skip(databases::on_server())) {
  kill_everywhere(
      [](Line& line) {
        line.provider.documents["https://media/1"] = "%PDF 2 as it came";
        line.receive("FXin", "https://media/1", 2);
      },
      [](Line& line) {
        const auto id = only_fax(line);
        CHECK(line.status(id) == Status::received);
        CHECK(content(line.spool->open(line.fax(id).document_id)->get()) == "%PDF 2 as it came");
        CHECK(line.faxes->documents_of(id)->size() == 1);
        CHECK(line.mails().size() == 1);
        CHECK_FALSE(line.provider.deleted.empty());
        CHECK_FALSE(line.fax(id).mail_due);
        CHECK_FALSE(line.fax(id).media_delete_due);
      });
}

TEST_CASE("killed anywhere: one notice of a reception that failed" * doctest::skip(databases::on_server())) {
  kill_everywhere([](Line& line) { line.receive("FXin", ""); }, [](Line& line) { CHECK(line.mails().size() == 1); });
}

TEST_CASE("killed anywhere: the reconciler takes up each fax once" * doctest::skip(databases::on_server())) {
  kill_everywhere(
      [](Line& line) {
        for (const auto* sid : {"FXa", "FXb"}) {
          fax::ProviderFax word{sid, ProviderStatus::received, fax::Direction::inbound, "+12125550100", line.options.own_number};
          word.created = line.clock.now() - 5min, word.media_url = std::string("https://media/") + sid;
          line.provider.listed.push_back(word);
          line.provider.documents[word.media_url] = "%PDF 1";
        }
      },
      [](Line& line) {
        CHECK(line.faxes->list({})->size() == 2);
        CHECK(line.mails().size() == 2);
      },
      [](Line& line) { (void)queue::reconcile(line.context(), std::nullopt); });
}

TEST_CASE("killed anywhere: the purge takes what is over, and nothing else" * doctest::skip(databases::on_server())) {
  kill_everywhere(
      [](Line& line) {
        line.send({line.upload("%PDF 1 old")});
        line.run_for(1h);
        line.upload("%PDF 1 unused");
        line.clock.advance(91 * 24h);
        line.send({line.upload("%PDF 1 new")}, "+12125550009");
      },
      [](Line& line) {
        (void)queue::purge(line.context());
        const auto files = line.spool->list().value();
        REQUIRE(files.size() == 1);
        CHECK(content(line.spool->open(files[0].id)->get()) == "%PDF 1 new");
        CHECK(line.sent() == 2);
      },
      [](Line& line) { (void)queue::purge(line.context()); });
}
