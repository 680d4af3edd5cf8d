// `faxline backup`: a consistent copy while the line runs. The databases first, each as of one moment; then every document that
// they name. Documents never change, so it does not matter when they are copied.
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "command/copy.h"
#include "config/table.h"
#include "core/fail_point.h"
#include "json/writer.h"
#include "spool/spool.h"
#include "store/faxes.h"

namespace command {

namespace {

namespace files = std::filesystem;

constexpr std::string_view kMark = "backup.lock";  // in a DIR.partial that may be emptied by the next backup

struct Counts {
  std::int64_t documents = 0;
  std::int64_t bytes = 0;
  std::int64_t damaged = 0;
};

core::Error cannot(const std::string& what, const std::string& why) { return {core::Code::invalid, what + ": " + why, what + ": " + why}; }

// DIR.partial, empty but for the mark, which is locked for as long as this process lives.
core::Result<core::UniqueFd> begin_folder(const std::string& folder, const std::string& partial) {
  if (files::exists(files::symlink_status(folder))) return cannot(folder + " is there already", "a backup never overwrites anything. Name another folder.");
  const auto mark = partial + "/" + std::string(kMark);
  const bool made = ::mkdir(partial.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return cannot(partial + " cannot be made", core::errno_error("mkdir", partial, errno).text);
  if (!made && !files::exists(mark) && !files::is_empty(partial)) return cannot(partial + " is there already", "and is not what a backup left that was cut off. Remove it, or name another folder.");
  CORE_TRY(held, core::open_file(mark, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) return core::Error{core::Code::unavailable, partial + " is locked", "Another backup is writing to " + partial + " now."};
  std::error_code trouble;
  for (const auto& entry : files::directory_iterator(partial, trouble))
    if (entry.path().filename() != kMark) files::remove_all(entry.path(), trouble);
  if (trouble) return cannot(partial + " cannot be emptied", trouble.message());
  return held;
}

// Before anything is opened: opening makes a file that is missing, and an empty line would be backed up.
core::Result<void> check_databases(const config::Settings& settings) {
  for (const auto& url : {settings.database_url(), settings.people_database_url()})
    if (const auto file = file_of(url); !file.empty() && !files::is_regular_file(file))
      return core::Error{core::Code::settings, "no database " + file, "There is no database " + file + ": is this line set up? Check STATE_DIR."};
  return {};
}

core::Result<void> copy_database(const std::string& url, const std::string& partial, const std::string& name, ManifestWriter& manifest, Counts& counts) {
  const auto file = file_of(url);
  const auto base = name + (file.empty() ? ".dump" : ".db");
  const auto path = partial + "/" + base;
  if (file.empty()) {
    CORE_CHECK(dump_server(url, path));
  } else {
    CORE_TRY(database, sql::Database::open(url));
    CORE_TRY(connection, database->lease());
    CORE_CHECK(connection.execute("VACUUM INTO :1", {path}));
  }
  if (::chmod(path.c_str(), 0600) != 0) return core::errno_error("chmod", path, errno);
  CORE_TRY(copy, core::open_file(path, O_RDONLY));
  CORE_CHECK(core::sync(copy.get(), path));
  copy.reset();
  // Read back under the name that it keeps.
  const auto check = path + ".new";
  CORE_TRY(copied, copy_file(path, check, 0600, true));
  if (::unlink(check.c_str()) != 0) return core::errno_error("unlink", check, errno);
  counts.bytes += copied.bytes;
  return manifest.add(copied.sha256, base);
}

// A hard link between the two folders is possible: then documents take no space.
bool can_link(const spool::Spool& spool, const std::string& from, const std::string& partial) {
  bool linked = false;
  const auto probe = partial + "/probe";
  (void)spool.visit([&](const spool::Found& found) -> core::Result<void> {
    linked = ::link((from + "/" + found.id).c_str(), probe.c_str()) == 0;
    return core::Error{core::Code::conflict, "one is enough"};
  });
  if (linked) ::unlink(probe.c_str());
  return linked;
}

core::Result<void> copy_documents(store::Faxes& line, const std::string& spool, const std::string& partial, ManifestWriter& manifest, Counts& counts) {
  const auto folder = partial + "/documents";
  if (::mkdir(folder.c_str(), 0700) != 0) return core::errno_error("mkdir", folder, errno);
  for (std::string last;;) {
    CORE_TRY(page, line.documents_after(last));
    for (const auto& document : page) {
      const auto copied = copy_file(spool + "/" + document.id, folder + "/" + document.id, 0600, true);
      if (!copied && copied.error().code == core::Code::not_found) {
        // Removed since the database was copied, or gone for another reason.
        if (!line.document(document.id)) continue;
        counts.damaged += 1;
        say("The document " + document.id + " (" + document.file_name + ") is not there.");
        continue;
      }
      CORE_CHECK(copied);
      counts.documents += 1;
      counts.bytes += copied->bytes;
      CORE_CHECK(manifest.add(copied->sha256, "documents/" + document.id));
      if (copied->sha256 == document.sha256 || document.sha256.empty()) continue;
      counts.damaged += 1;
      say("The document " + document.id + " (" + document.file_name + ") is not as it was stored: the disk may be failing.");
    }
    if (page.empty()) return core::sync_folder(folder);
    last = page.back().id;
  }
}

core::Result<void> write_settings(const config::Settings& settings, bool with_secrets, const std::string& partial, ManifestWriter& manifest) {
  std::string text = "# The settings of the line when the backup was made.\n";
  for (const auto& row : config::table()) {
    if (!settings.is_set(row.name)) continue;
    const bool secret = row.type == config::Type::secret || (row.type == config::Type::database && settings.text(row.name).find('@') != std::string::npos);
    if (!secret && settings.text(row.name) == row.fallback) continue;
    if (secret && !with_secrets) text += "# " + std::string(row.name) + " was set, and is left out: it is a secret.\n";
    else text += std::string(row.name) + "=" + (row.type == config::Type::secret ? std::string(settings.secret(row.name).reveal()) : settings.text(row.name)) + "\n";
  }
  const auto path = partial + "/faxline.conf";
  CORE_CHECK(core::replace_file(path, text, 0600));
  const auto check = path + ".new";
  CORE_TRY(copied, copy_file(path, check, 0600, true));
  if (::unlink(check.c_str()) != 0) return core::errno_error("unlink", check, errno);
  return manifest.add(copied.sha256, "faxline.conf");
}

core::Result<void> check_room(const config::Settings& settings, store::Faxes& line, bool linked, const std::string& partial) {
  std::int64_t bytes = 0;
  std::error_code none;
  for (const auto& url : {settings.database_url(), settings.people_database_url()})
    if (const auto file = file_of(url); !file.empty() && files::exists(file)) bytes += static_cast<std::int64_t>(files::file_size(file, none)) + (files::exists(file + "-wal") ? static_cast<std::int64_t>(files::file_size(file + "-wal", none)) : 0);
  if (!linked) {
    CORE_TRY(documents, line.bytes_of_documents());
    bytes += documents;
  }
  return check_space(partial, bytes);
}

core::Result<Counts> fill(const config::Settings& settings, const std::string& partial, bool with_secrets) {
  Counts counts;
  CORE_CHECK(check_databases(settings));
  CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR")));
  CORE_TRY(database, sql::Database::open(settings.database_url()));
  CORE_TRY(line, store::Faxes::open(database));
  CORE_CHECK(check_room(settings, line, can_link(spool, settings.state_folder("spool"), partial), partial));
  CORE_TRY(manifest, ManifestWriter::begin(partial, core::SystemClock().now()));
  CORE_CHECK(copy_database(settings.people_database_url(), partial, "people", manifest, counts));
  CORE_CHECK(copy_database(settings.database_url(), partial, "faxes", manifest, counts));
  FAIL_POINT("backup.databases.copied");
  // All that the copy names, and what came since; what was removed since, the copy's faxes do without.
  CORE_CHECK(copy_documents(line, settings.state_folder("spool"), partial, manifest, counts));
  FAIL_POINT("backup.documents.copied");
  CORE_CHECK(write_settings(settings, with_secrets, partial, manifest));
  CORE_CHECK(manifest.finish());
  return counts;
}

}  // namespace

core::Result<int> backup(const config::Settings& settings, const Words& words) {
  auto folder = files::absolute(words.words[0]).lexically_normal().string();
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  const auto partial = folder + ".partial";
  CORE_TRY(held, begin_folder(folder, partial));
  FAIL_POINT("backup.folder.begun");
  CORE_TRY(counts, fill(settings, partial, words.with_secrets));
  CORE_CHECK(core::sync_folder(partial));
  FAIL_POINT("backup.folder.filled");
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE) != 0) return core::errno_error("rename", folder, errno);
  FAIL_POINT("backup.folder.renamed");
  CORE_CHECK(core::sync_folder(files::path(folder).parent_path().string()));
  // After the rename: a DIR.partial without its mark would be refused for ever.
  const auto mark = folder + "/" + std::string(kMark);
  if (::unlink(mark.c_str()) != 0) return core::errno_error("unlink", mark, errno);
  CORE_CHECK(core::sync_folder(folder));
  if (words.json) print(json::Writer().begin_object().member("folder", folder).member("documents", counts.documents).member("bytes", counts.bytes).member("damaged", counts.damaged).end_object().text());
  else print(folder + "\t" + std::to_string(counts.documents) + " documents\t" + std::to_string(counts.bytes) + " bytes");
  if (!words.with_secrets) say("Secrets of the settings are left out; --with-secrets takes them in.");
  return counts.damaged > 0 ? 1 : 0;
}

}  // namespace command
