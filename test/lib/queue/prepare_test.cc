#include "bench.h"

using namespace bench;

TEST_CASE("a document that cannot be faxed ends the fax with its cause, and nothing is submitted") {
  Bench bench;
  const auto one = bench.send({bench.upload("locked")});
  const auto two = bench.send({bench.upload(), bench.upload("hello", "table.xls")}, "+12125551213");
  bench.run();
  CHECK(bench.status(one) == Status::failed);
  CHECK(bench.cause(one) == "document_encrypted");
  CHECK(bench.status(two) == Status::failed);
  CHECK(bench.cause(two) == "document_unsupported");
  CHECK(bench.fax(two).cause_text == "table.xls");
  CHECK(bench.provider.calls.empty());
}

TEST_CASE("without a box the fax waits, and goes on when there is one") {
  Bench bench;
  const auto id = bench.send();
  bench.box_is_away = true;
  const core::LogCapture log;
  bench.run();
  CHECK(bench.status(id) == Status::preparing);
  CHECK(log.text().find("step not done") != std::string::npos);
  bench.box_is_away = false;
  bench.run();
  CHECK(bench.provider.calls.empty());
  bench.pass(15s);
  CHECK(bench.status(id) == Status::sending);
  CHECK(bench.fax(id).pages == 2);
}

TEST_CASE("several documents are joined in order, and the provider gets one") {
  Bench bench;
  const auto first = bench.upload("%PDF 2 first");
  const auto id = bench.send({first, bench.upload("%PDF 3 second")});
  std::string given;
  bench.provider.on_submit = [&](const fax::SubmitRequest& request) {
    REQUIRE(bench.get(request.media_url));
    given = content(bench.spool->open(bench.fax(id).document_id)->get());
  };
  bench.run();
  CHECK(given == "%PDF 2 first%PDF 3 second");
  CHECK(bench.fax(id).pages == 5);
  CHECK(bench.fax(id).document_id != first);
  CHECK(bench.spool->list()->size() == 3);
}

TEST_CASE("documents that were joined before are not joined again") {
  Bench bench;
  const auto id = bench.send({bench.upload("%PDF 2 a"), bench.upload("%PDF 3 b")});
  REQUIRE(bench.faxes->set_hold(store::Hold{"rate_limited", bench.clock.now(), bench.clock.now() + 1h, 1}));
  bench.run();
  const auto joined = bench.fax(id).document_id;
  const auto files = bench.spool->list()->size();
  REQUIRE(queue::prepare(bench.context(), bench.fax(id)));
  CHECK(bench.fax(id).document_id == joined);
  CHECK(bench.fax(id).pages == 5);
  CHECK(bench.spool->list()->size() == files);
  // Its file is gone: it is made anew.
  std::filesystem::remove(bench.folder + "/spool/" + joined);
  REQUIRE(queue::prepare(bench.context(), bench.fax(id)));
  CHECK(bench.fax(id).document_id != joined);
}

TEST_CASE("documents that cannot be joined end the fax, with the cause") {
  Bench bench;
  bench.join_error = core::Error{core::Code::invalid, "qpdf", "It is damaged.", "document_damaged"};
  const auto id = bench.send({bench.upload(), bench.upload()});
  bench.run();
  CHECK(bench.status(id) == Status::failed);
  CHECK(bench.cause(id) == "document_damaged");
  CHECK(bench.provider.calls.empty());
}

TEST_CASE("a cancel that comes while documents are looked at keeps the fax from being sent") {
  Bench bench;
  const auto id = bench.send();
  bench.box_is_away = true;
  bench.run();
  bench.cancel(id);
  bench.box_is_away = false;
  bench.run();
  CHECK(bench.status(id) == Status::canceled);
  CHECK(bench.cause(id) == "canceled_by_user");
  CHECK(bench.provider.calls.empty());
}
