#include "crypto/random.h"

#include <cerrno>
#include <cstdlib>
#include <sys/random.h>
#include <sys/types.h>

#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace crypto {

namespace {
constexpr std::size_t kTokenBytes = 32;
}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string new_token() { return base64url_encode(random_bytes(kTokenBytes)); }

std::string token_hash(std::string_view token) { return hex(sha256(token)); }

}  // namespace crypto
