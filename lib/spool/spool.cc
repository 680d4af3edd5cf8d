#include "spool/spool.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <cstdio>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"
#include "crypto/encoding.h"

namespace spool {

namespace {

constexpr std::size_t kBlockBytes = 128 * 1024;
constexpr std::int64_t kLookBytes = 1024 * 1024;  // between two looks at the free space

core::Result<void> check_id(const std::string& id) {
  if (core::is_id(id)) return {};
  return core::Error{core::Code::invalid, "spool: not an id"};
}

core::Result<void> check_folder(const std::string& path) {
  struct stat about{};
  const std::string cure = "The folder " + path + " must exist, and this program must be able to write there.";
  if (::stat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) return core::Error{core::Code::settings, "folder " + path + " is not there", cure, "STATE_DIR"};
  if (::access(path.c_str(), X_OK) != 0) return core::Error{core::Code::settings, "folder " + path + " is closed to this program", cure, "STATE_DIR"};
  return {};
}

core::Result<void> unlink(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return core::errno_error("unlink", path, errno);
}

core::Time changed(const struct stat& about) { return core::from_ms(std::int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000); }

// Regular files of a folder whose names pass `wanted`.
template <typename Wanted>
core::Result<void> visit_files(const std::string& folder, Wanted wanted, const std::function<core::Result<void>(const Found&)>& visitor) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return core::errno_error("opendir", folder, errno);
  while (const dirent* entry = ::readdir(open.get())) {
    struct stat about{};
    if (!wanted(entry->d_name) || ::fstatat(::dirfd(open.get()), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode)) continue;
    CORE_CHECK(visitor({entry->d_name, changed(about)}));
  }
  return {};
}

template <typename Wanted>
core::Result<std::vector<Found>> files_in(const std::string& folder, Wanted wanted) {
  std::vector<Found> found;
  CORE_CHECK(visit_files(folder, wanted, [&](const Found& file) -> core::Result<void> {
    found.push_back(file);
    return {};
  }));
  return found;
}

bool is_unfinished_copy(const char* name) { return name[0] == '.' && core::is_id(name + 1); }

core::Result<void> copy_all(int from, int to, std::string_view path) {
  std::vector<std::byte> block(kBlockBytes);
  for (;;) {
    CORE_TRY(count, core::read_some(from, block, path));
    if (count == 0) return {};
    CORE_CHECK(core::write_all(to, std::span<const std::byte>(block).first(count), path));
  }
}

core::Result<core::UniqueFd> new_file(const std::string& path, mode_t mode) {
  return core::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

}  // namespace

// --- a file that is coming in ---

Incoming::Incoming(core::UniqueFd fd, std::string path, std::string folder, Reserve reserve, Use use)
    : fd_(std::move(fd)), path_(std::move(path)), folder_(std::move(folder)), reserve_(reserve), use_(use) {}

Incoming::Incoming(Incoming&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), folder_(std::move(other.folder_)), reserve_(other.reserve_), use_(other.use_), since_look_bytes_(other.since_look_bytes_) {}

Incoming& Incoming::operator=(Incoming&& other) noexcept {
  discard();
  fd_ = std::move(other.fd_);
  path_ = std::exchange(other.path_, {});
  folder_ = std::move(other.folder_);
  reserve_ = other.reserve_;
  use_ = other.use_;
  since_look_bytes_ = other.since_look_bytes_;
  return *this;
}

Incoming::~Incoming() { discard(); }

void Incoming::discard() {
  if (!fd_.valid() || path_.empty()) return;
  ::unlink(path_.c_str());
  path_.clear();
}

core::Result<void> Incoming::write(std::span<const std::byte> bytes) {
  if (since_look_bytes_ >= kLookBytes) {
    CORE_CHECK(check_space(folder_, reserve_, use_));
    since_look_bytes_ = 0;
  }
  since_look_bytes_ += static_cast<std::int64_t>(bytes.size());
  CORE_CHECK(core::write_all(fd_.get(), bytes, path_));
  FAIL_POINT("spool.write.written");
  return {};
}

core::Result<Committed> Incoming::commit(const std::string& id) {
  CORE_CHECK(check_id(id));
  CORE_CHECK(core::sync(fd_.get(), path_));
  FAIL_POINT("spool.commit.synced");
  struct stat about{};
  if (::fstat(fd_.get(), &about) != 0) return core::errno_error("fstat", path_, errno);
  CORE_TRY(digest, crypto::sha256_of_fd(fd_.get(), path_));
  const std::string final_path = folder_ + "/" + id;
  if (::link(path_.c_str(), final_path.c_str()) != 0) {
    if (errno == EEXIST) return core::Error{core::Code::conflict, "spool: " + id + " is there already"};
    return core::errno_error("link", final_path, errno);
  }
  FAIL_POINT("spool.commit.linked");
  if (const auto synced = core::sync_folder(folder_); !synced) {
    ::unlink(final_path.c_str());
    return synced.error();
  }
  FAIL_POINT("spool.commit.folder_synced");
  discard();
  return Committed{about.st_size, crypto::hex(digest)};
}

// --- the spool ---

core::Result<void> check_no_restore(const std::string& state_folder) {
  struct stat about{};
  if (::lstat((state_folder + "/restore.new").c_str(), &about) != 0) return {};
  return core::Error{core::Code::settings, "a restore was cut off", "A restore of this line was cut off: repeat `faxline restore` with the same backup before the line is started.", "STATE_DIR"};
}

core::Result<Spool> Spool::existing(const std::string& state_folder, const Reserve& reserve) {
  CORE_CHECK(check_no_restore(state_folder));
  // handout/ is the queue's and nginx's: most programs may not even see it.
  CORE_CHECK(check_folder(state_folder + "/spool"));
  const std::string temporary = state_folder + "/spool/tmp";
  // Below a set-group-id folder it becomes one by itself; asking for the bit is forbidden to an installed line's programs.
  (void)::mkdir(temporary.c_str(), 0770);
  CORE_CHECK(check_folder(temporary));
  return Spool(state_folder, reserve);
}

core::Result<Spool> Spool::create(const std::string& state_folder, const Reserve& reserve) {
  CORE_CHECK(core::make_folders(state_folder, 0755));
  for (const auto& [name, mode] : {std::pair{"/spool", 02770U}, {"/spool/tmp", 02770U}, {"/handout", 02710U}}) {
    const std::string path = state_folder + name;
    if (::mkdir(path.c_str(), mode) == 0) {
      // mkdir(2) takes the umask off, and drops the set-group-id bit.
      if (::chmod(path.c_str(), mode) != 0) return core::errno_error("chmod", path, errno);
    } else if (errno != EEXIST) {
      return core::errno_error("mkdir", path, errno);
    }
  }
  CORE_CHECK(core::sync_folder(state_folder));
  return existing(state_folder, reserve);
}

core::Result<Incoming> Spool::begin(Use use, std::int64_t expected_bytes) const {
  CORE_CHECK(check_room(use, expected_bytes));
  const std::string path = folder_ + "/spool/tmp/" + core::new_id(core::SystemClock().now());
  CORE_TRY(file, new_file(path, 0660));
  return Incoming(std::move(file), path, folder_ + "/spool", reserve_, use);
}

core::Result<core::UniqueFd> Spool::open(const std::string& id) const {
  CORE_CHECK(check_id(id));
  CORE_TRY(file, core::open_file(path_of(id), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return core::errno_error("fstat", path_of(id), errno);
  if (!S_ISREG(about.st_mode)) return core::Error{core::Code::internal, "spool: " + id + " is no regular file"};
  return file;
}

core::Result<void> Spool::remove(const std::string& id) const {
  CORE_CHECK(check_id(id));
  return unlink(path_of(id));
}

core::Result<std::vector<Found>> Spool::list() const {
  return files_in(folder_ + "/spool", [](const char* name) { return core::is_id(name); });
}

core::Result<void> Spool::visit(const std::function<core::Result<void>(const Found&)>& visitor) const {
  return visit_files(folder_ + "/spool", [](const char* name) { return core::is_id(name); }, visitor);
}

core::Result<void> Spool::hand_out(const std::string& id, const std::string& name) const {
  CORE_CHECK(check_id(name));
  CORE_TRY(from, open(id));
  struct stat about{};
  if (::fstat(from.get(), &about) != 0) return core::errno_error("fstat", path_of(id), errno);
  CORE_CHECK(check_space(folder_ + "/handout", reserve_, Use::send, about.st_size));
  // Under a name that no attempt has, until it is whole.
  const std::string path = folder_ + "/handout/." + name;
  CORE_CHECK(unlink(path));
  const auto made = [&]() -> core::Result<void> {
    CORE_TRY(to, new_file(path, 0640));
    // Whatever the umask is: nginx's group reads it.
    if (::fchmod(to.get(), 0640) != 0) return core::errno_error("fchmod", path, errno);
    CORE_CHECK(copy_all(from.get(), to.get(), path));
    FAIL_POINT("spool.hand_out.copied");
    CORE_CHECK(core::sync(to.get(), path));
    FAIL_POINT("spool.hand_out.synced");
    if (::rename(path.c_str(), handout_path(name).c_str()) != 0) return core::errno_error("rename", path, errno);
    FAIL_POINT("spool.hand_out.renamed");
    return core::sync_folder(folder_ + "/handout");
  }();
  if (!made) (void)unlink(path);
  return made;
}

core::Result<void> Spool::take_back(const std::string& name) const {
  CORE_CHECK(check_id(name));
  return unlink(handout_path(name));
}

core::Result<std::vector<Found>> Spool::handed_out() const {
  return files_in(folder_ + "/handout", [](const char* name) { return core::is_id(name); });
}

core::Result<std::size_t> Spool::remove_old_temporary_files(core::Time now, core::Milliseconds age) const {
  std::size_t removed = 0;
  const auto remove_in = [&](const std::string& folder, auto wanted) {
    return visit_files(folder, wanted, [&](const Found& file) -> core::Result<void> {
      if (now - file.changed < age) return {};
      CORE_CHECK(unlink(folder + "/" + file.id));
      ++removed;
      return {};
    });
  };
  CORE_CHECK(remove_in(folder_ + "/spool/tmp", [](const char* name) { return core::is_id(name); }));
  CORE_CHECK(remove_in(folder_ + "/handout", is_unfinished_copy));
  return removed;
}

}  // namespace spool
