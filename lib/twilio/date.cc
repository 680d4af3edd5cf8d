#include "twilio/date.h"

#include <algorithm>
#include <array>
#include <vector>

#include "text/words.h"

namespace twilio {

namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::chrono::seconds kLongest{24 * 3600};

std::optional<int> number(std::string_view text, int low, int high) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  const auto value = text::parse_int64(text);
  if (!value || *value < low || *value > high) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<std::chrono::seconds> read_time(std::string_view text) {
  const auto parts = text::split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto hour = number(parts[0], 0, 23);
  const auto minute = number(parts[1], 0, 59);
  const auto second = number(parts[2], 0, 60);
  if (!hour || !minute || !second) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::optional<std::chrono::minutes> read_zone(std::string_view text) {
  if (text == "GMT" || text == "UTC" || text == "Z") return std::chrono::minutes(0);
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hour = number(text.substr(1, 2), 0, 23);
  const auto minute = number(text.substr(3, 2), 0, 59);
  if (!hour || !minute) return std::nullopt;
  const auto offset = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<core::Time> read_date(std::string_view text) {
  text = text::trim(text);
  if (text.size() > 64) return std::nullopt;
  if (auto time = core::parse_rfc3339(text)) return *time;
  if (const auto comma = text.find(','); comma != std::string_view::npos) text = text::trim(text.substr(comma + 1));
  const auto words = text::split(text, ' ');
  if (words.size() != 5) return std::nullopt;
  const auto day = number(words[0], 1, 31);
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), words[1]);
  const auto year = number(words[2], 1970, 9999);
  const auto time = read_time(words[3]);
  const auto zone = read_zone(words[4]);
  if (!day || month == kMonths.end() || !year || !time || !zone) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return core::Time(std::chrono::sys_days(date)) + *time - *zone;
}

std::chrono::seconds read_retry_after(std::string_view retry_after, std::string_view date) {
  using std::chrono::seconds;
  retry_after = text::trim(retry_after);
  seconds wait{0};
  if (const auto count = text::parse_int64(retry_after)) {
    wait = seconds(std::min<std::int64_t>(*count, kLongest.count()));
  } else {
    const auto then = read_date(retry_after);
    const auto now = read_date(date);
    if (then && now) wait = std::chrono::ceil<seconds>(*then - *now);
  }
  return std::clamp(wait, seconds(0), kLongest);
}

}  // namespace twilio
