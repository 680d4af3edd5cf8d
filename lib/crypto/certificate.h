// What a certificate says (X.509, RFC 5280).
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace crypto {

struct Certificate {
  std::string serial;  // hexadecimal, upper case, as `openssl x509 -serial` has it
  core::Time not_after{};
  std::string issuer;        // its common name, or all of it where there is none
  bool is_rsa = false;       // its key; else a curve's
  bool self_signed = false;  // issuer and subject are one
  bool fits = false;         // it is for the host name, or address, that was asked for (RFC 6125)
};

// The first certificate of a PEM text. `host_name` empty: `fits` is false. invalid: there is none, or it is damaged.
core::Result<Certificate> read_certificate(std::string_view pem, const std::string& host_name);

}  // namespace crypto
