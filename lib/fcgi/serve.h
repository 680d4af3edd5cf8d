// The serve loop: requests in from nginx, answers out, until the program is told to stop.
//
//   int main() {
//     fcgi::hold_signals();
//     web::Routes routes = …;
//     return fcgi::serve(routes, {.program = "status"});
//   }
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/error.h"
#include "web/request.h"
#include "web/response.h"
#include "web/routes.h"

namespace fcgi {

struct Options {
  std::string program;                         // its name in the log
  int threads = 4;                             // requests in progress at once
  int listen_fd = 0;                           // a listening socket; spawn-fcgi and systemd give it as 0
  std::chrono::milliseconds drain = std::chrono::seconds(10);  // given to requests in progress when told to stop
};

using Handler = std::function<web::Response(web::Request&)>;

// Keeps SIGTERM and SIGINT for serve(). To be called in main before any thread is started: a signal that one thread
// does not hold ends the program at once.
void hold_signals();

// Answers requests, several at once: the handler is called from `threads` threads. An exception of it becomes a 500 and
// a line in the log. A text or file goes out in blocks; a peer that went away meanwhile costs a debug line. One line a
// request is logged: id, method, path without query and token, status, milliseconds.
//
// On SIGTERM or SIGINT no request is accepted any more (what waits in the socket's queue stays there for the next
// process); those in progress are finished. Returns what main returns: 0; 64 (EX_USAGE) if `listen_fd` is no listening
// socket, with a sentence on standard error; 71 (EX_OSERR) if threads could not be started or the socket broke. Ends
// the process with 1 when requests are not finished after `drain`: their threads cannot be taken back.
//
// Side effects that stay: SIGPIPE is ignored; the listening socket is made non-blocking; malloc has one arena.
int serve(const Handler& handler, const Options& options);
int serve(const web::Routes& routes, const Options& options);

// For a program that cannot start now: whoever waits at the listening socket 0 is answered 503 at once, and comes again,
// instead of waiting as long as nginx does. The answer says `why` by its hint if that is no_space or unavailable, which
// everybody may know; else that the log says it. Ends when nobody waits any more, or after a second; does nothing where
// there is no such socket.
void turn_away(const core::Error& why);

}  // namespace fcgi
