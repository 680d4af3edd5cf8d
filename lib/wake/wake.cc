#include "wake/wake.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/inherited.h"

namespace wake {

namespace {

constexpr std::size_t kHintBytes = 1024;

bool address_of(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

const sockaddr* generic(const sockaddr_un& address) { return static_cast<const sockaddr*>(static_cast<const void*>(&address)); }

}  // namespace

void Sender::send(std::string_view hint) const {
  sockaddr_un address;
  if (!address_of(socket_path_, address)) return;
  const core::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.valid()) (void)::sendto(fd.get(), hint.data(), std::min(hint.size(), kHintBytes), MSG_DONTWAIT | MSG_NOSIGNAL, generic(address), sizeof address);
}

bool Sender::is_heard() const {
  sockaddr_un address;
  if (!address_of(socket_path_, address)) return false;
  const core::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.valid() && ::connect(fd.get(), generic(address), sizeof address) == 0;
}

core::Result<Receiver> Receiver::bind(const std::string& socket_path) {
  if (auto passed = core::inherited_socket(SOCK_DGRAM); passed.valid()) return Receiver(std::move(passed));
  sockaddr_un address;
  if (!address_of(socket_path, address))
    return core::Error{core::Code::settings, "socket path too long: " + socket_path, "The path of the socket " + socket_path + " is too long: set SOCKET_DIR to a shorter folder."};
  core::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return core::errno_error("socket", socket_path, errno);
  if (::connect(fd.get(), generic(address), sizeof address) == 0)
    return core::Error{core::Code::settings, "socket " + socket_path + " is in use", "Another faxline-queue is running at " + socket_path + ": stop it first."};
  ::unlink(socket_path.c_str());
  if (::bind(fd.get(), generic(address), sizeof address) != 0) return core::errno_error("bind", socket_path, errno);
  if (::chmod(socket_path.c_str(), 0660) != 0) return core::errno_error("chmod", socket_path, errno);
  return Receiver(std::move(fd));
}

std::vector<std::string> Receiver::wait(std::chrono::milliseconds longest) const {
  pollfd ready{fd_.get(), POLLIN, 0};
  std::vector<std::string> hints;
  if (::poll(&ready, 1, static_cast<int>(longest.count())) <= 0) return hints;
  std::array<char, kHintBytes> buffer{};
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return hints;
    hints.emplace_back(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace wake
