// What an address is of: the Internet, or a network of somebody's own.
#pragma once

#include <string_view>

namespace http {

// True for an IPv4 or IPv6 address, with or without brackets, that the whole Internet can reach: none of the blocks that
// IANA's special-purpose registries (RFC 6890) keep for private networks, loopback, link-local, documentation, multicast
// and the like. An IPv4 address inside an IPv6 one (::ffff:0:0/96, NAT64's 64:ff9b::/96, 6to4's 2002::/16) counts as what
// it is. False for anything that is no address; a name is not looked up.
bool is_public_address(std::string_view address);

}  // namespace http
