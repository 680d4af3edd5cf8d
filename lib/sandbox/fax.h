// One fax as the practice provider's book keeps it, in Twilio's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sandbox {

// A status callback that is still to be made.
struct Callback {
  std::string status;
  std::int64_t due_ms = 0;
  std::int64_t tries = 0;
};

struct Fax {
  std::string sid;       // FX and 32 hexadecimal digits, or a UUID
  std::string direction;  // "inbound", "outbound"
  std::string from, to;
  std::string status;  // queued processing sending delivered receiving received no-answer busy failed canceled
  std::string error_code = {}, error_message = {};
  std::optional<std::int64_t> pages = {};
  std::string quality = "fine";
  std::int64_t created_ms = 0, updated_ms = 0;

  // What happens next, and when; empty: nothing more. Outbound: fetch, dial, end. Inbound: announce, deliver.
  std::string next = {};
  std::int64_t due_ms = 0;
  std::int64_t tries = 0;
  std::string faults = {};  // as Faults::take_for_fax() gives them

  // outbound
  std::string given_media_url = {};
  std::string status_callback = {};
  std::string callback_method = "POST";  // or GET
  std::string callback_events = {};      // of StatusCallbackEvent, with spaces between; empty: every status is told
  bool store_media = true;
  std::string inbound_sid = {};  // the fax as which it comes in, if it is to our own number
  std::vector<Callback> callbacks = {};

  // the document kept here; `media_sid` stays when it was deleted
  std::string media_sid = {};
  bool has_media = false;

  // inbound: what the first webhook was answered
  std::string action = {};
  std::string method = {};

  bool is_final() const;
};

// True for "FX", or another two letters, and 32 hexadecimal digits: what may become part of a path.
bool is_sid(std::string_view text, std::string_view letters);
std::string new_sid(std::string_view letters);
// Lower-case hexadecimal digits in the groups of RFC 9562; what may become part of a path as well.
bool is_uuid(std::string_view text);
std::string new_uuid();  // version 4

std::string to_json(const Fax& fax);
// bad_request if it is not what to_json() wrote; fields that are not there stay as they are in a new Fax.
core::Result<Fax> fax_from_json(std::string_view text);

}  // namespace sandbox
