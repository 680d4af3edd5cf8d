#include "sandbox/check.h"

#include <algorithm>

#include "core/clock.h"
#include "http/url.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestText = 512;

bool is_digit(char sign) { return sign >= '0' && sign <= '9'; }
bool is_letter(char sign) { return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z'); }

bool is_number(std::string_view text) {
  return text.size() >= 3 && text.size() <= 16 && text[0] == '+' && text[1] != '0' && std::all_of(text.begin() + 1, text.end(), is_digit);
}

bool is_sip_uri(std::string_view text) {
  if (!is_sip(text) || text.size() > 255) return false;
  const auto rest = text.substr(text.find(':') + 1);
  const auto at = rest.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == rest.size() || rest.find('@', at + 1) != std::string_view::npos) return false;
  return text::is_visible_ascii(text);
}

bool is_sip_sender(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char sign) {
    return is_digit(sign) || is_letter(sign) || sign == '+' || sign == '_' || sign == '.' || sign == '-';
  });
}

bool is_url(std::string_view text) { return text.size() <= kLongestUrl && http::parse(text).has_value(); }

bool is_text(std::string_view text) {
  return !text.empty() && text.size() <= kLongestText && std::none_of(text.begin(), text.end(), [](char sign) { return static_cast<unsigned char>(sign) < 0x20 || sign == 0x7f; });
}

bool is_between(std::string_view text, std::int64_t least, std::int64_t most) {
  const auto number = text::parse_int64(text);
  return number && *number >= least && *number <= most;
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

constexpr std::string_view kQualities[] = {"standard", "fine", "superfine"};
constexpr std::string_view kTruths[] = {"true", "false"};
constexpr std::string_view kMethods[] = {"GET", "POST"};
constexpr std::string_view kEvents[] = {"initiated", "ringing", "answered", "completed", "ringing_forwarded", "ringing_queued"};
constexpr std::string_view kModes[] = {"voice", "fax"};

struct Given {
  const Dialect& dialect;
  const form::Fields& fields;
  std::string_view own_number;
};

bool is_good(Kind kind, std::string_view value, const Given& given) {
  switch (kind) {
    case Kind::target: return is_number(value) || is_sip_uri(value);
    case Kind::sender: return value == given.own_number || (is_sip(given.fields.first("To").value_or("")) && is_sip_sender(value));
    case Kind::url: return is_url(value);
    case Kind::quality: return is_one_of(value, kQualities);
    case Kind::truth: return is_one_of(value, kTruths);
    case Kind::minutes: return is_between(value, given.dialect.shortest_ttl, given.dialect.longest_ttl);
    case Kind::method: return is_one_of(value, kMethods);
    case Kind::event: return is_one_of(value, kEvents);
    case Kind::canceled: return value == "canceled";
    case Kind::voice_or_fax: return is_one_of(value, kModes);
    case Kind::text: return is_text(value);
    case Kind::filter: return value.empty() || is_text(value);
    case Kind::moment: return moment(value).has_value();
    case Kind::page_size: return is_between(value, 1, 1000);
    case Kind::page_number: return is_between(value, 0, 1'000'000);
    case Kind::page_token: return value.starts_with("PA") && is_text(value);
  }
  return false;
}

}  // namespace

bool is_sip(std::string_view text) {
  const std::string scheme = text::lower(text.substr(0, 5));
  return scheme.starts_with("sip:") || scheme == "sips:";
}

std::optional<std::int64_t> moment(std::string_view text) {
  const auto time = core::parse_rfc3339(text.size() == 10 ? std::string(text) + "T00:00:00Z" : std::string(text));
  if (!time) return std::nullopt;
  return core::to_ms(*time);
}

std::optional<Complaint> complaint(const Dialect& dialect, std::span<const Parameter> known, const form::Fields& given, std::string_view own_number) {
  const auto code = [&](int own) { return own > 0 ? own : dialect.wrong_code; };
  for (const Parameter& parameter : known)
    if (parameter.missing_code != 0 && given.first(parameter.name).value_or("").empty())
      return Complaint{code(parameter.missing_code), "No '" + std::string(parameter.name) + "' is specified"};
  for (const auto& [name, value] : given) {
    const auto parameter = std::find_if(known.begin(), known.end(), [&](const Parameter& one) { return one.name == name; });
    if (parameter == known.end()) return Complaint{dialect.wrong_code, "There is a parameter that is not known here"};
    const std::string named = "'" + name + "'";
    if (parameter->kind != Kind::event && given.all(name).size() > 1) return Complaint{dialect.wrong_code, named + " is there more than once"};
    if (is_good(parameter->kind, value, {dialect, given, own_number})) continue;
    if (parameter->kind == Kind::sender && is_number(value)) return Complaint{dialect.foreign_sender_code, named + " is not a number of this account"};
    return Complaint{code(parameter->wrong_code), named + " is not a valid value"};
  }
  const auto page = text::parse_int64(given.first("Page").value_or("0"));
  if (dialect.page_needs_token && page.value_or(0) > 0 && !given.first("PageToken")) return Complaint{dialect.wrong_code, "A 'Page' beyond the first needs its 'PageToken'"};
  return std::nullopt;
}

}  // namespace sandbox
