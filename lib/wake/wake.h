// The datagram that tells the queue of work. It may get lost, and it says nothing but "look": who waits looks every few
// seconds anyway, who sends has made the work durable before.
#pragma once

#include <chrono>
#include <string>

#include "core/fd.h"
#include "core/result.h"

namespace wake {

// A value without a descriptor; may be used from several threads at once.
class Sender {
 public:
  explicit Sender(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // Wakes, if somebody is there to be woken. Never blocks and never fails: no socket, nobody behind it, a full one or no
  // right to it are all the same as a datagram lost. True if it was taken.
  bool send() const;

 private:
  std::string socket_path_;
};

// The one who is woken. Destroyed, it removes its socket file.
class Receiver {
 public:
  // Makes the socket file, 0660 less the umask; one that nobody listens on any more is replaced. conflict if somebody
  // does, or the path is something else than a socket; settings for a path of over 107 bytes; else core::errno_error()'s.
  static core::Result<Receiver> bind(const std::string& socket_path);

  Receiver(Receiver&&) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept;
  ~Receiver();

  enum class Woken { yes, timed_out };

  // Waits for a datagram, at most `timeout`; then takes all that have come. A signal counts as timed_out, so that the
  // caller can look whether it should stop.
  core::Result<Woken> wait(std::chrono::milliseconds timeout) const;

  // Takes all that have come, without waiting; true if there were any. For those who poll(2) fd() themselves.
  bool drain() const;

  // For poll(2); owned by this object.
  int fd() const { return socket_.get(); }

 private:
  Receiver(core::UniqueFd socket, std::string socket_path) : socket_(std::move(socket)), socket_path_(std::move(socket_path)) {}

  core::UniqueFd socket_;
  std::string socket_path_;
};

}  // namespace wake
