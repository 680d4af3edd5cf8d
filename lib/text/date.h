// Dates as protocols write them: English, in UTC, whatever the locale and the time zone. Years 0 to 9999; fractions of a
// second are cut off. (RFC 3339 is in core/clock.h.)
#pragma once

#include <string>

#include "core/clock.h"

namespace text {

// IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(core::Time time);

// date-time of RFC 5322 section 3.3: "Sun, 06 Nov 1994 08:49:37 +0000"; also how the providers' older APIs write it.
std::string mail_date(core::Time time);

// For people, in the machine's own time zone, which it names: "2026-11-25 20:27 CET".
std::string local_words(core::Time time);

}  // namespace text
