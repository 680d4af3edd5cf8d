// The provider's answers, read: JSON in, the domain's words out. Fields that are missing, null or of an odd kind are as
// not given; of a name that comes twice the last one counts, as for most readers; numbers may come as numbers or as text; texts are made valid UTF-8, without control characters; URLs in messages become "(address)".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fax/provider.h"

namespace twilio {

// One fax, as create, fetch and cancel answer. bad_request if it is no JSON object, or has no sid that is_fax_sid().
core::Result<fax::ProviderFax> read_fax(std::string_view body);

struct Page {
  std::vector<fax::ProviderFax> faxes;
  std::int64_t unreadable = 0;  // entries without a proper sid; they are not in `faxes`
  std::string next;             // as read_next()
};

// A page of the list: Twilio's with its `meta`, or SignalWire's with the page's URLs beside the faxes. Errors of
// read_fax() and read_next(). A list with an entry that cannot be read still tells of the others, but proves nothing of
// what it does not name.
core::Result<Page> read_page(std::string_view body);

// The address, absolute or relative, of the page after this one of any list; empty: it is the last. bad_request if there
// seems to be one that cannot be read, for then the list has no end.
core::Result<std::string> read_next(std::string_view body);

// The sids on a page of a fax's media (`media`, at SignalWire `fax_media` too). Errors of read_fax().
core::Result<std::vector<std::string>> read_media(std::string_view body);

// One document of a fax, as it is told of.
struct Medium {
  std::string sid;  // is_fax_sid()
  std::string content_type;
  std::string url;  // of this resource, absolute or relative to the host
};

// Errors of read_fax().
core::Result<Medium> read_medium(std::string_view body);

// One of the account's telephone numbers.
struct Number {
  std::string sid;           // is_fax_sid()
  std::string number;        // E.164
  std::string voice_url;     // who is told of a call; may hold credentials: not for the log
  std::string voice_method;  // "GET", "POST"
  std::string receive_mode;  // "voice", "fax"; empty: not said
  std::optional<bool> fax;   // whether it is capable of fax; nothing: not said
};

// As configuring it answers, and a page of their list (`incoming_phone_numbers`). Errors of read_fax().
core::Result<Number> read_number(std::string_view body);
core::Result<std::vector<Number>> read_numbers(std::string_view body);

struct Refusal {
  std::string code;     // the provider's, digits mostly; may be empty
  std::string message;  // may be empty
};

// What the body of a 4xx says: {code, message, …}, {errors: [{code, message, …}]} or {errors: ["…"]}. Nothing for any
// other body: such a 4xx does not prove that the provider itself said no.
std::optional<Refusal> read_refusal(std::string_view body);

}  // namespace twilio
