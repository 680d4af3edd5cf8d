// A datagram over a Unix socket: "there is work".
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/fd.h"
#include "core/result.h"

namespace wake {

// The telling side. Cheap to copy; from any thread.
class Sender {
 public:
  explicit Sender(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  // Never blocks. An absent or full socket is no error: the queue looks by itself. `hint`: at most 1024 bytes.
  void send(std::string_view hint = {}) const;
  // Whether somebody is told: a queue that runs, or systemd, which starts one.
  bool is_heard() const;

 private:
  std::string socket_path_;
};

// The told side.
class Receiver {
 public:
  // The socket that systemd passed (core/inherited.h); else makes one, mode 0660, in place of one that an earlier run
  // left. Errors: settings (path too long, or somebody listens there), as errno says.
  static core::Result<Receiver> bind(const std::string& socket_path);

  // Waits at most that long; all messages that are there, hints as they came; none: time was up.
  std::vector<std::string> wait(std::chrono::milliseconds longest) const;

 private:
  explicit Receiver(core::UniqueFd fd) : fd_(std::move(fd)) {}
  core::UniqueFd fd_;
};

}  // namespace wake
