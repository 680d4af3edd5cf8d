#include "core/fd.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace core {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return errno_error("open", path, errno);
  return UniqueFd(fd);
}

Result<void> write_all(int fd, std::span<const std::byte> bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno_error("write", path, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> write_all(int fd, std::string_view text, std::string_view path) {
  return write_all(fd, std::as_bytes(std::span(text.data(), text.size())), path);
}

Result<std::size_t> read_some(int fd, std::span<std::byte> buffer, std::string_view path) {
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return errno_error("read", path, errno);
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
  CORE_TRY(fd, open_file(path, O_RDONLY));
  std::string text;
  std::array<std::byte, 16384> buffer{};
  for (;;) {
    CORE_TRY(count, read_some(fd.get(), buffer, path));
    if (count == 0) return text;
    if (text.size() + count > limit_bytes)
      return Error{.code = Code::too_large, .text = "read " + path + ": more than " + std::to_string(limit_bytes) + " bytes"};
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
}

Result<void> sync(int fd, std::string_view path) {
  if (::fsync(fd) != 0) return errno_error("fsync", path, errno);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  CORE_TRY(folder, open_file(path, O_RDONLY | O_DIRECTORY));
  return sync(folder.get(), path);
}

namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_new(const std::string& path, std::string_view text, mode_t mode) {
  CORE_TRY(fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  CORE_CHECK(write_all(fd.get(), text, path));
  return sync(fd.get(), path);
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new." + std::to_string(::getpid());
  auto written = write_new(temporary, text, mode);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0) written = errno_error("rename", temporary, errno);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder_of(path));
}

Result<void> make_folders(const std::string& path, mode_t mode) {
  for (auto slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    struct stat found{};
    if (::mkdir(part.c_str(), mode) == 0) {
      // One that we may write to, but not read, cannot be synced by us.
      if (auto synced = sync_folder(folder_of(part)); !synced && synced.error().error_number != EACCES) return synced;
    } else if (const int reason = errno; ::stat(part.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
      return errno_error("mkdir", part, reason);
    }
    if (slash == std::string::npos) return {};
  }
}

}  // namespace core
