// One request, as nginx tells it: the parameters of CGI (RFC 3875), and a body.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "web/body.h"

namespace web {

// Names and values as FastCGI brings them; of a name that is there twice the first counts.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// Moves, never copies. Views that it gives live as long as it does, and survive no move.
class Request {
 public:
  Request(Parameters parameters, std::unique_ptr<Body> body);

  std::string_view method() const { return method_; }  // as sent: "GET"

  // The target exactly as received, with its query, nothing decoded: what signatures are made of.
  std::string_view request_uri() const { return request_uri_; }
  std::string_view path() const;   // up to the "?", not decoded
  std::string_view query() const;  // after the "?", not decoded: for form::parse_urlencoded

  // The path between its slashes, each part percent-decoded, once: "/a/b%2Fc" has "a" and "b/c". Any bytes but NUL.
  // Empty for a path that is no plain one: without "/" in front, with an empty, "." or ".." part, a broken "%", a NUL.
  // (nginx chooses the program by the path that is left after resolving those; nobody who means well sends them.)
  const std::vector<std::string>& segments() const { return segments_; }

  // A header, its name in any case ("X-Twilio-Signature"). nginx drops names with "_", so no two collide. An empty
  // Content-Type or Content-Length is none.
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> parameter(std::string_view name) const;  // of CGI, the name as it is

  // The length that was announced, in bytes; 0 if none was.
  std::uint64_t content_length() const { return body_->length().value_or(0); }
  std::string_view content_type() const { return header("Content-Type").value_or(""); }

  std::string_view remote_address() const { return text("REMOTE_ADDR"); }
  std::string_view scheme() const { return text("REQUEST_SCHEME"); }
  std::string_view host() const;  // as requested, with its port where one was: "fax.example:8443"

  // Who asks: set by nginx from the answer of `session`, empty where nobody was asked for a log-in. A browser cannot
  // set them. These alone are to be trusted.
  std::string_view user() const { return text("AUTH_USER"); }
  std::string_view role() const { return text("AUTH_ROLE"); }  // "admin", "user"
  std::string_view via() const { return text("AUTH_VIA"); }    // "cookie", "key"
  bool by_key() const { return via() == "key"; }
  bool is_admin() const { return !user().empty() && role() == "admin"; }

  // nginx's id of the request, or one made here: 1 to 64 letters, digits and "-". In the log, and told to the person.
  std::string_view id() const { return id_; }

  Body& body() { return *body_; }

 private:
  std::string_view text(std::string_view name) const { return parameter(name).value_or(""); }

  Parameters parameters_;
  std::unique_ptr<Body> body_;
  std::string method_;
  std::string request_uri_;
  std::string id_;
  std::vector<std::string> segments_;
};

// The path for the log: no query, and behind /fax/callback/ and /fax/sending/, where a token follows, nothing.
std::string loggable_path(const Request& request);

// bad_request, unless CONTENT_LENGTH is absent, empty (then nothing) or a decimal number.
core::Result<std::optional<std::uint64_t>> announced_length(const Parameters& parameters);

// A request without a web server, as nginx would tell it, from 127.0.0.1 to https://fax.example: for tests.
// `more` wins over what is made up: {{"AUTH_USER", "anna"}, {"HTTP_ORIGIN", "https://fax.example"}}.
Request make_request(std::string_view method, std::string_view target, std::string body = {}, Parameters more = {});

}  // namespace web
