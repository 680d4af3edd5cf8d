#include "twilio/date.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("both kinds of date are read") {
  const auto time = core::parse_rfc3339("2026-11-25T07:40:49Z").value();
  for (const auto* text : {"2026-11-25T07:40:49Z", "2026-11-25T09:40:49+02:00", "Wed, 25 Nov 2026 07:40:49 +0000",
                           "Wed, 25 Nov 2026 07:40:49 GMT", "25 Nov 2026 02:10:49 -0530", " Wed, 25 Nov 2026 07:40:49 +0000 "}) {
    CAPTURE(text);
    CHECK(twilio::read_date(text) == time);
  }
  for (const auto* text : {"", "now", "2026-11-25", "Wed, 31 Feb 2026 07:40:49 +0000", "Wed, 25 Nov 2026 07:40 +0000",
                           "Wed, 25 Nov 2026 24:40:49 +0000", "Wed, 25 nov 2026 07:40:49 +0000", "Wed, 25 Nov 26 07:40:49 +0000",
                           "Wed, 25 Nov 2026 07:40:49 EST", "Wed, -5 Nov 2026 07:40:49 +0000", ",", "1 2 3 4 5"}) {
    CAPTURE(text);
    CHECK(!twilio::read_date(text));
  }
  CHECK(!twilio::read_date(std::string(1000, ' ') + "x"));
}

TEST_CASE("Retry-After is seconds or a date") {
  CHECK(twilio::read_retry_after("3", "") == 3s);
  CHECK(twilio::read_retry_after(" 120 ", "") == 120s);
  CHECK(twilio::read_retry_after("Wed, 25 Nov 2026 07:41:00 GMT", "Wed, 25 Nov 2026 07:40:00 GMT") == 60s);
  CHECK(twilio::read_retry_after("Wed, 25 Nov 2026 07:39:00 GMT", "Wed, 25 Nov 2026 07:40:00 GMT") == 0s);
  CHECK(twilio::read_retry_after("Wed, 25 Nov 2026 07:41:00 GMT", "") == 0s);
  for (const auto* text : {"", "-5", "soon", "1.5"}) CHECK(twilio::read_retry_after(text, "") == 0s);
  CHECK(twilio::read_retry_after("9223372036854775807", "") == 24h);
  CHECK(twilio::read_retry_after("-9223372036854775808", "") == 0s);
  CHECK(twilio::read_retry_after("Wed, 25 Nov 9999 07:41:00 GMT", "Wed, 25 Nov 1970 07:40:00 GMT") == 24h);
}
