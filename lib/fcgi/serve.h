// The serve loop of a FastCGI program.
#pragma once

#include <functional>

#include "web/request.h"
#include "web/response.h"

namespace fcgi {

struct Options {
  int threads = 4;  // requests at once
};

// Answers requests on descriptor 0 (where spawn-fcgi puts the socket) until SIGTERM or SIGINT, then lets those in progress come to
// their end, for at most 10 s. `answer` is called from several threads, and does not throw.
// The exit status for main: 0, or 70 if descriptor 0 is no socket.
int serve(const std::function<web::Response(web::Request&)>& answer, const Options& options);

}  // namespace fcgi
