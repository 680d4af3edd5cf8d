#include "app/arrival.h"

#include <algorithm>
#include <array>

#include "text/utf8.h"
#include "text/words.h"

namespace app {

namespace {

constexpr std::array kHeaders{"Host", "User-Agent", "Content-Type", "Content-Length", "Accept", "Date", "X-Forwarded-For"};
constexpr std::array kSecretWords{"pass", "token", "key", "secret", "signature", "auth", "cookie", "credential"};
constexpr std::size_t kValueBytes = 200;
constexpr std::size_t kTextBytes = 4000;

bool is_secret(std::string_view name) {
  const auto lower = text::lower(name);
  return std::any_of(kSecretWords.begin(), kSecretWords.end(), [&](const char* word) { return lower.find(word) != std::string::npos; });
}

std::string printable(std::string_view value) {
  auto text = text::to_valid_utf8(value);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

// Our own addresses end in a token: it is a capability.
void cut_tokens(std::string& value) {
  for (const std::string_view path : {"/fax/sending/", "/fax/callback/"})
    for (auto at = value.find(path); at != std::string::npos; at = value.find(path, at + path.size())) {
      const auto begin = at + path.size();
      value.erase(begin, std::min(value.find_first_of(" \t\r\n\"'<>", begin), value.size()) - begin);
    }
}

// Every address in it without "user:password@" and "?…": a value may hold several, or a sentence around one.
std::string without_credentials(std::string value) {
  for (std::size_t at = value.find("://"); at != std::string::npos; at = value.find("://", at)) {
    at += 3;
    const auto end = std::min(value.find_first_of(" \t\r\n\"'<>", at), value.size());
    const auto host_end = std::min(value.find_first_of("/?#", at), end);
    const auto user = value.rfind('@', host_end);
    const auto query = std::min(value.find_first_of("?#", at), end);
    value.erase(query, end - query);
    if (user != std::string::npos && user >= at && user < host_end) value.erase(at, user + 1 - at);
  }
  cut_tokens(value);
  return value;
}

void add(std::string& text, std::string_view name, std::string_view value) {
  auto line = printable(std::string(name).substr(0, 60)) + ": " + printable(without_credentials(std::string(value)).substr(0, kValueBytes));
  if (text.size() + line.size() + 1 <= kTextBytes) text += line + "\n";
}

}  // namespace

store::Arrival arrival_of(const web::Request& request, std::string_view route, const form::Fields& fields, std::string_view sha256, std::int64_t bytes) {
  store::Arrival arrival{std::string(request.method()) + " " + std::string(route), "", "", std::string(sha256), bytes};
  for (const auto* name : kHeaders)
    if (const auto value = request.header(name)) add(arrival.headers, name, *value);
  add(arrival.headers, "From address", request.remote_address());
  for (const auto& field : fields)
    if (!is_secret(field.name)) add(arrival.fields, field.name, field.value);
  return arrival;
}

}  // namespace app
