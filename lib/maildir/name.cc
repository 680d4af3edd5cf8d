#include "maildir/name.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>

namespace maildir {
namespace {

constexpr std::size_t kMaximumName = 200;
constexpr std::size_t kMaximumHost = 64;

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return std::string(digits.data(), end);
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) std::abort();
  return number;
}

}  // namespace

std::string escape_host(std::string_view host) {
  std::string escaped;
  for (const char letter : host) {
    std::string part(1, letter);
    if (letter == '/') part = "\\057";
    if (letter == ':') part = "\\072";
    if (letter <= ' ' || letter > '~') part = "_";
    if (escaped.size() + part.size() > kMaximumHost) break;
    escaped += part;
  }
  return escaped.empty() ? "localhost" : escaped;
}

std::string compose_name(const NameParts& parts) {
  const std::int64_t milliseconds = std::max<std::int64_t>(core::to_ms(parts.time), 0);
  std::string name = std::to_string(milliseconds / 1000) + ".M" + std::to_string(milliseconds % 1000 * 1000) +
                     "P" + std::to_string(parts.process) + "Q" + std::to_string(parts.counter) +
                     "R" + hexadecimal(parts.random);
  if (parts.inode != 0) name += "V" + hexadecimal(parts.device) + "I" + hexadecimal(parts.inode);
  return name + "." + escape_host(parts.host);
}

std::string new_name(core::Time now, int fd) {
  static std::atomic<std::uint64_t> counter{0};
  NameParts parts{.time = now, .process = ::getpid(), .counter = ++counter, .random = random_number(), .host = {}};
  struct stat status{};
  if (fd >= 0 && ::fstat(fd, &status) == 0) {
    parts.device = status.st_dev;
    parts.inode = status.st_ino;
  }
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) parts.host = host.data();
  return compose_name(parts);
}

core::Result<void> check_name(std::string_view name) {
  const bool fit = !name.empty() && name.size() <= kMaximumName && name.front() != '.' &&
                   std::all_of(name.begin(), name.end(), [](char letter) {
                     return letter > ' ' && letter <= '~' && letter != '/' && letter != ':';
                   });
  if (fit) return {};
  return core::Error{.code = core::Code::invalid,
                     .text = "maildir: not a name for a message (" + std::to_string(name.size()) + " bytes)"};
}

NameAndFlags split_name(std::string_view file_name) {
  const auto colon = file_name.find(':');
  if (colon == std::string_view::npos) return {file_name, {}};
  const auto information = file_name.substr(colon);
  return {file_name.substr(0, colon), information.starts_with(":2,") ? information.substr(3) : std::string_view{}};
}

}  // namespace maildir
