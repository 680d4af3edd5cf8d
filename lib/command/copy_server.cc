// Databases on a server, and who is at work there: the parts of command/copy.h that ask other programs and the kernel.
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command/copy.h"
#include "process/run.h"
#include "text/percent.h"

namespace command {

namespace {

// The byte of the shared memory file that every connection in WAL mode holds a lock on for as long as it lives
// (https://www.sqlite.org/walformat.html, 2.3.1: the locks begin at 120; 128 is the last, of the file itself).
constexpr off_t kAliveByte = 128;

struct Server {
  std::string url;       // without the password
  std::string password;  // may be empty
};

core::Result<Server> take_apart(const std::string& url) {
  const auto begin = url.find("://") + 3;
  const auto end = std::min(url.find_first_of("/?", begin), url.size());
  const auto at = url.rfind('@', end);
  const auto colon = url.find(':', begin);
  if (at == std::string::npos || at < begin || colon == std::string::npos || colon > at) return Server{url, ""};
  CORE_TRY(password, text::percent_decode(url.substr(colon + 1, at - colon - 1), text::PlusMeans::plus));
  return Server{url.substr(0, colon) + url.substr(at), password};
}

core::Result<void> run_tool(const std::string& name, const std::string& url, const std::vector<std::string>& arguments) {
  CORE_TRY(server, take_apart(url));
  process::Program program;
  program.arguments = {"/usr/bin/" + name, "--dbname=" + server.url};
  program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
  program.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  if (!server.password.empty()) program.environment.push_back("PGPASSWORD=" + server.password);
  program.limits = {std::chrono::hours(6), 6 * 3600, std::int64_t{8} << 30, std::int64_t{1} << 50};
  const auto done = process::run(program);
  if (!done) return core::Error{core::Code::unavailable, done.error().text, "The program " + name + " is needed for a database on a server: install postgresql-client."};
  if (done->exit_status == 0) return {};
  return core::Error{core::Code::unavailable, name + " failed", name + " did not succeed: " + done->error_output.substr(0, 500)};
}

bool answers(const sockaddr_un& address, int type) {
  const core::UniqueFd one(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

}  // namespace

core::Result<void> dump_server(const std::string& url, const std::string& path) { return run_tool("pg_dump", url, {"--format=custom", "--no-owner", "--no-privileges", "--file=" + path}); }

core::Result<void> load_server(const std::string& url, const std::string& path) {
  return run_tool("pg_restore", url, {"--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", path});
}

bool is_open_elsewhere(const std::string& path) {
  const core::UniqueFd file(::open((path + "-shm").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kAliveByte;
  lock.l_len = 1;
  return ::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_line_running(const std::string& socket_folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(socket_folder.c_str()), &::closedir);
  if (!folder) return false;
  while (const dirent* entry = ::readdir(folder.get())) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket_folder + "/" + entry->d_name;
    if (!path.ends_with(".sock") || path.size() >= sizeof address.sun_path) continue;
    path.copy(address.sun_path, path.size());
    for (const int type : {SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET})
      if (answers(address, type)) return true;
  }
  return false;
}

}  // namespace command
