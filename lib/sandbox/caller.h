// The calls that the practice provider makes: signed, with the credentials of a URL used as Twilio uses them, and to
// this machine alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/client.h"
#include "http/url.h"
#include "sandbox/dialect.h"
#include "sandbox/sandbox.h"
#include "sandbox/signature.h"

namespace sandbox {

struct Outgoing {
  std::string method = "POST";  // GET, HEAD or POST
  std::string url;              // as it was given to us, userinfo included
  Pairs parameters = {};        // of a POST: the body, unless `body` is given; signed in any case. Of a GET: into the query
  std::string body = {};
  std::string content_type = "application/x-www-form-urlencoded";
  int output_fd = -1;  // as http::Call has it
  std::int64_t max_body_bytes = 1 << 20;
  std::chrono::seconds time_out{15};
  std::string range = {};           // of a GET: "bytes=0-1023"
  std::int64_t bytes_a_second = 0;  // read not faster; 0: as fast as it comes
  bool wrong_signature = false;     // a fault
};

class Caller {
 public:
  // All borrowed. `key` signs.
  Caller(Network& network, const Dialect& dialect, std::string_view key, const std::map<std::string, std::string>& connect_to)
      : network_(network), dialect_(dialect), key_(key), connect_to_(connect_to) {}

  // The last answer. The first request has no Authorization; a 401 with a realm is followed by a second one, with the
  // URL's userinfo, where it has one. Errors as http::Client has them; forbidden for a host that is not this machine.
  core::Result<http::Answer> send(Outgoing outgoing) const;

 private:
  bool is_ours(const http::Url& url) const;

  Network& network_;
  const Dialect& dialect_;
  std::string_view key_;
  const std::map<std::string, std::string>& connect_to_;
};

// multipart/form-data: the parameters first, then the part `Media`; or, a fault, the other way round. The boundary must not
// be in the document: it is random.
std::string multipart(const Pairs& parameters, std::string_view file_name, std::string_view document, std::string_view boundary, bool media_first = false);

}  // namespace sandbox
