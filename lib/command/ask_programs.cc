#include "command/ask_programs.h"

#include <array>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/fd.h"

namespace command {

namespace {

// FastCGI 1.0, section 3.3: version, type, request 1, length; then the content.
std::string record(char type, std::string_view content) {
  std::string text{'\1', type, '\0', '\1', static_cast<char>(content.size() >> 8), static_cast<char>(content.size() & 0xff), '\0', '\0'};
  return text.append(content);
}

std::string pair(std::string_view name, std::string_view value) {
  return std::string{static_cast<char>(name.size()), static_cast<char>(value.size())}.append(name).append(value);
}

std::string request() {
  constexpr char kBegin = 1, kParameters = 4, kInput = 5;
  const std::string responder{'\0', '\1', '\0', '\0', '\0', '\0', '\0', '\0'};
  const auto parameters = pair("REQUEST_METHOD", "GET") + pair("REQUEST_URI", "/") + pair("DOCUMENT_URI", "/") + pair("SERVER_PROTOCOL", "HTTP/1.1");
  return record(kBegin, responder) + record(kParameters, parameters) + record(kParameters, {}) + record(kInput, {});
}

core::UniqueFd begin(const std::string& path, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  path.copy(address.sun_path, path.size());
  core::UniqueFd one(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!one.valid() || ::connect(one.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) != 0) return {};
  return ::send(one.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()) ? std::move(one) : core::UniqueFd();
}

// The first line of an answer, "Status: 404 Not Found", is in the first block.
Answers end(int fd, std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  pollfd waiting{fd, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(left > 0 ? left : 0)) <= 0) return Answers::silent;
  std::array<char, 4096> block{};
  const ssize_t count = ::recv(fd, block.data(), block.size(), 0);
  const std::string_view said(block.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  if (said.find("Status: ") == said.npos) return Answers::silent;
  return said.find("Status: 503 ") == said.npos ? Answers::yes : Answers::away;
}

}  // namespace

std::vector<Answers> ask_programs(std::span<const std::string> sockets, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto text = request();
  std::vector<core::UniqueFd> asked;
  for (const auto& path : sockets) asked.push_back(begin(path, text));
  std::vector<Answers> found;
  for (const auto& one : asked) found.push_back(one.valid() ? end(one.get(), until) : Answers::closed);
  return found;
}

}  // namespace command
