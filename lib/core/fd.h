// File descriptors that close themselves, and the few whole-or-error calls on
// files that everything durable is built from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

#include "core/result.h"

namespace core {

// Owns one descriptor; -1 is "none". Moves, never copies.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added and EINTR retried. `flags` may ask for
// O_NOFOLLOW; `mode` counts with O_CREAT only. Errors as errno_error() gives.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0600);

// Writes all of `bytes`. After an error an unknown part of it is in the file.
Result<void> write_all(int fd, std::span<const std::byte> bytes, std::string_view path);
Result<void> write_all(int fd, std::string_view text, std::string_view path);

// Reads at most `buffer.size()` bytes; 0 is the end of the file.
Result<std::size_t> read_some(int fd, std::span<std::byte> buffer, std::string_view path);

// The whole file, if it has at most `limit_bytes`; else too_large. For small
// files only: settings, keys, secrets.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes);

// fsync(2) of the descriptor. An error means: nothing about this file is known
// to be on the disk (the kernel may have dropped the dirty pages).
Result<void> sync(int fd, std::string_view path);

// fsync(2) of a folder, which makes the names in it durable.
Result<void> sync_folder(const std::string& path);

// Writes `text` to `path` so that after a power cut there is the old file or
// the new one, whole: temporary name beside it, fsync, rename, fsync of the
// folder. On an error the old file stands; the temporary one is removed.
Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode);

// mkdir -p, each new folder with `mode` (less the umask), its name on the disk when this returns.
Result<void> make_folders(const std::string& path, mode_t mode);

}  // namespace core
