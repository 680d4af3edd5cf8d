// URLs of http and https, read and written by curl_url(3) alone, so that what is checked is what is called. RFC 3986.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace http {

struct Url {
  std::string scheme;      // "https" or "http"
  std::string host;        // lower case; an IPv6 address in brackets; numeric IPv4 in its usual form
  std::uint16_t port = 0;  // the scheme's own where the URL has none
  std::string path;        // begins with "/", percent-escapes as they stand
  std::string query;       // without "?", percent-escapes as they stand
  bool has_userinfo = false;
  std::string user;        // decoded
  std::string password;    // decoded
};

// The parts of an absolute URL; a fragment is left out. bad_request for anything that is not one: another scheme, no
// host, a space or control character, more than 8192 bytes, a port out of range. Errors never quote the URL, for it may
// hold a credential or a capability.
core::Result<Url> parse(std::string_view url);

// `reference`, relative or absolute, as seen from `base` (RFC 3986 section 5): an absolute URL of http or https without
// fragment. bad_request if either cannot be read, or if it leads to another scheme.
core::Result<std::string> resolve(std::string_view base, std::string_view reference);

// The same URL without user and password. An empty path becomes "/". Errors of parse().
core::Result<std::string> without_userinfo(std::string_view url);

// The same URL with user and password put in (those that it had go): each byte but the unreserved ones is
// percent-encoded in upper-case hex. With an empty user: without_userinfo(). An empty path becomes "/". Errors of parse().
core::Result<std::string> with_userinfo(std::string_view url, std::string_view user, std::string_view password);

// "host", or "host:port" where the port is not the scheme's own.
std::string host_port(const Url& url);

// True for "localhost", 127.0.0.0/8 and ::1, the latter with or without brackets. No name is looked up.
bool is_loopback_host(std::string_view host);

// True if scheme, host and port are the same; false too when one of them cannot be read.
bool same_host_port(std::string_view left, std::string_view right);

// True if the URL's host and port are in the list of "host[:port]"; an entry without a port means the port of the URL's
// scheme. Letters' case does not matter; there are no wildcards.
bool host_in(const Url& url, std::span<const std::string> hosts);

}  // namespace http
