#include "wake/wake.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wake {

namespace {

// False if the path does not fit.
bool address_of(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

core::UniqueFd datagram_socket() { return core::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

// A socket file stays after its process; connecting tells whether one is behind it.
bool is_dead(const sockaddr_un& address) {
  const core::UniqueFd probe = datagram_socket();
  return probe.valid() && ::connect(probe.get(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED;
}

}  // namespace

bool Sender::send() const {
  sockaddr_un address;
  if (!address_of(socket_path_, address)) return false;
  const core::UniqueFd socket = datagram_socket();
  return socket.valid() && ::sendto(socket.get(), "w", 1, MSG_DONTWAIT | MSG_NOSIGNAL, generic(address), sizeof address) == 1;
}

core::Result<Receiver> Receiver::bind(const std::string& socket_path) {
  sockaddr_un address;
  if (!address_of(socket_path, address))
    return core::Error{.code = core::Code::settings,
                       .text = "wake socket " + socket_path + ": the path is empty, or longer than a socket's may be",
                       .hint = "Choose a shorter STATE_DIR.",
                       .field = "STATE_DIR"};
  core::UniqueFd socket = datagram_socket();
  if (!socket.valid()) return core::errno_error("socket", socket_path, errno);
  struct stat found{};
  if (::lstat(socket_path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return core::Error{.code = core::Code::conflict, .text = "wake socket " + socket_path + ": something else is there"};
    if (!is_dead(address)) return core::Error{.code = core::Code::conflict, .text = "wake socket " + socket_path + ": another program listens"};
    if (::unlink(socket_path.c_str()) != 0 && errno != ENOENT) return core::errno_error("unlink", socket_path, errno);
  }
  // A socket file's mode is the socket's own at bind(2), less the umask.
  if (::fchmod(socket.get(), 0660) != 0) return core::errno_error("fchmod", socket_path, errno);
  if (::bind(socket.get(), generic(address), sizeof address) != 0) return core::errno_error("bind", socket_path, errno);
  return Receiver(std::move(socket), socket_path);
}

Receiver& Receiver::operator=(Receiver&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(socket_path_, other.socket_path_);
  return *this;
}

Receiver::~Receiver() {
  if (socket_.valid()) ::unlink(socket_path_.c_str());
}

bool Receiver::drain() const {
  bool any = false;
  char byte = 0;
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), &byte, sizeof byte, MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return any;
    any = true;
  }
}

core::Result<Receiver::Woken> Receiver::wait(std::chrono::milliseconds timeout) const {
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  const auto bounded = std::clamp<std::int64_t>(timeout.count(), 0, 3'600'000);
  if (::poll(&waiting, 1, static_cast<int>(bounded)) < 0 && errno != EINTR) return core::errno_error("poll", socket_path_, errno);
  return drain() ? Woken::yes : Woken::timed_out;
}

}  // namespace wake
