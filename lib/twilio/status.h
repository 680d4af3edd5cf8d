// The ten words that the dialect has for a fax's status.
#pragma once

#include <string_view>

#include "fax/provider.h"

namespace twilio {

// "queued", "no-answer" …; unknown for any other word, so that a new one is never taken for a success.
fax::ProviderStatus read_status(std::string_view word);

}  // namespace twilio
