// Which certificates the line's listeners show, as the queue last saw them: in the book, so that page, /metrics and
// `faxline doctor` tell the same. Errors of all calls are those of store/faxes.h.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "store/faxes.h"

namespace store {

struct ServedCertificate {
  std::string listener;  // "lan", "public", "pop3"
  std::string serial;    // hexadecimal, upper case
  core::Time not_after{};
  bool self_signed = false;
  bool fits = true;      // it is for PUBLIC_HOSTNAME
  core::Time seen{};
};

// What `machine` showed, in place of what is noted of its listener.
core::Result<void> note_certificate(Faxes& faxes, const std::string& machine, const ServedCertificate& certificate);

// Of each listener the one that ends first, whichever machine shows it; those that nobody has seen for `kSeenLately` are
// left out, and forgotten after a month.
constexpr auto kSeenLately = std::chrono::hours(24);
core::Result<std::vector<ServedCertificate>> served_certificates(Faxes& faxes, core::Time now);

// A notice that the certificate ends; once for each serial number.
core::Result<void> tell_of_end(Faxes& faxes, const ServedCertificate& certificate, core::Time now);

}  // namespace store
