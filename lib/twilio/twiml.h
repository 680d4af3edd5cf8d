// Our answer to the first webhook of a fax that comes in. Source: Twilio's page "Fax TwiML: Receive", SignalWire's "cXML:
// Receive" and "cXML: Reject".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "twilio/dialect.h"

namespace twilio {

// <Response><Receive …/></Response>: bring the document as a PDF, by POST, to the absolute `action`.
// `store_media` false: the provider keeps nothing (said only where the dialect knows it). `page_size`: "letter", "legal",
// "a4"; empty: the provider's own choice (letter).
std::string receive_twiml(const Dialect& dialect, std::string_view action, bool store_media, std::string_view page_size = {});

// <Response><Reject/></Response>: the call is not answered, and its fax ends as `canceled`. Nothing where the dialect is
// not known to have it: an answer without <Receive> would be an error there.
std::optional<std::string> reject_twiml(const Dialect& dialect);

}  // namespace twilio
