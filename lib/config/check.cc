#include "config/check.h"

#include <algorithm>
#include <charconv>
#include <cctype>

namespace config {

namespace {

// ISO 3166-1, and the few (AC, TA, XK) that have numbers besides. fax/country.h has their names.
constexpr std::string_view kCountries =
    "AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC "
    "CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB "
    "GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH "
    "KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB "
    "SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US "
    "UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW ";


bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A name, an IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view value) {
  if (value.size() > 2 && value.front() == '[' && value.back() == ']') {
    const auto inside = value.substr(1, value.size() - 2);
    return std::all_of(inside.begin(), inside.end(), [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.'; });
  }
  return !value.empty() && value.size() <= 253 && value.front() != '-' && value.front() != '.' &&
         std::all_of(value.begin(), value.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_host_and_port(std::string_view value) {
  const auto colon = value.rfind(':');
  if (colon == std::string_view::npos || value.back() == ']') return is_host(value);
  const auto port = read_integer(value.substr(colon + 1));
  return is_host(value.substr(0, colon)) && port && *port >= 1 && *port <= 65535;
}

bool is_loopback(std::string_view host_and_port) {
  auto host = host_and_port;
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.back() != ']') host = host.substr(0, colon);
  return host == "localhost" || host == "[::1]" || (host.substr(0, 4) == "127." && std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; }));
}

std::optional<std::string> url_complaint(std::string_view value) {
  const bool secure = value.substr(0, 8) == "https://";
  if (!secure && value.substr(0, 7) != "http://") return "must begin with https:// (http:// to this machine only)";
  const auto rest = value.substr(secure ? 8 : 7);
  if (rest.find_first_of("/?#") != std::string_view::npos) return "must be scheme, host and port alone: take away what follows the host, the slash too";
  if (rest.find('@') != std::string_view::npos) return "must not hold a user name or password: they have settings of their own";
  if (!is_host_and_port(rest)) return "must be https://host or https://host:port";
  if (!secure && !is_loopback(rest)) return "must begin with https://: http is for this machine alone, since a fax and its password would cross the network in clear";
  return std::nullopt;
}

std::optional<std::string> link_complaint(std::string_view value) {
  const bool secure = value.substr(0, 8) == "https://";
  if (!secure && value.substr(0, 7) != "http://") return "must begin with https:// (http:// to this machine only)";
  const auto rest = value.substr(secure ? 8 : 7);
  if (rest.find('#') != std::string_view::npos || rest.find(' ') != std::string_view::npos) return "must hold no # and no blank";
  return url_complaint(value.substr(0, (secure ? 8 : 7) + std::min(rest.find_first_of("/?"), rest.size())));
}

std::optional<std::string> mail_server_complaint(std::string_view value) {
  const bool secure = value.substr(0, 8) == "smtps://";
  if (!secure && value.substr(0, 7) != "smtp://") return "must begin with smtp:// or smtps://";
  const auto rest = value.substr(secure ? 8 : 7);
  if (rest.find('@') != std::string_view::npos) return "must not hold a user name or password: they are SMTP_USER and SMTP_PASS";
  if (!is_host_and_port(rest)) return "must be smtp://host or smtp://host:port and nothing after it, smtps in place of smtp where TLS is spoken from the first byte";
  return std::nullopt;
}

bool is_mail_address(std::string_view value) {
  const auto at = value.find('@');
  return value.size() <= 254 && at != std::string_view::npos && at > 0 && is_host(value.substr(at + 1)) &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 127 && std::string_view("<>()[],;:\"").find(c) == std::string_view::npos; });
}

bool is_e164(std::string_view value) {
  return value.size() >= 3 && value.size() <= 16 && value[0] == '+' && value[1] != '0' &&
         std::all_of(value.begin() + 1, value.end(), is_digit);
}

std::optional<std::string> range_complaint(const Setting& setting, std::int64_t value, std::string_view what) {
  if (value >= setting.minimum && value <= setting.maximum) return std::nullopt;
  return "must be " + std::string(what) + " from " + std::to_string(setting.minimum) + " to " + std::to_string(setting.maximum);
}

}  // namespace

std::optional<std::int64_t> read_integer(std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || value.empty()) return std::nullopt;
  return number;
}

std::optional<std::chrono::seconds> read_duration(std::string_view value) {
  if (value.empty()) return std::nullopt;
  std::int64_t unit = 1;
  switch (value.back()) {
    case 's': break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    default: return std::nullopt;  // 72: of what? Nobody should have to guess.
  }
  const auto number = read_integer(value.substr(0, value.size() - 1));
  if (!number || *number < 0 || *number > 1'000'000'000) return std::nullopt;
  return std::chrono::seconds(*number * unit);
}

std::optional<bool> read_flag(std::string_view value) {
  if (value == "true" || value == "yes" || value == "1") return true;
  if (value == "false" || value == "no" || value == "0") return false;
  return std::nullopt;
}

std::vector<std::string> read_list(std::string_view value) {
  std::vector<std::string> list;
  while (!value.empty()) {
    const auto comma = value.find(',');
    auto item = value.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) list.emplace_back(item);
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return list;
}

std::string shown(const Setting& setting, std::string_view value) {
  if (setting.type == Type::secret) return "(set)";
  if (setting.type != Type::database && setting.type != Type::link && setting.type != Type::url && setting.type != Type::mail_server) return std::string(value);
  const auto scheme = value.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::string text(value);
  if (setting.type == Type::link)
    if (const auto path = text.find_first_of("/?#", begin); path != std::string::npos && path + 1 < text.size()) text = text.substr(0, path) + "/…";
  // Up to the last @: a password that was not encoded may hold one.
  if (const auto at = text.rfind('@'); at != std::string::npos && at >= begin) {
    const auto colon = text.find(':', begin);
    if (colon < at) text.replace(colon + 1, at - colon - 1, "…");
    else if (setting.type != Type::database) text.replace(begin, at - begin, "…");
  }
  for (std::size_t from = 0; (from = text.find("password=", from)) != std::string::npos;) {
    from += std::string_view("password=").size();
    text.replace(from, std::min(text.find_first_of("& ", from), text.size()) - from, "…");
  }
  return text;
}

std::optional<std::string> complaint(const Setting& setting, std::string_view value) {
  if (std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return "holds a control character: write the value on one line, without tabs";
  switch (setting.type) {
    case Type::text:
    case Type::secret: return std::nullopt;
    case Type::flag: return read_flag(value) ? std::nullopt : std::optional<std::string>("must be true or false");
    case Type::integer: {
      const auto number = read_integer(value);
      return range_complaint(setting, number.value_or(setting.minimum - 1), "a whole number");
    }
    case Type::duration: {
      const auto length = read_duration(value);
      if (!length) return "must be a number with s, m, h or d after it, such as 72h";
      return range_complaint(setting, length->count(), "a time in seconds");
    }
    case Type::path:
      if (value.front() != '/') return "must be an absolute path: begin it with /";
      return std::nullopt;
    case Type::host: return is_host(value) ? std::nullopt : std::optional<std::string>("must be a host name alone, such as fax.example.org");
    case Type::url: return url_complaint(value);
    case Type::link: return link_complaint(value);
    case Type::mail_server: return mail_server_complaint(value);
    case Type::addresses: {
      const auto list = read_list(value);
      if (list.empty() || !std::all_of(list.begin(), list.end(), is_mail_address)) return "must be mail addresses such as anna@example.org, several with commas between them";
      return std::nullopt;
    }
    case Type::number: return is_e164(value) ? std::nullopt : std::optional<std::string>("must be a number in the E.164 form, such as +12125551212");
    case Type::numbers: {
      const auto list = read_list(value);
      if (list.empty() || !std::all_of(list.begin(), list.end(), is_e164)) return "must be numbers in the E.164 form, such as +12125551212, several with commas between them";
      return std::nullopt;
    }
    case Type::hosts: {
      const auto list = read_list(value);
      if (list.empty() || !std::all_of(list.begin(), list.end(), is_host_and_port)) return "must be host or host:port, several with commas between them";
      return std::nullopt;
    }
    case Type::country:
      if (value.size() == 2 && value.find(' ') == value.npos && kCountries.find(std::string(value) + ' ') != kCountries.npos) return std::nullopt;
      return "must be a country's two capital letters, such as US or DE";
    case Type::choice: {
      const std::string padded = " " + std::string(setting.choices) + " ";
      if (value.find(' ') != std::string_view::npos || padded.find(" " + std::string(value) + " ") == std::string::npos)
        return "must be one of: " + std::string(setting.choices);
      return std::nullopt;
    }
    case Type::database:
      if ((value.size() > 10 && value.substr(0, 10) == "sqlite:///") || (value.size() > 13 && value.substr(0, 13) == "postgresql://")) return std::nullopt;
      return "must begin with sqlite:/// (then an absolute path) or postgresql://";
  }
  return std::nullopt;
}

}  // namespace config
