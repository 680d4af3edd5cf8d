#include <doctest/doctest.h>

#include "text/date.h"

#include <cstdlib>
#include <ctime>

TEST_CASE("the example of RFC 9110, for HTTP and for mail") {
  const auto time = core::from_ms(784111777999);
  CHECK(text::http_date(time) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(text::mail_date(time) == "Sun, 06 Nov 1994 08:49:37 +0000");
}

TEST_CASE("edges of days, months, years") {
  CHECK(text::http_date(core::from_ms(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(text::http_date(core::from_ms(-1)) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(text::http_date(core::parse_rfc3339("2024-02-29T23:59:59Z").value()) == "Thu, 29 Feb 2024 23:59:59 GMT");
  CHECK(text::http_date(core::parse_rfc3339("2026-11-28T00:00:00+02:00").value()) == "Fri, 27 Nov 2026 22:00:00 GMT");
  CHECK(text::http_date(core::parse_rfc3339("9999-12-31T23:59:59Z").value()) == "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST_CASE("for people, the time is the machine's own, and its zone is named") {
  const char* before = ::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  ::tzset();
  CHECK(text::local_words(core::parse_rfc3339("2026-11-25T19:27:59Z").value()) == "2026-11-25 20:27 CET");
  CHECK(text::local_words(core::parse_rfc3339("2026-07-01T22:30:00Z").value()) == "2026-07-02 00:30 CEST");
  before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}
