#include "maildir/remote.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fail_point.h"
#include "core/inherited.h"
#include "core/log.h"
#include "maildir/name.h"

namespace maildir {

namespace {

constexpr std::size_t kPacketBytes = 2048;
constexpr int kAnswerSeconds = 120;
constexpr int kAskSeconds = 10;
constexpr std::chrono::hours kBetweenCleanings{1};
constexpr std::string_view kCheck = "check";  // no message's name is that short
constexpr std::string_view kWorks = "works";
constexpr std::string_view kNobodyServes = "The program that writes into the mailbox, faxline-deliver, does not answer. Start it again; the log says why it ended.";

// The codes that Maildir::deliver() answers with; another becomes internal.
constexpr std::array kCodes{core::Code::invalid, core::Code::no_space, core::Code::not_found, core::Code::settings, core::Code::unavailable,
                            core::Code::internal};

core::Error failure(std::string_view operation, std::string_view path) {
  auto error = core::errno_error(operation, path, errno);
  // Whatever the reason, the message can be delivered later.
  error.code = core::Code::unavailable;
  return std::move(error).with_hint(kNobodyServes);
}

core::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return core::Error{core::Code::settings, "socket " + path + ": the path is too long", "The path of the socket " + path + " is too long: set SOCKET_DIR to a shorter folder."};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return static_cast<const sockaddr*>(static_cast<const void*>(&address)); }

void limit_waiting(int fd, int seconds) {
  const timeval time{seconds, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

core::Result<core::UniqueFd> new_socket() {
  core::UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failure("socket", "AF_UNIX");
  return fd;
}

// Sends the name with the descriptor beside it.
bool send_with_fd(int connection, std::string_view name, int fd) {
  if (fd < 0) return ::send(connection, name.data(), name.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(name.size());
  std::string text(name);
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(connection, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

struct Asked {
  std::string name;
  core::UniqueFd fd;
};

core::Result<Asked> receive_with_fd(int connection) {
  std::array<char, kPacketBytes> text{};
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 4)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return failure("recvmsg", "delivery socket");
  Asked asked;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      asked.fd.reset(fd);  // all but the last are closed again
    }
  }
  const bool is_check = std::string_view(text.data(), static_cast<std::size_t>(size)) == kCheck;
  if (size == 0 || asked.fd.valid() == is_check || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
    return core::Error{core::Code::bad_request, "delivery socket: not a name with one descriptor"};
  asked.name.assign(text.data(), static_cast<std::size_t>(size));
  return asked;
}

std::string without_tabs(std::string text) {
  for (char& c : text)
    if (c == '\t' || c == '\n') c = ' ';
  return text.substr(0, kPacketBytes / 3);
}

std::string answer_of(const core::Error& error) {
  return "error " + std::string(core::name(error.code)) + "\t" + without_tabs(error.text) + "\t" + without_tabs(error.hint);
}

std::string answer_of(const core::Result<Delivery>& done) {
  if (done) return *done == Delivery::delivered ? "delivered" : "already there";
  return answer_of(done.error());
}

core::Error error_of(std::string_view answer) {
  const auto first = answer.find('\t');
  const auto second = answer.find('\t', first + 1);
  if (answer.substr(0, 6) != "error " || first == std::string_view::npos || second == std::string_view::npos)
    return core::Error{core::Code::unavailable, "delivery socket: an answer that is none"};
  core::Error error{core::Code::internal, std::string(answer.substr(first + 1, second - first - 1)), std::string(answer.substr(second + 1))};
  for (const auto code : kCodes)
    if (answer.substr(6, first - 6) == core::name(code)) error.code = code;
  return error;
}

}  // namespace

core::Result<Delivery> Remote::deliver(std::string_view name, int source_fd) const {
  CORE_CHECK(check_name(name));
  CORE_TRY(answer, ask(name, source_fd));
  if (answer == "delivered") return Delivery::delivered;
  if (answer == "already there") return Delivery::already_there;
  return error_of(answer);
}

core::Result<void> Remote::check() const {
  CORE_TRY(answer, ask(kCheck, -1));
  if (answer == kWorks) return {};
  return error_of(answer);
}

core::Result<std::string> Remote::ask(std::string_view text, int fd) const {
  CORE_TRY(address, address_of(socket_path_));
  CORE_TRY(connection, new_socket());
  limit_waiting(connection.get(), kAnswerSeconds);
  if (::connect(connection.get(), generic(address), sizeof address) != 0) return failure("connect", socket_path_);
  if (!send_with_fd(connection.get(), text, fd)) return failure("sendmsg", socket_path_);
  std::array<char, kPacketBytes> answer{};
  const ssize_t size = ::recv(connection.get(), answer.data(), answer.size(), 0);
  if (size < 0) return failure("recv", socket_path_);
  if (size == 0) return core::Error{core::Code::unavailable, "recv " + socket_path_ + ": closed without an answer", std::string(kNobodyServes)};
  return std::string(answer.data(), static_cast<std::size_t>(size));
}

Service::Service(core::UniqueFd listener, std::string socket_path, std::string maildir_path, uid_t allowed_uid)
    : listener_(std::move(listener)), socket_path_(std::move(socket_path)), maildir_path_(std::move(maildir_path)), allowed_uid_(allowed_uid) {}

core::Result<Service> Service::bind(const std::string& socket_path, std::string maildir_path, uid_t allowed_uid) {
  if (auto passed = core::inherited_socket(SOCK_SEQPACKET); passed.valid()) {
    struct stat about{};
    if (::stat(socket_path.c_str(), &about) != 0) return core::errno_error("stat", socket_path, errno);
    return Service(std::move(passed), socket_path, std::move(maildir_path), about.st_uid);
  }
  CORE_TRY(address, address_of(socket_path));
  CORE_TRY(probe, new_socket());
  if (::connect(probe.get(), generic(address), sizeof address) == 0)
    return core::Error{core::Code::conflict, "bind " + socket_path + ": another program serves there", "Another faxline-deliver is running at " + socket_path + ": stop it first."};
  ::unlink(socket_path.c_str());
  CORE_TRY(listener, new_socket());
  const mode_t before = ::umask(0177);
  const int bound = ::bind(listener.get(), generic(address), sizeof address);
  const int reason = errno;
  ::umask(before);
  if (bound != 0) return core::errno_error("bind", socket_path, reason);
  if (::listen(listener.get(), 64) != 0) return core::errno_error("listen", socket_path, errno);
  return Service(std::move(listener), socket_path, std::move(maildir_path), allowed_uid);
}

core::Result<void> Service::open_to_group(gid_t group) const {
  if (::chown(socket_path_.c_str(), static_cast<uid_t>(-1), group) != 0) return core::errno_error("chown", socket_path_, errno);
  if (::chmod(socket_path_.c_str(), 0660) != 0) return core::errno_error("chmod", socket_path_, errno);
  return {};
}

// What a crash left in tmp, and no mail program saw to.
void Service::clean() const {
  const auto folder = Maildir::open(maildir_path_);
  if (!folder) return;  // the next delivery says why
  const auto removed = folder->remove_old_temporary_files(core::SystemClock().now());
  if (!removed) core::log(core::Level::warning, "old temporary files of the mailbox not removed", removed.error());
  else if (*removed > 0) core::log(core::Level::info, "old temporary files of the mailbox removed", {{"count", std::to_string(*removed)}});
}

void Service::run(const std::atomic<bool>& stop) const {
  std::optional<std::chrono::steady_clock::time_point> cleaned;
  while (!stop) {
    if (const auto now = std::chrono::steady_clock::now(); !cleaned || now - *cleaned >= kBetweenCleanings) {
      clean();
      cleaned = now;
    }
    pollfd ready{listener_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 200) <= 0) continue;
    const core::UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) serve_one(connection.get());
  }
}

void Service::serve_one(int connection) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != allowed_uid_ && peer.uid != ::geteuid() && peer.uid != 0)) {
    core::log(core::Level::warning, "delivery refused: another account asked", {{"uid", std::to_string(peer.uid)}});
    return;
  }
  limit_waiting(connection, kAskSeconds);
  const auto asked = receive_with_fd(connection);
  if (!asked) return core::log(core::Level::warning, "delivery not understood", asked.error());
  if (asked->name == kCheck) {
    const auto check = [&]() -> core::Result<void> {
      CORE_TRY(folder, Maildir::open(maildir_path_));
      return folder.check();
    };
    const auto checked = check();
    const std::string word = checked ? std::string(kWorks) : answer_of(checked.error());
    if (::send(connection, word.data(), word.size(), MSG_NOSIGNAL) < 0) core::log(core::Level::debug, "delivery: the caller left");
    return;
  }
  const auto deliver = [&]() -> core::Result<Delivery> {
    CORE_TRY(folder, Maildir::open(maildir_path_));
    return folder.deliver(asked->name, asked->fd.get());
  };
  FAIL_POINT("maildir.serve.asked");
  const auto done = deliver();
  FAIL_POINT("maildir.serve.delivered");
  if (done) core::log(core::Level::info, "message delivered", {{"name", asked->name}, {"how", *done == Delivery::delivered ? "delivered" : "already there"}});
  else core::log(core::Level::error, "message not delivered", done.error(), {{"name", asked->name}, {"maildir", maildir_path_}});
  const std::string answer = answer_of(done);
  // A caller that left before the answer asks again, and hears "already there".
  if (::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) core::log(core::Level::debug, "delivery: the caller left", {{"name", asked->name}});
}

}  // namespace maildir
