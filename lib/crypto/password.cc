#include "crypto/password.h"

#include <array>
#include <memory>
#include <string.h>

#include <crypt.h>

#include "core/error.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace crypto {

namespace {

// 5 is Debian's own: 24 ms and 16 MB; each step more doubles both, and a Raspberry Pi 3 is ten times slower.
constexpr unsigned long kCost = 5;
constexpr const char* kMethod = "$y$";
constexpr std::size_t kSaltBytes = 16;

// Why this password cannot be one; empty if it can. libxcrypt refuses 512 bytes and reads up to the first NUL.
std::string_view trouble_with(std::string_view password) {
  if (password.empty()) return "The password is empty. Choose one.";
  if (password.size() > kMaxPasswordBytes) return "The password is too long. Use at most 511 bytes.";
  if (password.find('\0') != std::string_view::npos) return "The password has a character that cannot be used (NUL). Choose another one.";
  return {};
}

std::string setting_with(std::string_view salt) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn(kMethod, kCost, salt.data(), static_cast<int>(salt.size()), setting.data(), static_cast<int>(setting.size())) == nullptr) return {};
  return setting.data();
}

// The hash by `setting`, which is also the front of every hash; empty if crypt refuses either, or has no memory.
std::string crypt_with(const core::SecretString& password, const std::string& setting) {
  struct Wiped {  // 32 KB, too much for the stack of a thread
    ~Wiped() {
      explicit_bzero(phrase.data(), phrase.size());
      explicit_bzero(&data, sizeof data);
    }
    std::array<char, kMaxPasswordBytes + 1> phrase{};
    crypt_data data{};
  };
  const auto work = std::make_unique<Wiped>();
  password.reveal().copy(work->phrase.data(), kMaxPasswordBytes);
  const char* const hash = crypt_rn(work->phrase.data(), setting.c_str(), &work->data, static_cast<int>(sizeof work->data));
  return hash == nullptr ? std::string() : std::string(hash);
}

}  // namespace

core::Result<std::string> hash_password(const core::SecretString& password) {
  if (const auto trouble = trouble_with(password.reveal()); !trouble.empty())
    return core::Error{.code = core::Code::invalid, .text = "password: empty, too long or with a NUL", .hint = std::string(trouble), .field = "password"};
  std::string hash = crypt_with(password, setting_with(random_bytes(kSaltBytes)));
  if (hash.empty()) return core::Error{.code = core::Code::unavailable, .text = "hash password: crypt_rn failed, memory may be short"};
  return hash;
}

bool check_password(const core::SecretString& password, std::string_view hash) {
  if (!trouble_with(password.reveal()).empty() || !hash.starts_with(kMethod) || hash.find('\0') != std::string_view::npos) return false;
  const std::string computed = crypt_with(password, std::string(hash));
  return !computed.empty() && equal(computed, hash);
}

bool dummy_check(const core::SecretString& password) {
  if (trouble_with(password.reveal()).empty()) static_cast<void>(crypt_with(password, setting_with(std::string(kSaltBytes, 's'))));
  return false;
}

}  // namespace crypto
