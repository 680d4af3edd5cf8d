#include "maildir/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <span>

#include "core/fail_point.h"
#include "core/fd.h"

#include "maildir/name.h"

namespace maildir {
namespace {

constexpr std::array<std::string_view, 3> kFolders = {"tmp", "new", "cur"};
constexpr auto kTemporaryLife = std::chrono::hours(36);

// What the administrator can do about it; the reason itself is in the text.
core::Error explained(core::Error error, const std::string& maildir) {
  switch (error.error_number) {
    case ENOENT:
    case ENOTDIR:
    case EEXIST:
      error.code = error.error_number == ENOENT ? core::Code::not_found : core::Code::settings;
      return std::move(error).with_hint("There is no mailbox at " + maildir +
                                        " (a folder with tmp, new and cur in it). Is its disk mounted, is the setting right?");
    case EROFS:
      error.code = core::Code::settings;
      return std::move(error).with_hint("The mailbox " + maildir + " is on a file system that is read-only. Mount it for writing.");
    case EACCES:
    case EPERM:
      error.code = core::Code::settings;
      return std::move(error).with_hint("The mailbox " + maildir + " is closed to user number " + std::to_string(::geteuid()) +
                                        ". Make this user its owner, and let it pass the folders above.");
    case ENOSPC:
    case EDQUOT:
      return std::move(error).with_hint("There is no space left for the mailbox " + maildir + ". Make room; the fax is delivered then.");
    default:
      return error;
  }
}

core::Error invalid(std::string text) { return {.code = core::Code::invalid, .text = std::move(text)}; }

core::Time time_of(const timespec& time) {
  return core::from_ms(static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Calls `visit(file name)` for each name without a dot in front, until it answers false.
template <typename Visit>
core::Result<void> for_each_name(const std::string& path, Visit visit) {
  std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (!folder) return core::errno_error("opendir", path, errno);
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(folder.get());
    if (found == nullptr) break;
    if (found->d_name[0] != '.' && !visit(std::string_view(found->d_name))) return {};
  }
  if (errno != 0) return core::errno_error("readdir", path, errno);
  return {};
}

// Nothing, if it is gone meanwhile or no regular file.
std::optional<Entry> entry_at(const std::string& folder_path, std::string_view file_name, Folder folder) {
  const auto parts = split_name(file_name);
  Entry entry{.name = std::string(parts.name), .flags = {}, .folder = folder, .path = folder_path + "/" + std::string(file_name)};
  struct stat status{};
  if (::lstat(entry.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (folder == Folder::current) entry.flags = parts.flags;
  entry.size_bytes = status.st_size;
  entry.time = time_of(status.st_mtim);
  return entry;
}

core::Result<std::optional<Entry>> look_in(const std::string& path, std::string_view name, Folder folder) {
  if (auto entry = entry_at(path, name, folder)) return entry;
  std::optional<Entry> found;
  CORE_CHECK(for_each_name(path, [&](std::string_view file_name) {
    if (split_name(file_name).name == name) found = entry_at(path, file_name, folder);
    return !found;
  }));
  return found;
}

// Removes the temporary file at the end of a delivery, however that ended.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

core::Result<void> copy_all(int source, std::int64_t size_bytes, int target, const std::string& path) {
  std::array<std::byte, 65536> buffer;
  std::int64_t done = 0;
  for (;;) {
    const ssize_t count = ::pread(source, buffer.data(), buffer.size(), done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::errno_error("read the message for", path, errno);
    if (count == 0) break;
    CORE_CHECK(core::write_all(target, std::span(buffer).first(static_cast<std::size_t>(count)), path));
    done += count;
  }
  if (done != size_bytes)
    return core::Error{.code = core::Code::unavailable,
                       .text = "deliver " + path + ": the message changed from " + std::to_string(size_bytes) + " to " + std::to_string(done) + " bytes"};
  return {};
}

// link(2) never replaces and so proves that the name was free; where the file system
// knows no hard links (FAT, some network ones) a rename that may not replace does.
core::Result<Delivery> publish(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return Delivery::delivered;
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Delivery::delivered;
    if (errno == EINVAL && ::access(to.c_str(), F_OK) != 0 && ::rename(from.c_str(), to.c_str()) == 0) return Delivery::delivered;
  }
  if (errno == EEXIST) return Delivery::already_there;
  return core::errno_error("link", to, errno);
}

core::Result<void> check_folder(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return core::errno_error("stat", path, errno);
  if (!S_ISDIR(status.st_mode)) return core::errno_error("open the folder", path, ENOTDIR);
  if (::geteuid() != 0 && status.st_uid != ::geteuid())
    return core::Error{.code = core::Code::settings,
                       .text = "open " + path + ": owner is uid " + std::to_string(status.st_uid) + ", we are uid " + std::to_string(::geteuid()),
                       .hint = "The mailbox folder " + path + " belongs to user number " + std::to_string(status.st_uid) + ", but mail is delivered by user number " +
                               std::to_string(::geteuid()) + ". Change its owner, or run the delivery as its owner."};
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) return core::errno_error("open the folder", path + "/", errno);
  return {};
}

core::Result<void> make_maildir(const std::string& path) {
  CORE_CHECK(core::make_folders(path, 0700));
  for (const auto name : kFolders) CORE_CHECK(core::make_folders(path + "/" + std::string(name), 0700));
  CORE_CHECK(core::sync_folder(path));
  // The folder above may be one that we may pass but not read; then its owner made ours.
  auto above = core::sync_folder(path + "/..");
  if (!above && above.error().error_number != EACCES) return above;
  return {};
}

}  // namespace

std::string Maildir::folder(std::string_view name) const { return path_ + "/" + std::string(name); }

core::Result<Maildir> Maildir::open(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.find('\0') != std::string::npos)
    return core::Error{.code = core::Code::settings, .text = "maildir: no path", .hint = "No mailbox folder is set."};
  Maildir maildir(std::move(path));
  for (const auto name : kFolders)
    if (auto checked = check_folder(maildir.folder(name)); !checked) return explained(std::move(checked).error(), maildir.path_);
  return maildir;
}

core::Result<Maildir> Maildir::create(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.find('\0') != std::string::npos) return open(std::move(path));
  if (auto made = make_maildir(path); !made) return explained(std::move(made).error(), path);
  return open(std::move(path));
}

core::Result<Delivery> Maildir::deliver(std::string_view name, int source_fd) const {
  CORE_CHECK(check_name(name));
  struct stat source{};
  if (::fstat(source_fd, &source) != 0) return core::errno_error("fstat the message for", name, errno);
  if (!S_ISREG(source.st_mode)) return invalid("deliver " + std::string(name) + ": the message is not a regular file");
  if (source.st_size == 0) return invalid("deliver " + std::string(name) + ": the message is empty");

  const auto steps = [&]() -> core::Result<Delivery> {
    const std::string fresh = folder("new");
    CORE_TRY(found, find(name));
    if (found) {
      // The call that put it there may have died before its own fsync.
      CORE_CHECK(core::sync_folder(folder(found->folder == Folder::fresh ? "new" : "cur")));
      return Delivery::already_there;
    }
    // A name of its own in tmp: what an earlier try left there is not in the way, and two at once do not meet.
    const std::string path = folder("tmp") + "/" + new_name(core::SystemClock().now(), source_fd);
    CORE_TRY(target, core::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    const TemporaryFile temporary(path);
    struct stat owner{};
    if (::geteuid() == 0 && ::stat(fresh.c_str(), &owner) == 0 && owner.st_uid != 0 &&
        ::fchown(target.get(), owner.st_uid, owner.st_gid) != 0)
      return core::errno_error("chown", path, errno);
    CORE_CHECK(copy_all(source_fd, source.st_size, target.get(), path));
    FAIL_POINT("maildir.deliver.written");
    CORE_CHECK(core::sync(target.get(), path));
    FAIL_POINT("maildir.deliver.synced");
    // Network file systems tell of a full disk only here.
    if (::close(target.release()) != 0) return core::errno_error("close", path, errno);
    CORE_TRY(delivery, publish(path, fresh + "/" + std::string(name)));
    FAIL_POINT("maildir.deliver.linked");
    CORE_CHECK(core::sync_folder(fresh));
    FAIL_POINT("maildir.deliver.folder_synced");
    return delivery;
  };
  auto result = steps();
  if (!result) return explained(std::move(result).error(), path_);
  return result;
}

core::Result<void> Maildir::check() const {
  const auto steps = [&]() -> core::Result<void> {
    constexpr std::size_t kBlockBytes = 4096;
    constexpr unsigned long kLeastFree = 1UL << 20;
    const std::string path = folder("tmp") + "/" + new_name(core::SystemClock().now(), -1);
    CORE_TRY(file, core::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    const TemporaryFile temporary(path);
    struct statvfs space{};
    if (::fstatvfs(file.get(), &space) == 0 && space.f_bavail * space.f_frsize < kLeastFree) return core::errno_error("write", path, ENOSPC);
    return core::write_all(file.get(), std::vector<std::byte>(kBlockBytes), path);
  };
  auto result = steps();
  if (!result) return explained(std::move(result).error(), path_);
  return {};
}

core::Result<std::optional<Entry>> Maildir::find(std::string_view name) const {
  CORE_CHECK(check_name(name));
  // `new` before `cur`, the way messages go; and twice, for a reader may rename it under our eyes.
  for (int round = 0; round < 2; ++round) {
    for (const auto place : {Folder::fresh, Folder::current}) {
      auto found = look_in(folder(place == Folder::fresh ? "new" : "cur"), name, place);
      if (!found) return explained(std::move(found).error(), path_);
      if (*found) return found;
    }
  }
  return std::optional<Entry>();
}

core::Result<std::vector<Entry>> Maildir::list() const {
  std::vector<Entry> entries;
  for (const auto place : {Folder::fresh, Folder::current}) {
    const std::string path = folder(place == Folder::fresh ? "new" : "cur");
    auto read = for_each_name(path, [&](std::string_view file_name) {
      if (auto entry = entry_at(path, file_name, place)) entries.push_back(std::move(*entry));
      return true;
    });
    if (!read) return explained(std::move(read).error(), path_);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) { return left.name < right.name; });
  return entries;
}

core::Result<void> Maildir::set_flags(std::string_view name, std::string_view flags) const {
  std::string sorted(flags);
  if (sorted.size() > 52 || !std::all_of(sorted.begin(), sorted.end(), [](char letter) {
        return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
      }))
    return invalid("maildir: flags are letters only");
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());

  CORE_TRY(found, find(name));
  if (!found) return core::errno_error("find", folder("new") + "/" + std::string(name), ENOENT);
  const std::string target = folder("cur") + "/" + found->name + ":2," + sorted;
  if (target == found->path) return {};
  if (std::rename(found->path.c_str(), target.c_str()) != 0) {
    auto error = core::errno_error("rename", found->path, errno);
    return error.code == core::Code::not_found ? error : explained(std::move(error), path_);
  }
  return {};
}

core::Result<std::size_t> Maildir::remove_old_temporary_files(core::Time now) const {
  const std::string path = folder("tmp");
  std::vector<std::string> old;
  auto read = for_each_name(path, [&](std::string_view file_name) {
    const std::string file = path + "/" + std::string(file_name);
    struct stat status{};
    if (::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        std::max(time_of(status.st_atim), time_of(status.st_mtim)) + kTemporaryLife < now)
      old.push_back(file);
    return true;
  });
  if (!read) return explained(std::move(read).error(), path_);
  std::size_t removed = 0;
  for (const auto& file : old) {
    if (::unlink(file.c_str()) == 0) ++removed;
    else if (errno != ENOENT) return explained(core::errno_error("unlink", file, errno), path_);
  }
  return removed;
}

}  // namespace maildir
