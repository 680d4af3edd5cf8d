#include "crypto/certificate.h"

#include <chrono>
#include <ctime>
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace crypto {

namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* it) const {
    Free(it);
  }
};

void free_text(char* text) { OPENSSL_free(text); }

core::Error damaged() { return {core::Code::invalid, "no certificate in this text"}; }

std::string name_of(const X509_NAME* name) {
  std::string common(256, '\0');
  const int length = X509_NAME_get_text_by_NID(name, NID_commonName, common.data(), static_cast<int>(common.size()));
  if (length > 0) return common.substr(0, static_cast<std::size_t>(length));
  const std::unique_ptr<char, Freed<free_text>> whole(X509_NAME_oneline(name, nullptr, 0));
  return whole ? whole.get() : "";
}

}  // namespace

core::Result<Certificate> read_certificate(std::string_view pem, const std::string& host_name) {
  const std::unique_ptr<BIO, Freed<BIO_free>> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<X509, Freed<X509_free>> it(text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!it) return damaged();
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(it.get()), nullptr));
  const std::unique_ptr<char, Freed<free_text>> serial(number ? BN_bn2hex(number.get()) : nullptr);
  std::tm end{};
  if (!serial || ASN1_TIME_to_tm(X509_get0_notAfter(it.get()), &end) != 1) return damaged();
  Certificate certificate;
  certificate.serial = serial.get();
  certificate.not_after = core::from_ms(std::int64_t{::timegm(&end)} * 1000);
  certificate.issuer = name_of(X509_get_issuer_name(it.get()));
  certificate.is_rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(it.get())) == EVP_PKEY_RSA;
  certificate.self_signed = X509_NAME_cmp(X509_get_issuer_name(it.get()), X509_get_subject_name(it.get())) == 0;
  certificate.fits = !host_name.empty() && (X509_check_host(it.get(), host_name.data(), host_name.size(), 0, nullptr) == 1 || X509_check_ip_asc(it.get(), host_name.c_str(), 0) == 1);
  return certificate;
}

}  // namespace crypto
