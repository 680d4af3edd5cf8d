// Delivery into a Maildir that belongs to another account: the mail user's daemon
// serves, the queue asks. One message a connection: name and open file go over, the
// answer comes back when the message is on the disk.
//
// Wire: a Unix socket of whole packets (SOCK_SEQPACKET). Asked: the name as text, with one
// descriptor (SCM_RIGHTS); or the word "check" without one. Answered: "works", "delivered", "already there", or
// "error CODE\tTEXT\tHINT" with the code's name (core/error.h).
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "core/fd.h"
#include "core/result.h"
#include "maildir/maildir.h"

namespace maildir {

// The asking side. A value; may be used from several threads at once.
class Remote {
 public:
  explicit Remote(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // As Maildir::deliver(), of which it passes the errors on. Besides: unavailable if nobody
  // serves, or no answer came within 120 s; then the message is there or not, and asking
  // again with the same name is safe.
  core::Result<Delivery> deliver(std::string_view name, int source_fd) const;

  // Whether a message could be delivered now: Maildir::check(), of which it passes the errors on; unavailable as above.
  core::Result<void> check() const;

 private:
  core::Result<std::string> ask(std::string_view text, int fd) const;  // -1: no descriptor
  std::string socket_path_;
};

// The serving side.
class Service {
 public:
  // Binds the socket with mode 0600 (a dead one of an earlier run is replaced; a live one
  // gives conflict). Only `allowed_uid`, the server's own account and root are served. Where
  // systemd passed the socket (core/inherited.h), it is that one, and whoever owns its file is served.
  static core::Result<Service> bind(const std::string& socket_path, std::string maildir_path, uid_t allowed_uid);

  // Serves until `stop` is true, looked at after each message and every 200 ms. The
  // Maildir is opened anew for each message, so that one that is mounted later needs no
  // restart. Asks of other accounts are closed without an answer, and logged. What a crash
  // left in `tmp` is removed by the Maildir rules, at the start and every hour.
  void run(const std::atomic<bool>& stop) const;

  // Takes the socket's group and mode: where the asking account is another one.
  core::Result<void> open_to_group(gid_t group) const;

 private:
  Service(core::UniqueFd listener, std::string socket_path, std::string maildir_path, uid_t allowed_uid);
  void clean() const;
  void serve_one(int connection) const;

  core::UniqueFd listener_;
  std::string socket_path_;
  std::string maildir_path_;
  uid_t allowed_uid_;
};

}  // namespace maildir
