#include "http/url.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <curl/curl.h>
#include <memory>

#include "http/curl.h"

namespace http {

namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, FreeUrl>;

struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};
using Text = std::unique_ptr<char, FreeText>;

core::Error unreadable(std::string_view why) {
  return {core::Code::bad_request, "read a URL: " + std::string(why), "The address is not a proper web address."};
}

core::Error unreadable(CURLUcode code) { return unreadable(curl_url_strerror(code)); }

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

bool is_http(std::string_view scheme) { return scheme == "https" || scheme == "http"; }

// What curl_url lets pass, and no sender of ours has a reason to write.
bool has_odd_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == '\x7f' || c == '\\'; });
}

// The part, or "" where the URL has none.
core::Result<std::string> part(CURLU* url, CURLUPart which, unsigned int flags = 0) {
  char* raw = nullptr;
  const CURLUcode code = curl_url_get(url, which, &raw, flags);
  const Text text(raw);
  if (code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD || code == CURLUE_NO_QUERY) return std::string();
  if (code != CURLUE_OK) return unreadable(code);
  return std::string(text.get());
}

core::Result<Handle> open(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return unreadable("too long");
  if (has_odd_byte(text)) return unreadable("a space, a backslash or a control character");
  // curl_url would take "https:/host" and "https:///host" too, which others read differently.
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || !is_http(lower(text.substr(0, colon)))) return unreadable("not http or https");
  if (text.substr(colon + 3).starts_with('/')) return unreadable("no host");
  prepare_curl();
  Handle url(curl_url());
  if (!url) return core::Error{core::Code::unavailable, "read a URL: out of memory"};
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_PATH_AS_IS);
  if (code != CURLUE_OK) return unreadable(code);
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return url;
}

std::string escape(std::string_view bytes) {
  if (bytes.empty()) return {};  // to libcurl a length of 0 means "measure it"
  const Text text(curl_easy_escape(nullptr, bytes.data(), static_cast<int>(bytes.size())));
  return text ? text.get() : "";
}

// Any byte may come out; curl_url's own decoding refuses control characters.
std::string unescape(const std::string& text) {
  int length = 0;
  const Text decoded(curl_easy_unescape(nullptr, text.c_str(), static_cast<int>(text.size()), &length));
  return decoded ? std::string(decoded.get(), static_cast<std::size_t>(length)) : std::string();
}

std::uint16_t standard_port(std::string_view scheme) { return scheme == "http" ? 80 : 443; }

}  // namespace

core::Result<Url> parse(std::string_view text) {
  CORE_TRY(url, open(text));
  Url result;
  CORE_TRY(scheme, part(url.get(), CURLUPART_SCHEME));
  CORE_TRY(host, part(url.get(), CURLUPART_HOST));
  CORE_TRY(port, part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  CORE_TRY(path, part(url.get(), CURLUPART_PATH));
  CORE_TRY(query, part(url.get(), CURLUPART_QUERY));
  CORE_TRY(user, part(url.get(), CURLUPART_USER));
  CORE_TRY(password, part(url.get(), CURLUPART_PASSWORD));
  result.scheme = lower(scheme);
  result.host = lower(host);
  const auto [end, trouble] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (trouble != std::errc() || end != port.data() + port.size() || result.port == 0) return unreadable("bad port");
  result.path = path;
  result.query = query;
  char* raw = nullptr;
  result.has_userinfo = curl_url_get(url.get(), CURLUPART_USER, &raw, 0) == CURLUE_OK;
  const Text owner(raw);
  result.user = unescape(user);
  result.password = unescape(password);
  return result;
}

core::Result<std::string> resolve(std::string_view base, std::string_view reference) {
  if (reference.empty() || reference.size() > kMaxUrlBytes) return unreadable("a reference that is empty or too long");
  if (has_odd_byte(reference)) return unreadable("a space, a backslash or a control character");
  CORE_TRY(url, open(base));
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, std::string(reference).c_str(), 0);
  if (code != CURLUE_OK) return unreadable(code);
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  CORE_TRY(result, part(url.get(), CURLUPART_URL));
  CORE_CHECK(open(result));
  return result;
}

core::Result<std::string> without_userinfo(std::string_view text) {
  CORE_TRY(url, open(text));
  curl_url_set(url.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(url.get(), CURLUPART_PASSWORD, nullptr, 0);
  return part(url.get(), CURLUPART_URL);
}

core::Result<std::string> with_userinfo(std::string_view url, std::string_view user, std::string_view password) {
  if (user.size() + password.size() > kMaxUrlBytes / 4) return unreadable("user and password are too long");
  CORE_TRY(result, without_userinfo(url));
  if (user.empty()) return result;
  // Not by curl_url_set(), which turns the escapes' digits to lower case.
  return result.insert(result.find("://") + 3, escape(user) + ":" + escape(password) + "@");
}

std::string host_port(const Url& url) {
  return url.port == standard_port(url.scheme) ? url.host : url.host + ":" + std::to_string(url.port);
}

bool is_loopback_host(std::string_view host) {
  std::string name = lower(host);
  if (name == "localhost") return true;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  in_addr four{};
  if (::inet_pton(AF_INET, name.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, name.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool same_host_port(std::string_view left, std::string_view right) {
  const auto a = parse(left);
  const auto b = parse(right);
  return a && b && a->scheme == b->scheme && a->host == b->host && a->port == b->port;
}

bool host_in(const Url& url, std::span<const std::string> hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& entry) {
    const auto allowed = parse(url.scheme + "://" + entry);
    return allowed && !allowed->has_userinfo && allowed->path == "/" && allowed->query.empty() &&
           allowed->host == url.host && allowed->port == url.port;
  });
}

}  // namespace http
