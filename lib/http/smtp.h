// Hands one mail to a mail server (RFC 5321), by libcurl: over TLS from the first byte (smtps), or after STARTTLS
// (RFC 3207).
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "core/result.h"
#include "http/client.h"

namespace http {

enum class Starttls {
  required,    // else nothing is sent, the password neither
  if_offered,
  never,       // for a server on this machine
};

struct Letter {
  std::string server;      // smtp://host[:port] or smtps://host[:port]; ports 25 and 465 where none is given
  Starttls starttls = Starttls::required;    // of smtp://
  const Credentials* credentials = nullptr;  // the caller's
  std::string ca_file = {};                  // PEM; empty: the system's authorities. Given, it alone counts
  std::string from;        // local@domain; the domain is what we call ourselves (EHLO)
  std::string to;          // one: who else is told of it gets a letter of his own
  int fd = -1;             // the mail, from its first byte on: a regular file of ASCII lines, "\n" or "\r\n" at their ends
  std::chrono::milliseconds connect_time_out{10'000};
  std::chrono::milliseconds total_time_out{60'000};  // and a second more for each 20 kB
  const std::atomic<bool>* stop = nullptr;   // true: the transfer is broken off
};

// What the server said when it took the mail ("250 2.0.0 Ok: queued as 4F2"). Errors:
//   provider_refused  it said no, in a proper answer: the text and the hint hold its words
//   provider_down     no byte of the mail left: name, connection, TLS, certificate, no STARTTLS where it is required
//   unknown_outcome   the connection broke after that: it has the mail, or has not
//   bad_request       an address or server that cannot be written
//   settings          the CA file cannot be used
core::Result<std::string> send_letter(const Letter& letter);

}  // namespace http
