#include "spool/spool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/id.h"

#include "spool/space.h"

namespace spool {

namespace {

core::Error with_space_hint(core::Error error) {
  return error.code == core::Code::no_space && error.hint.empty() ? std::move(error).with_hint(kNoSpaceHint) : error;
}

core::Result<void> check_id(std::string_view id) {
  if (!core::is_id(id)) return core::Error{.code = core::Code::bad_request, .text = "spool: not an id"};
  return {};
}

core::Result<void> check_name(std::string_view name) {
  if (!is_handout_name(name)) return core::Error{.code = core::Code::bad_request, .text = "spool: not a name for a handout"};
  return {};
}

// Unique among all programs and machines that write here.
std::string unique() { return core::new_id(core::SystemClock().now()); }

core::Result<void> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    // Whatever the umask: the group has to get in, and what is made in there has to get the folder's group.
    if (::chmod(path.c_str(), mode) != 0) return core::errno_error("chmod", path, errno);
    return {};
  }
  if (errno != EEXIST) return core::errno_error("mkdir", path, errno);
  return {};
}

core::Result<void> check_folder(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && ::access(path.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  const int reason = errno == 0 ? ENOTDIR : errno;
  core::Error error = core::errno_error("use folder", path, reason);
  error.code = core::Code::settings;
  return std::move(error).with_hint("The folder " + path + " must exist, and this program must be able to write in it. Check STATE_DIR, and owner and mode of the folder.")
      .with_field("STATE_DIR");
}

core::Result<struct stat> stat_of(int fd, const std::string& path) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return core::errno_error("fstat", path, errno);
  if (!S_ISREG(found.st_mode)) return core::Error{.code = core::Code::internal, .text = "open " + path + ": no regular file"};
  return found;
}

core::Time modified(const struct stat& found) {
  return core::from_ms(std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Calls `take(name, stat)` for each regular file.
template <typename Take>
core::Result<void> each_file(const std::string& path, Take take) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (folder == nullptr) return core::errno_error("list", path, errno);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    struct stat found{};
    // Another program may remove it in this instant.
    if (::fstatat(::dirfd(folder.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(found.st_mode)) take(std::string_view(entry->d_name), found);
  }
  if (errno != 0) return core::errno_error("list", path, errno);
  return {};
}

core::Result<std::vector<Entry>> list(const std::string& path, bool (*wanted)(std::string_view)) {
  std::vector<Entry> entries;
  CORE_CHECK(each_file(path, [&](std::string_view name, const struct stat& found) {
    if (wanted(name)) entries.push_back({.name = std::string(name), .bytes = found.st_size, .modified = modified(found)});
  }));
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

core::Result<void> copy(int from, const std::string& from_path, int to, const std::string& to_path) {
  std::array<std::byte, 65536> buffer{};
  for (;;) {
    CORE_TRY(count, core::read_some(from, buffer, from_path));
    if (count == 0) return {};
    CORE_CHECK(core::write_all(to, std::span(buffer).first(count), to_path));
  }
}

core::Result<void> write_copy(int from, const std::string& from_path, const std::string& to_path) {
  CORE_TRY(to, core::open_file(to_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0640));
  if (::fchmod(to.get(), 0640) != 0) return core::errno_error("chmod", to_path, errno);
  CORE_CHECK(copy(from, from_path, to.get(), to_path));
  return core::sync(to.get(), to_path);
}

core::Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return core::errno_error("unlink", path, errno);
  return {};
}

}  // namespace

core::Result<void> check_space(const std::string& folder, std::int64_t bytes, std::int64_t reserve_bytes) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) return core::errno_error("statvfs", folder, errno);
  // As a floating number, for the product may not fit into 64 bits on a made-up file system.
  const double free_bytes = std::min(static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize), 9.0e18);
  if (free_bytes - static_cast<double>(bytes) >= static_cast<double>(reserve_bytes)) return {};
  return core::Error{.code = core::Code::no_space,
                     .text = "space in " + folder + ": " + std::to_string(static_cast<std::int64_t>(free_bytes)) + " bytes free, " +
                             std::to_string(bytes) + " wanted, " + std::to_string(reserve_bytes) + " reserved",
                     .hint = std::string(kNoSpaceHint)};
}

bool is_handout_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 128 && name.front() != '.' && std::ranges::all_of(name, allowed);
}

Spool::Spool(std::string state_dir, Limits limits)
    : spool_(state_dir + "/spool"), temporary_(state_dir + "/spool/tmp"), handout_(state_dir + "/handout"), limits_(limits) {}

core::Result<Spool> Spool::open(const std::string& state_dir, Limits limits) {
  Spool spool(state_dir, limits);
  CORE_CHECK(check_folder(spool.spool_));
  CORE_CHECK(check_folder(spool.temporary_));
  return spool;
}

core::Result<Spool> Spool::create(const std::string& state_dir, Limits limits) {
  const Spool spool(state_dir, limits);
  CORE_CHECK(core::make_folders(state_dir, 0711));
  CORE_CHECK(make_folder(spool.spool_, 02770));
  CORE_CHECK(make_folder(spool.temporary_, 02770));
  CORE_CHECK(make_folder(spool.handout_, 02710));
  return open(state_dir, limits);
}

std::string Spool::path_of(std::string_view id) const { return spool_ + "/" + std::string(id); }

core::Result<void> Spool::check_space(std::int64_t bytes) const { return spool::check_space(spool_, bytes, limits_.reserve_bytes); }

core::Result<Incoming> Spool::begin(std::int64_t maximum_bytes) const {
  CORE_CHECK(check_space(0));
  std::string path = temporary_ + "/" + unique();
  auto fd = core::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0660);
  if (!fd) return with_space_hint(std::move(fd).error());
  return Incoming(std::move(*fd), std::move(path), spool_, maximum_bytes, limits_.reserve_bytes);
}

core::Result<core::UniqueFd> Spool::open(std::string_view id) const {
  CORE_CHECK(check_id(id));
  // Not blocking: a FIFO in its place must not stop the caller for ever.
  CORE_TRY(fd, core::open_file(path_of(id), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  CORE_CHECK(stat_of(fd.get(), path_of(id)));
  return core::UniqueFd(fd.release());
}

core::Result<std::int64_t> Spool::size(std::string_view id) const {
  CORE_TRY(fd, open(id));
  CORE_TRY(found, stat_of(fd.get(), path_of(id)));
  return std::int64_t{found.st_size};
}

bool Spool::exists(std::string_view id) const { return open(id).has_value(); }

core::Result<void> Spool::remove(std::string_view id) const {
  CORE_CHECK(check_id(id));
  return remove_file(path_of(id));
}

core::Result<std::string> Spool::hand_out(std::string_view id, std::string_view name) const {
  CORE_CHECK(check_name(name));
  CORE_TRY(from, open(id));
  CORE_TRY(found, stat_of(from.get(), path_of(id)));
  CORE_CHECK(spool::check_space(handout_, found.st_size, limits_.reserve_bytes));
  std::string path = handout_ + "/" + std::string(name);
  // Made in that folder, not in spool/tmp: from the folder it gets its group.
  const std::string temporary = handout_ + "/." + std::string(name) + "." + unique();
  auto written = write_copy(from.get(), path_of(id), temporary);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0) written = core::errno_error("rename", path, errno);
  if (!written) {
    ::unlink(temporary.c_str());
    return with_space_hint(std::move(written).error());
  }
  CORE_CHECK(core::sync_folder(handout_));
  return path;
}

core::Result<void> Spool::take_back(std::string_view name) const {
  CORE_CHECK(check_name(name));
  CORE_CHECK(remove_file(handout_ + "/" + std::string(name)));
  return core::sync_folder(handout_);
}

core::Result<int> Spool::remove_old_temporary_files(core::Time now, core::Milliseconds age) const {
  int removed = 0;
  const auto clean = [&](const std::string& folder, bool (*temporary)(std::string_view)) {
    return each_file(folder, [&](std::string_view name, const struct stat& found) {
      if (!temporary(name) || modified(found) + age > now) return;
      if (::unlink((folder + "/" + std::string(name)).c_str()) == 0) ++removed;
    });
  };
  CORE_CHECK(clean(temporary_, core::is_id));
  const auto handed_out = clean(handout_, [](std::string_view name) { return name.front() == '.'; });
  if (!handed_out && handed_out.error().error_number != ENOENT && handed_out.error().error_number != EACCES) return handed_out.error();
  return removed;
}

core::Result<std::vector<Entry>> Spool::list_ids() const { return list(spool_, core::is_id); }

core::Result<std::vector<Entry>> Spool::list_handouts() const { return list(handout_, is_handout_name); }

}  // namespace spool
