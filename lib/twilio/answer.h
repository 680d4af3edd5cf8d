// The provider's answers, read: JSON in, the domain's words out. Fields that are missing, null or of an odd kind are as
// not given; numbers may come as numbers or as text; texts are made valid UTF-8, without control characters; URLs in messages become "(address)".
#pragma once

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
  std::string next;  // absolute or relative URL; empty: the last page
};

// A page of the list: Twilio's with its `meta`, or SignalWire's with the page's URLs beside the faxes. Errors of
// read_fax(); also if one of the faxes has no proper sid, for a list with a hole proves nothing.
core::Result<Page> read_page(std::string_view body);

// The sids of the list of a fax's media (`media`, at SignalWire `fax_media` too). Errors of read_fax().
core::Result<std::vector<std::string>> read_media(std::string_view body);

struct Refusal {
  std::string code;     // the provider's, digits mostly; may be empty
  std::string message;  // may be empty
};

// What the body of a 4xx says: {code, message, …}, {errors: [{code, message, …}]} or {errors: ["…"]}. Nothing for any
// other body: such a 4xx does not prove that the provider itself said no.
std::optional<Refusal> read_refusal(std::string_view body);

}  // namespace twilio
