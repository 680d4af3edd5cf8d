#include "crypto/certificate.h"

#include <doctest/doctest.h>

namespace {

// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/O=Tests/CN=An authority" -days 36500
//   -set_serial 0x0A1B2C -addext "subjectAltName=DNS:fax.example.org,DNS:*.lines.example.org,IP:192.0.2.7"
constexpr std::string_view kSelfSigned = R"(-----BEGIN CERTIFICATE-----
MIIBzTCCAXOgAwIBAgIDChssMAoGCCqGSM49BAMCMCcxDjAMBgNVBAoMBVRlc3Rz
MRUwEwYDVQQDDAxBbiBhdXRob3JpdHkwIBcNMjYxMTI2MTI0MzE4WhgPMjEyNjEx
MDIxMjQzMThaMCcxDjAMBgNVBAoMBVRlc3RzMRUwEwYDVQQDDAxBbiBhdXRob3Jp
dHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQNMvF+3zD2xw/6dwZprEXEN2bX
e8wWRohMzKY0vAZXduV85LiGUGc0T/gyuR4jiRzq2MJTEPHX/dt1QH6nU/ido4GL
MIGIMB0GA1UdDgQWBBSo1CZxcuTYlXN9/3CxpM/AJh2SljAfBgNVHSMEGDAWgBSo
1CZxcuTYlXN9/3CxpM/AJh2SljAPBgNVHRMBAf8EBTADAQH/MDUGA1UdEQQuMCyC
D2ZheC5leGFtcGxlLm9yZ4ITKi5saW5lcy5leGFtcGxlLm9yZ4cEwAACBzAKBggq
hkjOPQQDAgNIADBFAiB4+5wToqOuXaYbAKprG3AXKHRQe2WuQy9pgok4jg1laAIh
ALgP047t17kMhlQTjlaLFeGOUfS3lPyyV69XyxhishF9
-----END CERTIFICATE-----
)";

}  // namespace

TEST_CASE("certificate: serial, end, issuer, key, names") {
  const auto it = crypto::read_certificate(kSelfSigned, "fax.example.org").value();
  CHECK(it.serial == "0A1B2C");
  CHECK(core::rfc3339(it.not_after) == "2126-11-02T12:43:18Z");
  CHECK(it.issuer == "An authority");
  CHECK(it.self_signed);
  CHECK_FALSE(it.is_rsa);
  CHECK(it.fits);
  const auto fits = [](const std::string& name) { return crypto::read_certificate(kSelfSigned, name)->fits; };
  CHECK(fits("FAX.example.org"));
  CHECK(fits("one.lines.example.org"));
  CHECK(fits("192.0.2.7"));
  CHECK_FALSE(fits("192.0.2.8"));
  CHECK_FALSE(fits("example.org"));
  CHECK_FALSE(fits("fax.example.org.evil.example"));
  CHECK_FALSE(fits(""));
}

TEST_CASE("certificate: what is none is refused") {
  for (const std::string_view text : {"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
    CHECK(crypto::read_certificate(text, "").error().code == core::Code::invalid);
  CHECK_FALSE(crypto::read_certificate(kSelfSigned.substr(0, kSelfSigned.size() / 2), ""));
}
