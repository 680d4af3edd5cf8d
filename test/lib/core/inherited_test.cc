#include "core/inherited.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// In a process of its own, as systemd starts it with one datagram socket, or with what is said otherwise.
int asked(int type, bool for_this_process = true, const char* count = "1") {
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    ::dup2(fd, 3);
    ::setenv("LISTEN_PID", std::to_string(for_this_process ? ::getpid() : ::getppid()).c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    const auto first = core::inherited_socket(type);
    if (!first.valid()) ::_exit(1);
    const bool is_private = (::fcntl(first.get(), F_GETFD) & FD_CLOEXEC) != 0;
    ::_exit(first.get() == 3 && is_private && !core::inherited_socket(type).valid() ? 0 : 2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("the one socket that systemd passed is taken, once") {
  CHECK(asked(SOCK_DGRAM) == 0);
  CHECK(asked(SOCK_SEQPACKET) == 1);
  CHECK(asked(SOCK_DGRAM, false) == 1);
  CHECK(asked(SOCK_DGRAM, true, "2") == 1);
  CHECK_FALSE(core::inherited_socket(SOCK_DGRAM).valid());
}
