#include "core/clock.h"

#include <cstdio>
#include <ctime>
#include <sys/timex.h>
#include <unistd.h>

#include "core/fd.h"

namespace core {

Time SystemClock::now() const { return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()); }

Milliseconds SystemClock::since_boot() const {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::floor<Milliseconds>(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::string SystemClock::boot() const {
  const auto text = read_file("/proc/sys/kernel/random/boot_id", 100);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

bool SystemClock::is_synchronised() const {
  timex state{};
  if (::adjtimex(&state) != -1 && (state.status & STA_UNSYNC) == 0) return true;
  return ::access("/run/systemd/timesync/synchronized", F_OK) == 0;
}

std::string rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

namespace {

Error not_a_time(std::string_view text) {
  return {.code = Code::bad_request, .text = "not an RFC 3339 time: " + std::string(text.substr(0, 40))};
}

// Reads exactly `digits` digits and advances, or gives -1.
int number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

Milliseconds fraction(std::string_view& text) {
  int scale = 100;
  int ms = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), scale /= 10)
    ms += (text.front() - '0') * scale;
  return Milliseconds(ms);
}

}  // namespace

Result<Time> parse_rfc3339(std::string_view whole) {
  using namespace std::chrono;
  std::string_view text = whole;
  const int y = number(text, 4);
  if (y < 0 || !skip(text, "-")) return not_a_time(whole);
  const int m = number(text, 2);
  if (m < 0 || !skip(text, "-")) return not_a_time(whole);
  const int d = number(text, 2);
  if (d < 0 || !skip(text, "Tt ")) return not_a_time(whole);
  const int hour = number(text, 2);
  if (hour < 0 || hour > 23 || !skip(text, ":")) return not_a_time(whole);
  const int min = number(text, 2);
  if (min < 0 || min > 59 || !skip(text, ":")) return not_a_time(whole);
  const int sec = number(text, 2);
  if (sec < 0 || sec > 60) return not_a_time(whole);
  const year_month_day date(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  if (!date.ok()) return not_a_time(whole);
  Time time = sys_days(date) + hours(hour) + minutes(min) + seconds(sec);
  if (skip(text, ".")) time += fraction(text);
  if (skip(text, "Zz")) return text.empty() ? Result<Time>(time) : not_a_time(whole);
  const bool west = !text.empty() && text.front() == '-';
  if (!skip(text, "+-")) return not_a_time(whole);
  const int offset_hours = number(text, 2);
  if (offset_hours < 0 || offset_hours > 23) return not_a_time(whole);
  skip(text, ":");
  const int offset_minutes = number(text, 2);
  if (offset_minutes < 0 || offset_minutes > 59 || !text.empty()) return not_a_time(whole);
  const auto offset = hours(offset_hours) + minutes(offset_minutes);
  return west ? time + offset : time - offset;
}

}  // namespace core
