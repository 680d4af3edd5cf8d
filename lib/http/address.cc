#include "http/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <string>

namespace http {

namespace {

struct Block {
  std::uint32_t first;
  int bits;
};

// RFC 6890 and its registry.
constexpr std::array<Block, 15> kNotPublic{{
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared by a provider's customers
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocols
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays, given up
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, and broadcast
}};

bool is_public(std::uint32_t address) {
  return std::none_of(kNotPublic.begin(), kNotPublic.end(), [&](const Block& block) { return (address >> (32 - block.bits)) == (block.first >> (32 - block.bits)); });
}

bool is_public(const in6_addr& address) {
  const auto* bytes = address.s6_addr;
  const auto starts = [&](std::initializer_list<std::uint8_t> prefix) { return std::equal(prefix.begin(), prefix.end(), bytes); };
  const auto four_at = [&](int at) { return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3]; };
  if (IN6_IS_ADDR_V4MAPPED(&address) || starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public(four_at(12));
  if (starts({0x20, 0x02})) return is_public(four_at(2));
  if (starts({0x20, 0x01, 0x0d, 0xb8})) return false;                    // documentation
  if (starts({0x20, 0x01}) && bytes[2] < 0x02) return false;             // 2001::/23: Teredo and other protocols
  if (starts({0x3f, 0xff}) && (bytes[2] & 0xf0) == 0) return false;      // 3fff::/20: documentation
  return (bytes[0] & 0xe0) == 0x20;                                      // 2000::/3 is what has been given out
}

}  // namespace

bool is_public_address(std::string_view address) {
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
  const std::string text(address);
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return is_public(ntohl(four.s_addr));
  in6_addr six{};
  return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && is_public(six);
}

}  // namespace http
