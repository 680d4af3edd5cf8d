// The practice provider: speaks the wire format of Twilio's fax API (v1), or that of SignalWire's Compatibility API, fetches,
// "transmits", calls back and signs as their documentation has it, and sends nothing anywhere but to this machine. Reads and writes the wire with code of its own.
//
//   sandbox::Sandbox sandbox(std::move(options));
//   sandbox.open();                                      // reads its book
//   std::jthread worker([&](std::stop_token stop) { sandbox.run(stop); });   // as many as wanted
//   auto response = sandbox.handle(request);             // from any thread
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"
#include "core/secret.h"
#include "http/client.h"

namespace sandbox {

// How the sandbox calls out; tests put their own in its place.
class Network {
 public:
  virtual ~Network() = default;
  virtual core::Result<http::Answer> send(const http::Call& call) = 0;
};

struct Options {
  std::string folder;       // its own, STATE_DIR/sandbox; made with mode 0700
  std::string account_sid;  // who may use the API
  core::SecretString token;  // their password
  core::SecretString signing_key = {};  // of all signatures; empty: the token
  std::string dialect = "twilio";       // or "signalwire"
  std::string own_number = "+15005550006";  // the one that is called from, and that faxes to come back in
  std::string api_url;       // "https://127.0.0.1:3299": where this API is, without /v1
  std::string incoming_url;  // "https://user:pass@fax.example.org:3297/fax/initialize": asked when a fax comes in; may be empty
  std::string ca_file = {};  // of the servers called; empty: the system's
  // "host:port" -> "127.0.0.1:port", as http::Options has it. What is neither here nor a loopback host is never called.
  std::map<std::string, std::string> connect_to = {};
  double time_scale = 1.0;   // 0.1: all waiting takes a tenth
  std::int64_t max_document_bytes = std::int64_t{256} << 20;
  // Pages of a PDF; empty: it cannot tell. Not given: pdf.h's own scan.
  std::function<std::optional<std::int64_t>(const std::string& path)> page_counter = {};
  const core::Clock* clock = nullptr;  // the caller's own; the system's if none
  Network* network = nullptr;          // the caller's own; http::Client if none
};

struct Request {
  std::string method;
  std::string path;   // as on the wire, percent-escapes kept
  std::string query;  // without "?"
  std::string authorization = {};
  std::string content_type = {};
  // The next bytes of the body; 0: its end. Not set: there is none.
  std::function<core::Result<std::size_t>(std::span<std::byte>)> read_body = {};
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};  // with Content-Type and Content-Length
  std::string body = {};
  core::UniqueFd file = {};  // if valid, this is the body, from its beginning on
  bool drop = false;         // a fault: close the connection without an answer
  std::chrono::milliseconds delay{0};  // a fault: wait so long before answering
};

// The API, under api_url, with Basic auth of account and token; ids, times, errors and paging as the dialect has them:
//   Twilio's      POST, GET /v1/Faxes   GET, POST, DELETE …/{Sid}   GET …/{Sid}/Media   GET, DELETE …/Media/{Sid}
//   SignalWire's  the same under /api/laml/2010-04-01/Accounts/{sid}/Faxes, with and without "/api/laml" and ".json";
//                 a list of media is there twice with "/api/laml" only, as the client that leaves it out reads no other
//   both          GET …/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers   GET, POST …/{Sid}: own_number, and the URL that is
//                 called when a fax comes in (VoiceUrl, VoiceMethod; VoiceReceiveMode has to stay "fax"), kept over a restart
// Every request is held to the documentation (check.h): what it does not name is refused with 400. And, its own:
//   GET, HEAD /sandbox/media/{Sid}/{MediaSid}?expires=…&signature=…   without log-in: a media_url; good for two hours
//   POST /sandbox/receive   makes a fax arrive: its body a PDF with ?From=…, or multipart with a part From and a file.
//       Also To (our number, if not given), and in place of a document ErrorCode and ErrorMessage: a reception that fails.
//       201 with the fax, its sid as any other's.
//   POST /sandbox/faults    arms a fault: a form with fault=NAME, times=N (1 to 1000000; not given: 1) and, where the fault
//       has them, seconds=N (to 86400). faults.h says which there are, what each does and when it is used up. GET tells
//       what is armed: {"faults": [{fault, stage, times, seconds}]}; DELETE clears. They outlive a restart.
// A fax to +15005550001 ends busy, …2 no-answer, …3 failed with 34004 (at Twilio told in callbacks only), …4 is
// delivered after 60 s, …5 is refused with 400; one to own_number is delivered and comes in; any other is delivered in
// about 5 s. A fax is what its book says: after a restart each goes on where it was.
class Sandbox {
 public:
  explicit Sandbox(Options options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // To be called once, before all else: makes the folder and reads the book; a fax whose file cannot be read is logged
  // and left out. Errors as core::errno_error() gives.
  core::Result<void> open();

  // Never fails: what went wrong is in the answer. A fax is durable in the book before 201 says so.
  Response handle(const Request& request);

  // Moves faxes on until told to stop. An outgoing call that runs is finished first (15 s; a document 60 s).
  void run(std::stop_token stop);

  // Does one thing that is due, calls included; false if nothing is. What run() does in a loop.
  bool step();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sandbox
