#include "core/inherited.h"

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace core {

UniqueFd inherited_socket(int type) {
  constexpr int kFirst = 3;
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (process == nullptr || count == nullptr || process != std::to_string(::getpid()) || std::string(count) != "1") return {};
  int found = 0;
  socklen_t size = sizeof found;
  if (::getsockopt(kFirst, SOL_SOCKET, SO_TYPE, &found, &size) != 0 || found != type) return {};
  ::fcntl(kFirst, F_SETFD, FD_CLOEXEC);
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  return UniqueFd(kFirst);
}

}  // namespace core
