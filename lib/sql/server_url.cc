#include "sql/server_url.h"

#include <algorithm>
#include <charconv>

namespace sql {

namespace {

constexpr std::string_view kScheme = "postgresql://";

core::Error malformed() {
  return {core::Code::settings, "not a database URL", "The database URL must read postgresql://user:password@host:port/database, special characters in it percent-encoded, and without blanks."};
}

core::Result<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned int byte = 0;
      const auto digits = text.substr(i + 1, 2);
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (digits.size() != 2 || read.ptr != digits.data() + 2 || read.ec != std::errc()) return malformed();
      c = static_cast<char>(byte);
      i += 2;
    }
    if (c == '\0' || c == ' ' || (c >= '\t' && c <= '\r')) return malformed();
    result += c;
  }
  return result;
}

// Behind `mark`, which is cut off together with it; empty if there is none.
std::string_view cut_behind(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const auto behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

class Options {
 public:
  core::Result<void> add(std::string_view name, std::string_view encoded) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) return malformed();
    CORE_TRY(value, decoded(encoded));
    if (value.empty()) return {};
    text_ += " " + std::string(name) + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '\'';
    return {};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = std::string(kServerDefaults);
};

}  // namespace

core::Result<std::string> server_options(std::string_view url) {
  if (url.substr(0, kScheme.size()) != kScheme) return malformed();
  url.remove_prefix(kScheme.size());
  auto query = cut_behind(url, '?');
  auto host = url;
  const auto database = cut_behind(host, '/');
  std::string_view user;
  if (const auto at = host.rfind('@'); at != std::string_view::npos) {
    user = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  const auto password = cut_behind(user, ':');
  std::string_view port;
  if (!host.empty() && host.front() == '[') {  // IPv6
    host.remove_prefix(1);
    port = cut_behind(host, ']');
    if (!port.empty() && port.front() != ':') return malformed();
    port.remove_prefix(port.empty() ? 0 : 1);
  } else {
    port = cut_behind(host, ':');
  }
  Options options;
  CORE_CHECK(options.add("host", host));
  CORE_CHECK(options.add("port", port));
  CORE_CHECK(options.add("user", user));
  CORE_CHECK(options.add("password", password));
  CORE_CHECK(options.add("dbname", database));
  while (!query.empty()) {
    auto name = query;
    query = cut_behind(name, '&');
    const auto value = cut_behind(name, '=');
    CORE_CHECK(options.add(name, value));
  }
  return options.text();
}

}  // namespace sql
