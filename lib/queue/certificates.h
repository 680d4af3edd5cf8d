// The certificates that the line itself shows: what is served is looked at, not a file, since it is what providers see.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "queue/context.h"

namespace queue {

inline constexpr std::string_view kCertificateTrouble = "certificate";
// When people are told that one was not renewed; certbot does it 30 days before its end.
constexpr auto kEndsSoon = std::chrono::hours(20 * 24);

struct Listeners {
  std::string machine;    // whose they are (machine_name())
  std::string host_name;  // that the certificate has to be for
  std::vector<std::pair<std::string, std::string>> addresses = {};  // config::Settings::listeners()
  // The certificate that is shown at an address, in PEM (http::served_certificate()).
  std::function<core::Result<std::string>(const std::string& address, const std::string& host_name)> certificate = {};
};

// Looks at each listener, notes what it shows (store/certificates.h), and says what is wrong with it: a trouble while one was
// made by this machine for itself, is for another name, ends soon or has ended; a notice, once for each certificate, when
// it ends soon. A listener that does not answer says nothing. True: "lan" and "public" answered,
// and nothing is wrong. Errors: of the store.
core::Result<bool> look_at_certificates(const Context& context, const Listeners& listeners);

}  // namespace queue
