// `faxline mailbox add`: the mail user of an installed line.
#include <algorithm>
#include <array>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "core/fd.h"
#include "process/run.h"

namespace command {

namespace {

constexpr const char* kSettings = "/etc/faxline/faxline.conf";
constexpr const char* kPop3 = "/etc/courier/pop3d-ssl";
constexpr std::size_t kFileBytes = 256 * 1024;
// Of courier's own file: whoever reads mail does it over TLS 1.2 or later, with the certificate that nginx serves too.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPop3Values{{
    {"POP3_TLS_REQUIRED", "1"},
    {"TLS_CERTFILE", "/etc/faxline/tls/current/combined.pem"},
    {"TLS_PRIORITY", "\"NORMAL:-VERS-TLS1.0:-VERS-TLS1.1\""},
    {"TLS_PROTOCOL", "\"TLSv1.2+\""},
}};

core::Error refuse(std::string sentence) { return {core::Code::invalid, sentence, sentence}; }

// Runs a program of the system to its end; an Error holds what it said.
core::Result<void> run(std::vector<std::string> arguments, std::string_view input = {}) {
  process::Program program;
  program.arguments = std::move(arguments);
  program.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
  program.limits.wall = std::chrono::minutes(2);
  const core::UniqueFd given(::memfd_create("input", MFD_CLOEXEC));
  if (!given.valid()) return core::errno_error("memfd_create", "input", errno);
  CORE_CHECK(core::write_all(given.get(), input, "input"));
  if (::lseek(given.get(), 0, SEEK_SET) != 0) return core::errno_error("lseek", "input", errno);
  program.input_fd = given.get();
  CORE_TRY(outcome, process::run(program));
  if (outcome.exit_status == 0) return {};
  auto said = outcome.error_output.empty() ? outcome.output : outcome.error_output;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return core::Error{core::Code::internal, program.arguments[0] + " failed: " + said, program.arguments[0] + " failed: " + said};
}

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 31 && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// Nobody but the owner may put anything there, or another folder in its place.
core::Result<void> check_folder(const std::string& path, uid_t owner) {
  struct stat about{};
  if (::lstat(path.c_str(), &about) != 0) return core::errno_error("lstat", path, errno);
  if (S_ISDIR(about.st_mode) && about.st_uid == owner && (about.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return refuse(path + " must be a folder that belongs to the mail user, and that nobody else can write to. Put that right, and run this again.");
}

bool is_there(const std::string& path) {
  struct stat about{};
  return ::lstat(path.c_str(), &about) == 0;
}

bool ends_with(std::string_view text, std::string_view end) { return text.size() >= end.size() && text.substr(text.size() - end.size()) == end; }

// Whether the name is free, or an account such as account() makes: changes nothing. Of anybody else's the password would be lost.
core::Result<void> check_account(const std::string& name) {
  const auto* found = ::getpwnam(name.c_str());
  const std::string home = found == nullptr ? "/home/" + name : found->pw_dir;
  if (name.substr(0, 7) == "faxline" || (found != nullptr && found->pw_uid == 0)) return refuse("The mailbox must be an account of its own, not " + name + ": choose another name.");
  if (found == nullptr) return is_there(home) ? core::Result<void>(refuse(home + " is there already, and there is no account " + name + ": choose another name.")) : core::Result<void>();
  if (!ends_with(found->pw_shell, "/nologin") && !ends_with(found->pw_shell, "/false")) return refuse("The account " + name + " can log in to this machine, and the mailbox must be one of its own: choose another name.");
  if (home.substr(0, 6) != "/home/") return refuse("The account " + name + " is that of a service of this machine: choose another name.");
  CORE_CHECK(check_folder(home, found->pw_uid));
  if (is_there(home + "/Maildir")) return check_folder(home + "/Maildir", found->pw_uid);
  return {};
}

core::Result<passwd> account(const std::string& name) {
  if (const auto* found = ::getpwnam(name.c_str())) return *found;
  CORE_CHECK(run({"/usr/sbin/useradd", "--system", "--user-group", "--create-home", "--shell", "/usr/sbin/nologin", "--", name}));
  const auto* made = ::getpwnam(name.c_str());
  if (made == nullptr) return core::Error{core::Code::internal, "useradd made no account " + name};
  say("The account " + name + " was made; it cannot log in to this machine.");
  return *made;
}

core::Result<std::string> mail_folder(const std::string& name, const std::string& home, uid_t owner) {
  const auto path = home + "/Maildir";
  CORE_CHECK(check_folder(home, owner));
  if (::access(path.c_str(), F_OK) != 0) CORE_CHECK(run({"/usr/sbin/runuser", "-u", name, "--", "/usr/bin/maildirmake.courier", path}));
  CORE_CHECK(check_folder(path, owner));
  return path;
}

// The text with NAME=value in place of the first line that sets it, or at the end.
std::string with_line(const std::string& text, std::string_view name, std::string_view value) {
  const auto line = std::string(name) + "=" + std::string(value) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text.compare(at, name.size() + 1, std::string(name) + "=") == 0) return text.substr(0, at) + line + text.substr(end);
    at = end;
  }
  return text + (text.empty() || text.back() == '\n' ? "" : "\n") + line;
}

template <typename Values>
core::Result<void> set_lines(const std::string& path, const Values& values) {
  CORE_TRY(text, core::read_file(path, kFileBytes));
  auto changed = text;
  for (const auto& [name, value] : values) changed = with_line(changed, name, value);
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return core::errno_error("stat", path, errno);
  if (changed != text) CORE_CHECK(core::replace_file(path, changed, about.st_mode & 07777));
  return {};
}

}  // namespace

core::Result<int> mailbox_add(const Words& words) {
  const auto& name = words.words[0];
  if (::geteuid() != 0) return core::Error{core::Code::forbidden, "not root", "This makes an account: put sudo in front of the command."};
  if (!is_name(name)) return refuse("A mail user's name is small letters, digits, hyphens and underscores, 31 at most.");
  for (const auto* path : {kSettings, kPop3})
    if (::access(path, F_OK) != 0) return core::Error{core::Code::settings, std::string(path) + " is not there", std::string(path) + " is not there: `sudo make install` sets up a line, and installs courier-pop."};
  CORE_CHECK(check_account(name));
  CORE_TRY(password, read_password());
  if (password.empty()) return refuse("The password is empty.");
  ::umask(0022);
  CORE_TRY(user, account(name));
  const std::string home = user.pw_dir;
  CORE_TRY(path, mail_folder(name, home, user.pw_uid));
  CORE_CHECK(run({"/usr/sbin/chpasswd"}, name + ":" + password + "\n"));
  CORE_CHECK(set_lines(kSettings, std::array{std::pair{"MAILDIR_ROOT_DIR", path}}));
  CORE_CHECK(set_lines(kPop3, kPop3Values));
  print(path);
  if (::access("/run/systemd/system", F_OK) != 0) return say("No systemd runs here: start courier-authdaemon, courier-pop, courier-pop-ssl and the line yourself."), 0;
  CORE_CHECK(run({"/usr/bin/systemctl", "enable", "--quiet", "courier-authdaemon", "courier-pop", "courier-pop-ssl"}));
  CORE_CHECK(run({"/usr/bin/systemctl", "restart", "courier-authdaemon", "courier-pop", "courier-pop-ssl"}));
  if (const auto settings = config::examine(); !settings.problems.empty()) return say("The mailbox is there. Next: " + settings.problems[0].hint), 0;
  CORE_CHECK(run({"/usr/bin/systemctl", "restart", "faxline.target"}));
  return 0;
}

}  // namespace command
