// Digests and keyed digests. Results are raw bytes; hex() and base64_encode() of crypto/encoding.h write them.
// None can fail but for a broken OpenSSL or for want of memory, which ends the process.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace crypto {

// HMAC (RFC 2104): 20 bytes with SHA-1, 32 with SHA-256. Keys of any length, the empty one too. SHA-1 is here because
// the providers sign their requests with it; nothing new should.
std::string hmac_sha1(std::string_view key, std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);

// SHA-256 (FIPS 180-4), 32 bytes.
std::string sha256(std::string_view text);

// The same in pieces, for files of any size.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  void update(std::span<const std::byte> bytes);
  // The 32 bytes of all that was given; the object then begins anew.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The digest, 32 bytes, of the whole file behind `fd`, which must be able to seek (pread(2)); its position is not moved.
// `path` is for the error alone, which is core::errno_error()'s.
core::Result<std::string> sha256_of_fd(int fd, std::string_view path = "(open file)");

// Compares secrets in a time that tells neither where they differ nor, up to 55 bytes, how long they are.
bool equal(std::string_view left, std::string_view right);

// 32 bytes for one purpose, `label`, out of one long random secret: HKDF-SHA256 (RFC 5869) without salt, the label as
// info. The same pair gives the same key for ever. Not for passwords.
std::string derive_key(std::string_view secret, std::string_view label);

}  // namespace crypto
