#include "text/date.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace text {

namespace {

constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "Sun, 06 Nov 1994 08:49:37 " and the zone; not strftime(3), which speaks the locale's language.
std::string date(core::Time time, const char* zone) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s, %02u %s %04d %02d:%02d:%02d %s", kDays[std::chrono::weekday{day}.c_encoding()],
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()), zone);
  return buffer.data();
}

}  // namespace

std::string http_date(core::Time time) { return date(time, "GMT"); }

std::string mail_date(core::Time time) { return date(time, "+0000"); }

std::string local_words(core::Time time) {
  const auto seconds = static_cast<std::time_t>(core::to_ms(time) / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 64> words{};
  return {words.data(), std::strftime(words.data(), words.size(), "%Y-%m-%d %H:%M %Z", &parts)};
}

}  // namespace text
