// Our answer to the first webhook of a fax that comes in.
#pragma once

#include <string>
#include <string_view>

#include "twilio/dialect.h"

namespace twilio {

// <Response><Receive …/></Response>: bring the document as a PDF, by POST, to the absolute `action`.
// `store_media` false: the provider keeps nothing (said only where the dialect knows it).
std::string receive_twiml(const Dialect& dialect, std::string_view action, bool store_media);

}  // namespace twilio
