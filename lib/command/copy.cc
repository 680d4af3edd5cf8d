#include "command/copy.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/id.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace command {

namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::int64_t kMarginBytes = std::int64_t{16} * 1024 * 1024;
constexpr std::string_view kTitle = "# Faxline backup, version 1, made ";
constexpr std::string_view kEnd = "# end, files: ";
constexpr std::string_view kDocuments = "documents/";

core::Result<void> copy_bytes(int from, int to, const std::string& path) {
  std::vector<std::byte> block(kBlockBytes);
  for (;;) {
    CORE_TRY(count, core::read_some(from, block, path));
    if (count == 0) return core::sync(to, path);
    CORE_CHECK(core::write_all(to, std::span<const std::byte>(block).first(count), path));
  }
}

core::Error broken(const std::string& folder, std::string_view why) {
  return {core::Code::invalid, "backup " + folder + ": " + std::string(why), folder + " cannot be restored: " + std::string(why) + "."};
}

bool is_file_of_backup(std::string_view name) {
  if (name.starts_with(kDocuments)) return core::is_id(name.substr(kDocuments.size()));
  return name == "faxes.db" || name == "faxes.dump" || name == "people.db" || name == "people.dump" || name == "faxline.conf";
}

struct Line {
  std::string sha256;
  std::string name;
};

// Each line of the manifest that names a file. `made`: of the first line.
core::Result<void> read_manifest(const std::string& folder, core::Time& made, const std::function<core::Result<void>(const Line&)>& visitor) {
  std::ifstream file(folder + "/manifest");
  std::string text;
  if (!file || !std::getline(file, text) || !text.starts_with(kTitle)) return broken(folder, "it has no manifest of this version, and so is no whole backup");
  const auto time = core::parse_rfc3339(text.substr(kTitle.size()));
  if (!time) return broken(folder, "its manifest has no time");
  made = *time;
  std::int64_t count = 0;
  while (std::getline(file, text)) {
    if (text.starts_with(kEnd)) return text.substr(kEnd.size()) == std::to_string(count) ? core::Result<void>() : broken(folder, "its manifest lacks lines");
    if (text.size() < 67 || text.substr(64, 2) != "  " || !is_file_of_backup(text.substr(66))) return broken(folder, "its manifest has a line that is none");
    CORE_CHECK(visitor({text.substr(0, 64), text.substr(66)}));
    ++count;
  }
  return broken(folder, "its manifest does not end");
}

}  // namespace

core::Result<Copied> copy_file(const std::string& from, const std::string& to, mode_t mode, bool may_link) {
  Copied copied;
  CORE_TRY(source, core::open_file(from, O_RDONLY | O_NOFOLLOW));
  copied.linked = may_link && ::link(from.c_str(), to.c_str()) == 0;
  if (!copied.linked) {
    auto target = core::open_file(to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (!target && target.error().error_number == EEXIST) return core::Error{core::Code::conflict, to + " is there already"};
    if (!target) return target.error();
    if (::fchmod(target->get(), mode) != 0) return core::errno_error("fchmod", to, errno);
    CORE_CHECK(copy_bytes(source.get(), target->get(), to));
    source = std::move(*target);
  }
  CORE_TRY(digest, crypto::sha256_of_fd(source.get(), to));
  struct stat about{};
  if (::fstat(source.get(), &about) != 0) return core::errno_error("fstat", to, errno);
  copied.bytes = about.st_size;
  copied.sha256 = crypto::hex(digest);
  return copied;
}

core::Result<ManifestWriter> ManifestWriter::begin(const std::string& folder, core::Time made) {
  const auto path = folder + "/manifest";
  CORE_TRY(file, core::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  CORE_CHECK(core::write_all(file.get(), std::string(kTitle) + core::rfc3339(made) + "\n", path));
  return ManifestWriter(std::move(file), path);
}

core::Result<void> ManifestWriter::add(std::string_view sha256, std::string_view name) {
  ++count_;
  return core::write_all(file_.get(), std::string(sha256) + "  " + std::string(name) + "\n", path_);
}

core::Result<void> ManifestWriter::finish() {
  CORE_CHECK(core::write_all(file_.get(), std::string(kEnd) + std::to_string(count_) + "\n", path_));
  return core::sync(file_.get(), path_);
}

core::Result<Manifest> check_backup(const std::string& folder) {
  Manifest manifest;
  bool faxes = false, people = false;
  CORE_CHECK(read_manifest(folder, manifest.made, [&](const Line& line) -> core::Result<void> {
    const auto path = folder + "/" + line.name;
    const auto file = core::open_file(path, O_RDONLY | O_NOFOLLOW);
    if (!file) return broken(folder, line.name + " cannot be read (" + file.error().text + ")");
    CORE_TRY(digest, crypto::sha256_of_fd(file->get(), path));
    if (crypto::hex(digest) != line.sha256) return broken(folder, line.name + " is not what it was when the backup was made");
    struct stat about{};
    if (::fstat(file->get(), &about) == 0) manifest.bytes += about.st_size;
    faxes = faxes || line.name.starts_with("faxes.");
    people = people || line.name.starts_with("people.");
    manifest.faxes_dump = manifest.faxes_dump || line.name == "faxes.dump";
    manifest.people_dump = manifest.people_dump || line.name == "people.dump";
    manifest.documents += line.name.starts_with(kDocuments) ? 1 : 0;
    return {};
  }));
  if (!faxes || !people) return broken(folder, "it lacks a database");
  return manifest;
}

core::Result<void> each_document(const std::string& folder, const std::function<core::Result<void>(const std::string& id)>& visitor) {
  core::Time made;
  return read_manifest(folder, made, [&](const Line& line) -> core::Result<void> { return line.name.starts_with(kDocuments) ? visitor(line.name.substr(kDocuments.size())) : core::Result<void>(); });
}

core::Result<void> check_space(const std::string& folder, std::int64_t bytes) {
  struct statvfs space{};
  if (::statvfs(folder.c_str(), &space) != 0) return core::errno_error("statvfs", folder, errno);
  const auto free = static_cast<std::int64_t>(space.f_bavail) * static_cast<std::int64_t>(space.f_frsize);
  if (free >= bytes + kMarginBytes) return {};
  const auto mega = [](std::int64_t count) { return std::to_string(count / 1'000'000 + 1) + " MB"; };
  return core::Error{core::Code::no_space, "not enough space in " + folder, "There is not enough space in " + folder + ": " + mega(bytes + kMarginBytes) + " are needed, and " + mega(free) + " are free. Nothing was changed."};
}

std::string file_of(const std::string& url) { return url.starts_with("sqlite://") ? url.substr(9) : std::string(); }

}  // namespace command
