// Outgoing HTTPS: one call, its answer, and an exact word about what went wrong.
//
//   http::Client client({.user_agent = "faxline"});
//   http::Call call;
//   call.url = "https://api.example.com/v1/things";
//   auto answer = client.send(call);      // any complete answer of HTTP, whatever its status
//
// TLS 1.2 or newer, always verified; http to loopback addresses only; no proxy, cookie, netrc or cache. HTTP/1.1.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/secret.h"

namespace http {

struct Options {
  std::string ca_file = {};  // PEM; empty: the system's authorities. Given, it alone counts
  std::string user_agent = "faxline";
  // "host:port" of a URL -> "address:port" that is connected to in its place; the URL's name still counts for TLS and
  // for the Host header (CURLOPT_CONNECT_TO).
  std::map<std::string, std::string> connect_to = {};
  std::chrono::milliseconds connect_time_out{10'000};  // name, TCP and TLS together
  std::chrono::milliseconds total_time_out{60'000};    // of a call, redirects included; a Call may have its own
  std::chrono::seconds low_speed_time_out{30};         // so long under 10 bytes a second ends a call
};

struct Credentials {
  std::string user;
  core::SecretString password;
};

struct Call {
  std::string method = "GET";  // GET, HEAD, POST, DELETE
  std::string url;             // without userinfo
  // Sent, as the credentials are, to the first host only, never to one that a redirect names.
  std::vector<std::pair<std::string, std::string>> headers = {};
  const Credentials* credentials = nullptr;  // Basic (RFC 7617); the caller's, for the time of the call
  std::string body = {};                     // of a POST
  std::string content_type = "application/x-www-form-urlencoded";

  // Where the body of a 2xx goes, from the descriptor's position on, never held in memory; -1: into Answer::body. The
  // caller's own. Bodies of other answers go into Answer::body, at most kMaxErrorBody of them.
  int output_fd = -1;
  std::int64_t max_body_bytes = 1 << 20;
  std::int64_t max_bytes_a_second = 0;  // the body is read not faster than that, in the mean; 0: as fast as it comes

  // Redirects of GET and HEAD are followed (a POST's never): to the first URL's own host and port, and to these,
  // "host[:port]" (host_in()), at most max_redirects in all.
  std::vector<std::string> may_follow = {};
  // Further hosts that redirects may lead to. A host that is here and not in may_follow is talked to at public addresses
  // alone (is_public_address()), the first URL's too, and a redirect there may hold no credentials: it is a host that
  // somebody else named, whose name might lead into this house.
  std::vector<std::string> public_hosts = {};
  int max_redirects = 3;  // 0: an answer of 3xx is handed back as it is

  std::optional<std::chrono::milliseconds> total_time_out = {};
  std::optional<std::chrono::milliseconds> connect_time_out = {};
  std::optional<std::chrono::seconds> low_speed_time_out = {};
};

constexpr std::size_t kMaxErrorBody = 65'536;

struct Answer {
  int status = 0;                                                // 200 to 599
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case, in the order of arrival
  std::string body = {};
  std::string effective_url = {};               // after redirects
  std::optional<std::int64_t> content_length = {};  // as announced
  std::int64_t bytes = 0;                       // of the body, as arrived

  // The first header of that name (lower case).
  std::optional<std::string_view> header(std::string_view name) const;
};

// May be used by many threads at once; connections are kept alive between calls. Never throws, never raises a signal.
class Client {
 public:
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The answer, if it came whole. A POST is sent at most once, on a connection of its own (libcurl would repeat it on
  // a kept one that the peer had closed). Errors:
  //   provider_down    certainly no byte of the (first) request left: name, connection, TLS handshake, certificate
  //   unknown_outcome  anything that failed after the request may have left: time-out, reset, truncated or garbled answer
  //   too_large        the body is larger than max_body_bytes; what the call did is done
  //   forbidden        plain http to another host than loopback (nothing was sent), or a redirect there or to a host
  //                    that is not allowed, or one redirect too many, or a host of `public_hosts` at another address
  //                    (with `field` "redirect" and the host as hint, where only the host is not allowed)
  //   bad_request      a URL, method or header that cannot be sent; also a redirect to what is no URL
  //   settings         the CA file cannot be used
  //   as core::write_all() gives  the descriptor could not be written
  // After an error an unknown part of the body is in output_fd.
  core::Result<Answer> send(const Call& call);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace http
