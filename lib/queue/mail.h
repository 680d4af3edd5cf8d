// The words of the mails that received faxes are.
#pragma once

#include <optional>
#include <string>

#include "mime/message.h"
#include "queue/context.h"

namespace queue {

// The mail of one received document: subject, text and a Message-ID with the FaxSid in it,
// which is the same each time it is made. `position` tells several documents of one fax apart.
mime::Message received_message(const Options& options, const store::Fax& fax, const store::Document& document, std::int64_t position);

// A name for the attachment that says from whom and when: "fax-+12125551212-2026-11-25-1431.pdf".
std::string attachment_name(const store::Fax& fax);

}  // namespace queue
