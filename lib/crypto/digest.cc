#include "crypto/digest.h"

#include <cerrno>
#include <cstdlib>
#include <sys/types.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/error.h"

namespace crypto {

namespace {

constexpr std::size_t kSha256Bytes = 32;
constexpr std::size_t kReadBytes = 64 * 1024;

void require(bool succeeded) {
  if (!succeeded) std::abort();
}

const unsigned char* bytes_of(std::string_view text) {
  static constexpr unsigned char kNothing = 0;  // OpenSSL takes a null pointer for "no key set"
  return text.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(const char* digest, std::string_view key, std::string_view text) {
  std::string result(EVP_MAX_MD_SIZE, '\0');
  std::size_t length = 0;
  require(EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, bytes_of(key), key.size(), bytes_of(text), text.size(), bytes_of(result), result.size(),
                    &length) != nullptr);
  result.resize(length);
  return result;
}

}  // namespace

std::string hmac_sha1(std::string_view key, std::string_view text) { return hmac("SHA1", key, text); }

std::string hmac_sha256(std::string_view key, std::string_view text) { return hmac("SHA256", key, text); }

struct Sha256::State {
  State() {
    require(context != nullptr);
    begin();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
  void begin() { require(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1); }

  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1); }

void Sha256::update(std::span<const std::byte> bytes) { require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1); }

std::string Sha256::finish() {
  std::string result(kSha256Bytes, '\0');
  require(EVP_DigestFinal_ex(state_->context, bytes_of(result), nullptr) == 1);
  state_->begin();
  return result;
}

std::string sha256(std::string_view text) {
  Sha256 digest;
  digest.update(text);
  return digest.finish();
}

core::Result<std::string> sha256_of_fd(int fd, std::string_view path) {
  Sha256 digest;
  std::string buffer(kReadBytes, '\0');
  for (off_t position = 0;;) {
    const ssize_t count = pread(fd, buffer.data(), buffer.size(), position);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::errno_error("read", path, errno);
    if (count == 0) return digest.finish();
    digest.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    position += count;
  }
}

bool equal(std::string_view left, std::string_view right) {
  // Digests have one length whatever their texts have, and what is learnt of a digest is of no use.
  const std::string left_digest = sha256(left);
  const std::string right_digest = sha256(right);
  return CRYPTO_memcmp(left_digest.data(), right_digest.data(), kSha256Bytes) == 0;
}

std::string derive_key(std::string_view secret, std::string_view label) {
  // RFC 5869: extract with the default salt of zeros, then the first block of expand, which is all of 32 bytes.
  const std::string extracted = hmac_sha256(std::string(kSha256Bytes, '\0'), secret);
  return hmac_sha256(extracted, std::string(label) + '\x01');
}

}  // namespace crypto
