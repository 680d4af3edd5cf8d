// What becomes of faxes when a copy of the book takes the place of the book.
#include "bench.h"

using namespace bench;

namespace {

struct Restored : Bench {
  std::int64_t restore() { return faxes->take_over_copy(clock.now() - 1h, clock.now(), options.lifetime, "reconciled.twilio.+15005550006").value(); }
};

}  // namespace

TEST_CASE("restored: a fax that was not submitted yet is not submitted, and a person may settle it") {
  Restored line;
  const auto id = line.send();
  CHECK(line.restore() == 1);
  line.run_for(48h);
  CHECK(line.provider.requests.empty());
  CHECK(line.status(id) == Status::unresolved);
  CHECK(line.cause(id) == "restored");
  CHECK(line.last_why(id).find("Nothing is sent until a person decides") != std::string::npos);
  CHECK(line.faxes->settle(id, Status::failed, "anna", line.clock.now())->status == Status::failed);
}

TEST_CASE("restored: the provider's word on the call that the copy knows decides, where it can") {
  Restored line;
  const auto id = line.send();
  line.run();
  line.restore();
  line.provider.faxes["FX1"].status = ProviderStatus::delivered;
  line.run_for(1h);
  CHECK(line.status(id) == Status::delivered);
}

TEST_CASE("restored: an end after which the line tries again proves nothing, however often it is read") {
  Restored line;
  const auto id = line.send();
  line.run();
  line.restore();
  line.provider.faxes["FX1"].status = ProviderStatus::busy;
  line.provider.listed = {line.provider.faxes["FX1"]};
  line.run_for(1h);
  REQUIRE(queue::reconcile(line.context(), std::nullopt));
  line.run_for(1h);
  CHECK(line.status(id) == Status::unresolved);
  CHECK(line.provider.requests.size() == 1);
  CHECK(line.story(id).find("did not succeed; ") == line.story(id).rfind("did not succeed; "));
}

TEST_CASE("restored: a late callback on a token of the copy still counts") {
  Restored line;
  line.provider.outcomes = {{.kind = Kind::unknown, .error = lost()}};
  line.provider.on_submit = [&](const fax::SubmitRequest& request) { line.get(request.media_url); };
  const auto id = line.send();
  line.run();
  REQUIRE(line.status(id) == Status::checking);
  line.restore();
  line.run();
  REQUIRE(line.status(id) == Status::unresolved);
  line.provider.fax("FX9", ProviderStatus::delivered);
  REQUIRE(line.call_back(line.provider.requests[0].callback_url, "FX9"));
  line.run_for(1h);
  CHECK(line.status(id) == Status::delivered);
}

TEST_CASE("restored: between two attempts the last one's end decides nothing") {
  Restored line;
  const auto id = line.send();
  line.run();
  line.provider.faxes["FX1"].status = ProviderStatus::busy;
  line.pass(1min);
  REQUIRE(line.status(id) == Status::waiting);
  line.restore();
  line.provider.listed = {line.provider.faxes["FX1"]};
  REQUIRE(queue::reconcile(line.context(), std::nullopt));
  line.run_for(1h);
  CHECK(line.status(id) == Status::unresolved);
  CHECK(line.cause(id) == "restored");
  CHECK(line.provider.requests.size() == 1);
}

TEST_CASE("restored: received faxes go on, and the provider's list is read from the time of the copy") {
  Restored line;
  line.provider.documents["https://media/1"] = "%PDF 2";
  line.provider.download_errors = {down()};
  const auto id = line.receive("FXin", "https://media/1", 2).fax.id;
  line.run();
  line.clock.advance(100h);  // its deadline is over
  line.restore();
  line.run_for(1h);
  CHECK(line.status(id) == Status::received);
  CHECK(line.mails().size() == 1);
  CHECK(line.faxes->fact("reconciled.twilio.+15005550006").value() < core::rfc3339(line.clock.now() - 1h));
}

TEST_CASE("replay: a new mail on purpose, with the same Message-ID; what could not be fetched is fetched again") {
  Restored line;
  line.provider.documents["https://media/1"] = "%PDF 2";
  const auto id = line.receive("FXin", "https://media/1", 2).fax.id;
  line.run_for(1h);
  REQUIRE(line.mails().size() == 1);
  REQUIRE(line.faxes->replay(id, "anna", line.clock.now(), 72h).value() == store::Faxes::Replay::mail);
  CHECK(line.last_why(id) == "By anna.");
  line.run_for(1h);
  const auto mails = line.mails();
  REQUIRE(mails.size() == 2);
  for (const auto& mail : mails) CHECK(mail.find("<fax.FXin@fax.example.org>") != std::string::npos);
  line.provider.download_errors = std::deque<core::Error>(1000, down());
  line.provider.documents["https://media/2"] = "%PDF 1";
  const auto lost = line.receive("FXlost", "https://media/2").fax.id;
  line.run_for(73h);
  REQUIRE(line.status(lost) == Status::failed);
  line.provider.download_errors.clear();
  REQUIRE(line.faxes->replay(lost, "anna", line.clock.now(), 72h).value() == store::Faxes::Replay::fetch);
  line.run_for(1h);
  CHECK(line.status(lost) == Status::received);
  CHECK(line.faxes->replay(line.send(), "anna", line.clock.now(), 72h).error().code == core::Code::conflict);
}
