// What `faxline backup` writes and `faxline restore` reads: a folder with the databases, the documents, the settings, and a
// manifest with the SHA-256 of each. The manifest is written last; `sha256sum -c manifest` checks it too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "config/settings.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"

namespace command {

struct Copied {
  std::int64_t bytes = 0;
  std::string sha256;  // hex
  bool linked = false;
};

// Copies a file, durable with its content; the folder's fsync is the caller's. `may_link`: a hard link will do, where the
// file system can. conflict: `to` is there. not_found: `from` is not.
core::Result<Copied> copy_file(const std::string& from, const std::string& to, mode_t mode, bool may_link);

// The manifest of a backup that is being written: a line a file.
class ManifestWriter {
 public:
  static core::Result<ManifestWriter> begin(const std::string& folder, core::Time made);
  core::Result<void> add(std::string_view sha256, std::string_view name);
  // The last line, and fsync: a manifest without it is none.
  core::Result<void> finish();

 private:
  ManifestWriter(core::UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  core::UniqueFd file_;
  std::string path_;
  std::int64_t count_ = 0;
};

struct Manifest {
  core::Time made{};
  bool faxes_dump = false;   // a dump of PostgreSQL, else an SQLite file
  bool people_dump = false;
  std::int64_t documents = 0;
  std::int64_t bytes = 0;    // of all files
};

// Reads the whole backup and compares every file with the manifest. invalid: no backup, a file is missing, is not what it
// was, or the manifest does not end; the hint names it.
core::Result<Manifest> check_backup(const std::string& folder);

// The ids of the documents that the manifest names, one by one.
core::Result<void> each_document(const std::string& folder, const std::function<core::Result<void>(const std::string& id)>& visitor);

// no_space, with both numbers, if less than `bytes` and 16 MB besides are free.
core::Result<void> check_space(const std::string& folder, std::int64_t bytes);

// The path behind "sqlite://"; empty for a database on a server.
std::string file_of(const std::string& url);

// A dump of a PostgreSQL database, by pg_dump, and back into it by pg_restore, in one transaction. The password is not in the
// program's arguments. unavailable: the program is not installed, or failed, with its words.
core::Result<void> dump_server(const std::string& url, const std::string& path);
core::Result<void> load_server(const std::string& url, const std::string& path);

// STATE_DIR/restore.new: what is not in place yet. While it is there a restore was cut off, and no line may start.
constexpr std::string_view kRestoring = "restore.new";

// Whether any process has this SQLite database open.
bool is_open_elsewhere(const std::string& path);
// Whether any program listens at a socket in this folder.
bool is_line_running(const std::string& socket_folder);

}  // namespace command
