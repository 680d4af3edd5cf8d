#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "fax/backoff.h"
#include "fax/cause.h"
#include "fax/number.h"
#include "fax/status.h"

using fax::Direction;
using fax::Status;

namespace {
constexpr std::array kAll{Status::queued, Status::preparing, Status::submitting, Status::checking, Status::sending, Status::waiting, Status::delivered,
                          Status::partly_delivered, Status::failed, Status::canceled, Status::unresolved, Status::receiving, Status::fetching, Status::received};

std::string e164(std::string_view typed, std::string_view region = "US") {
  const auto number = fax::parse_number(typed, region, {"+15005550006"});
  return number ? number->e164 : "error: " + number.error().hint;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("states have names that read back, and an end") {
  for (const auto status : kAll) CHECK(fax::parse_status(fax::name(status)) == status);
  CHECK_FALSE(fax::parse_status("lost"));
  CHECK(fax::parse_direction("inbound") == Direction::inbound);
  CHECK_FALSE(fax::parse_direction(""));
  CHECK(std::count_if(kAll.begin(), kAll.end(), [](Status status) { return fax::is_final(status); }) == 6);
}

TEST_CASE("no final state but those that late evidence corrects is ever left") {
  for (const auto to : kAll) {
    for (const auto from : {Status::delivered, Status::partly_delivered, Status::canceled}) CHECK(fax::may_follow(Direction::outbound, from, to) == (from == to));
    CHECK(fax::may_follow(Direction::inbound, Status::received, to) == (to == Status::received));
    CHECK_FALSE((fax::may_follow(Direction::outbound, Status::failed, to) && !fax::is_final(to)));
  }
  CHECK(fax::may_follow(Direction::outbound, Status::unresolved, Status::delivered));
  CHECK(fax::may_follow(Direction::inbound, Status::failed, Status::received));
  CHECK_FALSE(fax::may_follow(Direction::outbound, Status::queued, Status::delivered));
  CHECK_FALSE(fax::may_follow(Direction::outbound, Status::queued, Status::received));
}

TEST_CASE("the seed's words: an unknown state is never a success") {
  CHECK(fax::twilio_word(Direction::outbound, Status::failed, "busy") == "busy");
  CHECK(fax::twilio_word(Direction::outbound, Status::failed, "no_answer") == "no-answer");
  CHECK(fax::twilio_word(Direction::outbound, Status::unresolved, "") == "failed");
  CHECK(fax::twilio_word(Direction::inbound, Status::failed, "busy") == "failed");
}

TEST_CASE("causes: busy is tried again, a broken transmission never by itself") {
  using fax::ProviderStatus;
  CHECK(fax::cause_of_provider(ProviderStatus::busy, "", "").retry);
  CHECK(fax::cause_of_provider(ProviderStatus::failed, "34002", "").code == "busy");
  for (const auto* code : {"34004", "", "99999"}) {
    const auto& cause = fax::cause_of_provider(ProviderStatus::failed, code, "");
    CHECK_FALSE(cause.retry);
    CHECK(cause.pages == fax::PagesMayHaveArrived::maybe);
  }
  CHECK(fax::cause_of_provider(ProviderStatus::failed, "", "Failed to train").retry);
  CHECK(fax::cause_of_provider(ProviderStatus::failed, "", "DCN after sending a page").pages == fax::PagesMayHaveArrived::maybe);
  CHECK(fax::cause_of_refusal("21211", "").code == "number_refused");
  CHECK(fax::cause_of_refusal("12345", "").code == "refused_by_provider");
  CHECK(fax::find_cause("never heard of").code == "failed");
  CHECK_FALSE(fax::find_cause("busy").text.empty());
}

TEST_CASE("waits grow, to an end") {
  using namespace std::chrono_literals;
  CHECK(fax::retry_wait(300s, 0) == 300s);
  CHECK(fax::retry_wait(300s, 2) == 1200s);
  CHECK(fax::retry_wait(300s, 60) == 6h);
  CHECK(fax::fetch_wait(0) == 10s);
  CHECK(fax::fetch_wait(50) == 10min);
  CHECK(fax::hold_wait(50) == 30min);
}

TEST_CASE("numbers in any notation, of any country") {
  for (const auto* typed : {"+12125551212", "(212) 555-1212", "212.555.1212", "1 212 555 1212", "011 1 212 555 1212", "+1 (212) 555 1212"}) CHECK(e164(typed) == "+12125551212");
  CHECK(e164("030 123456", "DE") == "+4930123456");
  CHECK(e164("0049 30 123456", "DE") == "+4930123456");
  CHECK(e164("\xef\xbc\x8b\xef\xbc\x91 212 555 1212") == "+12125551212");
  const auto berlin = fax::parse_number("+49 30 123456", "US", {});
  REQUIRE(berlin);
  CHECK(berlin->country == "Germany");
  CHECK(berlin->region == "DE");
}

TEST_CASE("+2125551212, typed by an American, is never silently Morocco") {
  const auto number = fax::parse_number("+2125551212", "US", {});
  REQUIRE_FALSE(number);
  CHECK(number.error().code == core::Code::invalid);
  CHECK(number.error().field == "to");
  CHECK(has(number.error().hint, "+1 212-555-1212"));
  CHECK(fax::suggestion_of(number.error()) == "+12125551212");
  const auto morocco = fax::parse_number("+212 522 123456", "US", {});
  REQUIRE(morocco);
  CHECK(morocco->country == "Morocco");
}

TEST_CASE("what is never called is refused by name") {
  for (const auto* number : {"911", "112"}) CHECK(has(e164(number), "emergency"));
  CHECK(has(e164("110", "DE"), "emergency"));
  CHECK(has(e164("+1 900 555 1234"), "premium"));
  CHECK(has(e164("411"), "short"));
  for (const auto* nonsense : {"", "hello", "+", "12", "; rm -rf /", "+999 123456789", "00000000000000000000000", "\xff\xfe"}) CHECK(has(e164(nonsense), "error: "));
  CHECK(has(e164("212 555 1212 ext. 5"), "extension"));
}

TEST_CASE("our own number is always legal, in E.164 form and with separators") {
  CHECK(e164("+15005550006") == "+15005550006");
  CHECK(e164("+1 500 555 0006") == "+15005550006");
  CHECK(fax::is_e164("+15005550006"));
  for (const auto* bad : {"15005550006", "+0500", "+", "+1x", "+1234567890123456"}) CHECK_FALSE(fax::is_e164(bad));
}
