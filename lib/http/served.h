// Which certificate a server shows.
#pragma once

#include <chrono>
#include <string>

#include "core/result.h"

namespace http {

// Connects to `address` (host:port, the port at the end; IPv6 in brackets), speaks TLS there for the name `server_name`, and ends
// the connection: the server's own certificate in PEM. Nothing is verified, since it is asked what is served, right or
// wrong. Errors: provider_down (nobody listens, no TLS, the time is over); internal.
core::Result<std::string> served_certificate(const std::string& address, const std::string& server_name, std::chrono::milliseconds time_out = std::chrono::seconds(5));

}  // namespace http
