// The providers' dates: ISO 8601 in Twilio's fax API, RFC 5322 in its older ones and their relatives, seconds or a date
// in Retry-After.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "core/clock.h"

namespace twilio {

// "2026-11-25T07:40:49Z", or "Wed, 25 Nov 2026 07:40:49 +0000" (also with "GMT", and without the day's name); nothing for
// anything else. The day's name is not compared with the date.
std::optional<core::Time> read_date(std::string_view text);

// How long to wait, by Retry-After (RFC 9110 section 10.2.3): seconds, or a date, which is set against `date`, the
// answer's own Date, so that our clock does not matter. 0 if it is missing or makes no sense; at most a day.
std::chrono::seconds read_retry_after(std::string_view retry_after, std::string_view date);

}  // namespace twilio
