#include "command/ask_programs.h"

#include <algorithm>
#include <array>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/fd.h"

namespace command {

namespace {

constexpr std::string_view kAsked = "FCGI_MAX_CONNS";
constexpr char kVersion = 1;
constexpr char kGetValues = 9;
constexpr char kGetValuesResult = 10;

// The record: a header of 8 bytes, request id 0, then one name with an empty value. libfcgi reads on until an empty one.
std::string question() {
  const auto length = static_cast<char>(2 + kAsked.size());
  const std::string end{kVersion, kGetValues, 0, 0, 0, 0, 0, 0};
  return std::string{kVersion, kGetValues, 0, 0, 0, length, 0, 0, static_cast<char>(kAsked.size()), 0} + std::string(kAsked) + end;
}

core::UniqueFd ask(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  path.copy(address.sun_path, path.size());
  core::UniqueFd one(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!one.valid() || ::connect(one.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) != 0) return {};
  const auto text = question();
  if (::send(one.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return {};
  return one;
}

bool is_answer(int fd) {
  std::array<char, 8> header{};
  return ::recv(fd, header.data(), header.size(), 0) == static_cast<ssize_t>(header.size()) && header[0] == kVersion && header[1] == kGetValuesResult;
}

}  // namespace

std::vector<std::string> silent_programs(const std::vector<std::string>& sockets, std::chrono::milliseconds patience) {
  std::vector<core::UniqueFd> asked;
  std::vector<pollfd> waiting;
  for (const auto& path : sockets) {
    asked.push_back(ask(path));
    waiting.push_back({asked.back().valid() ? asked.back().get() : -1, POLLIN, 0});  // poll(2) passes over a negative one
  }
  std::vector<std::string> silent = sockets;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::any_of(waiting.begin(), waiting.end(), [](const pollfd& one) { return one.fd >= 0; })) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0) break;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      if (is_answer(waiting[i].fd)) std::erase(silent, sockets[i]);
      waiting[i].fd = -1;
    }
  }
  return silent;
}

}  // namespace command
