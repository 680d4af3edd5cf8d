#include "fax/status.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "fax/backoff.h"
#include "fax/country.h"
#include "fax/provider.h"

using namespace fax;

namespace {

const std::vector<Status> kAll{Status::queued,           Status::preparing, Status::submitting, Status::checking,   Status::sending,   Status::waiting,  Status::delivered,
                               Status::partly_delivered, Status::failed,    Status::canceled,   Status::unresolved, Status::receiving, Status::fetching, Status::received};

}  // namespace

TEST_CASE("status: names are read back, other words are not") {
  for (const Status status : kAll) CHECK(parse_status(name(status)) == status);
  CHECK(name(Status::partly_delivered) == "partly_delivered");
  for (const char* word : {"", "Queued", "no-answer", "processing", "unknown"}) CHECK_FALSE(parse_status(word));
  CHECK(parse_direction("inbound") == Direction::inbound);
  CHECK(parse_direction("outbound") == Direction::outbound);
  CHECK_FALSE(parse_direction("in"));
}

TEST_CASE("status: who belongs where, and what is final") {
  std::set<Status> final_ones;
  for (const Status status : kAll) {
    if (is_final(status)) final_ones.insert(status);
    CHECK((belongs(Direction::outbound, status) || belongs(Direction::inbound, status)));
  }
  CHECK(final_ones == std::set{Status::delivered, Status::partly_delivered, Status::failed, Status::canceled, Status::unresolved, Status::received});
  CHECK(belongs(Direction::inbound, Status::failed));
  CHECK(belongs(Direction::outbound, Status::failed));
  CHECK_FALSE(belongs(Direction::inbound, Status::canceled));
  CHECK_FALSE(belongs(Direction::outbound, Status::received));
}

TEST_CASE("status: every fax can end, and none stands still by itself") {
  for (const Direction direction : {Direction::outbound, Direction::inbound})
    for (const Status from : kAll) {
      CHECK_FALSE(may_follow(direction, from, from, Decided::by_us));
      if (belongs(direction, from) && !is_final(from)) CHECK(may_follow(direction, from, Status::failed));
      for (const Status to : kAll)
        if (!belongs(direction, from) || !belongs(direction, to)) CHECK_FALSE(may_follow(direction, from, to, Decided::by_us));
    }
}

TEST_CASE("status: the way of a fax that is sent") {
  const auto may = [](Status from, Status to) { return may_follow(Direction::outbound, from, to); };
  CHECK(may(Status::queued, Status::preparing));
  CHECK(may(Status::preparing, Status::submitting));
  CHECK(may(Status::submitting, Status::sending));
  CHECK(may(Status::submitting, Status::checking));
  CHECK(may(Status::checking, Status::sending));
  CHECK(may(Status::checking, Status::unresolved));
  CHECK(may(Status::sending, Status::delivered));
  CHECK(may(Status::sending, Status::waiting));
  CHECK(may(Status::waiting, Status::submitting));
  CHECK(may(Status::waiting, Status::canceled));
  CHECK_FALSE(may(Status::queued, Status::sending));  // never without an intent that was written
  CHECK_FALSE(may(Status::queued, Status::delivered));
  CHECK_FALSE(may(Status::waiting, Status::sending));
  CHECK_FALSE(may(Status::sending, Status::submitting));  // a second call only by way of an end of the first
}

TEST_CASE("status: the provider's final word stays, ours and a person's are corrected") {
  for (const Status from : {Status::delivered, Status::partly_delivered, Status::failed, Status::canceled})
    for (const Status to : kAll) {
      CHECK_FALSE(may_follow(Direction::outbound, from, to, Decided::by_provider));
      const bool other_end = to != from && to != Status::unresolved && is_final(to) && belongs(Direction::outbound, to);
      // Our deadline ends nothing but failed and unresolved, a person's word nothing but failed and delivered.
      const bool ours = from == Status::failed, a_persons = from == Status::failed || from == Status::delivered;
      CHECK(may_follow(Direction::outbound, from, to, Decided::by_us) == (other_end && ours));
      CHECK(may_follow(Direction::outbound, from, to, Decided::by_person) == (other_end && a_persons));
    }
  CHECK(may_follow(Direction::outbound, Status::unresolved, Status::delivered));
  CHECK(may_follow(Direction::outbound, Status::unresolved, Status::failed));
  CHECK_FALSE(may_follow(Direction::outbound, Status::unresolved, Status::sending));
}

TEST_CASE("status: a failed reception is completed by a late document, a received fax by nothing") {
  for (const Decided decided : {Decided::by_provider, Decided::by_us}) {
    CHECK(may_follow(Direction::inbound, Status::failed, Status::received, decided));
    CHECK(may_follow(Direction::inbound, Status::failed, Status::fetching, decided));
    CHECK_FALSE(may_follow(Direction::inbound, Status::failed, Status::receiving, decided));
    for (const Status to : kAll) CHECK_FALSE(may_follow(Direction::inbound, Status::received, to, decided));
  }
}

TEST_CASE("status: Twilio's words") {
  const std::set<std::string_view> words{"queued", "processing", "sending", "delivered", "receiving", "received", "no-answer", "busy", "failed", "canceled"};
  for (const Direction direction : {Direction::outbound, Direction::inbound})
    for (const Status status : kAll) CHECK(words.contains(twilio_word(direction, status)));
  CHECK(twilio_word(Direction::outbound, Status::failed, "busy") == "busy");
  CHECK(twilio_word(Direction::outbound, Status::failed, "no_answer") == "no-answer");
  CHECK(twilio_word(Direction::outbound, Status::failed, "transmission_error") == "failed");
  CHECK(twilio_word(Direction::outbound, Status::waiting, "busy") == "queued");
  CHECK(twilio_word(Direction::outbound, Status::unresolved) == "failed");
  CHECK(twilio_word(Direction::inbound, Status::fetching) == "receiving");
}

TEST_CASE("provider: what is final there") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ProviderStatus::unknown); ++i) names.insert(name(static_cast<ProviderStatus>(i)));
  CHECK(names.size() == 11);
  for (const auto status : {ProviderStatus::delivered, ProviderStatus::received, ProviderStatus::no_answer, ProviderStatus::busy, ProviderStatus::failed, ProviderStatus::canceled})
    CHECK(is_final(status));
  for (const auto status : {ProviderStatus::queued, ProviderStatus::processing, ProviderStatus::sending, ProviderStatus::receiving, ProviderStatus::unknown})
    CHECK_FALSE(is_final(status));
}

TEST_CASE("backoff: grows, and has an end") {
  using namespace std::chrono_literals;
  CHECK(retry_wait(300s, 1, 0.5) == 300s);
  CHECK(retry_wait(300s, 2, 0.5) == 600s);
  CHECK(retry_wait(300s, 3, 0.5) == 1200s);
  CHECK(retry_wait(300s, 1, 0.0) == 270s);
  CHECK(retry_wait(300s, 1, 1.0) == 330s);
  CHECK(retry_wait(300s, 1'000'000, 0.5) == 6h);
  CHECK(retry_wait(300s, 0, 7.0) == 330s);
  CHECK(retry_wait(0s, 1, 0.0) == 1s);
  CHECK(retry_wait(-5s, -3, 0.0) == 1s);
  CHECK(retry_wait(std::chrono::hours(1'000'000), 5, 0.5) == 6h);
  CHECK(fetch_wait(1) == 10s);
  CHECK(fetch_wait(3) == 40s);
  CHECK(fetch_wait(100) == 10min);
  CHECK(hold_wait(1) == 30s);
  CHECK(hold_wait(2) == 60s);
  CHECK(hold_wait(100) == 30min);
}

TEST_CASE("country: names") {
  CHECK(country_name("MA") == "Morocco");
  CHECK(country_name("CI") == "Côte d’Ivoire");
  CHECK(country_name("001").empty());
  CHECK(country_name("").empty());
}
