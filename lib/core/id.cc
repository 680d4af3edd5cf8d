#include "core/id.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <sys/random.h>

namespace core {

namespace {
constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kTimeLength = 10;
constexpr std::size_t kRandomLength = 16;
}  // namespace

std::string new_id(Time now) {
  std::array<unsigned char, kRandomLength> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) std::abort();
  std::string id(kTimeLength + kRandomLength, '0');
  auto ms = static_cast<std::uint64_t>(to_ms(now));
  for (std::size_t i = kTimeLength; i-- > 0; ms >>= 5) id[i] = kAlphabet[ms & 31];
  for (std::size_t i = 0; i < kRandomLength; ++i) id[kTimeLength + i] = kAlphabet[random[i] & 31];
  return id;
}

bool is_id(std::string_view text) {
  return text.size() == kTimeLength + kRandomLength && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace core
