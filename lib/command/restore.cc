// `faxline restore`: checks the backup, makes all that is to come beside what is there, and puts it in place last, the database of
// faxes at the very end. What was there is moved beside, never removed. Cut off anywhere, it can be done again.
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "command/copy.h"
#include "core/fail_point.h"
#include "json/writer.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/people.h"

namespace command {

namespace {

namespace files = std::filesystem;

core::Time now() { return core::SystemClock().now(); }

// Who is to own a folder and what is in it.
struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;  // of the folder
};

// As the folder is now; if it is not there, STATE_DIR's, where that is not root's, or as it is installed, or else ours.
Owner owner_of(const std::string& state, const std::string& name, const char* account, mode_t mode) {
  struct stat about{};
  if (::stat((state + "/" + name).c_str(), &about) == 0) return {about.st_uid, about.st_gid, static_cast<mode_t>(about.st_mode & 07777U)};
  if (::stat(state.c_str(), &about) == 0 && about.st_uid != 0) return {about.st_uid, about.st_gid, mode};
  if (::geteuid() == 0)
    if (const passwd* entry = ::getpwnam(account)) return {entry->pw_uid, entry->pw_gid, mode};
  return {::geteuid(), ::getegid(), mode};
}

core::Result<void> give(const std::string& path, const Owner& owner, mode_t mode) {
  if (::geteuid() == 0 && ::lchown(path.c_str(), owner.uid, owner.gid) != 0) return core::errno_error("chown", path, errno);
  if (::chmod(path.c_str(), mode) != 0) return core::errno_error("chmod", path, errno);
  return {};
}

core::Result<void> make_folder(const std::string& path, const Owner& owner) {
  if (::mkdir(path.c_str(), 0700) != 0) return core::errno_error("mkdir", path, errno);
  return give(path, owner, owner.mode);
}

core::Result<void> rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return std::move(core::errno_error("rename", from, errno)).with_hint(from + " cannot be moved to " + to + ": " + core::errno_error("rename", from, errno).text);
}

class Restore {
 public:
  Restore(const config::Settings& settings, std::string backup, Manifest manifest)
      : settings_(settings), backup_(std::move(backup)), manifest_(std::move(manifest)), state_(settings.text("STATE_DIR")), staged_(state_ + "/" + std::string(kRestoring)) {}

  // Nobody may be at work, and nothing there that could be meant to stay.
  core::Result<void> check_place(bool replace) {
    for (const auto& url : {settings_.database_url(), settings_.people_database_url()})
      if (is_open_elsewhere(file_of(url))) return running();
    if (is_line_running(settings_.text("SOCKET_DIR"))) return running();
    CORE_CHECK(check_kind(settings_.database_url(), manifest_.faxes_dump, "DATABASE_URL"));
    CORE_CHECK(check_kind(settings_.people_database_url(), manifest_.people_dump, "PEOPLE_DATABASE_URL"));
    if (!files::is_directory(state_)) return core::Error{core::Code::settings, "no folder " + state_, "The folder " + state_ + " is not there: is this line set up? Check STATE_DIR."};
    if (::access(state_.c_str(), W_OK | X_OK) != 0) return core::Error{core::Code::forbidden, state_ + " is closed to this user", "This user may not do that: run it as root, or as the owner of " + state_ + "."};
    // One that was cut off has been allowed before.
    const bool again = files::exists(staged_);
    CORE_TRY(empty, is_empty());
    if (!empty && !replace && !again)
      return core::Error{core::Code::conflict, "restore over faxes", "There are faxes in " + state_ + " already. With --replace they are kept beside, and the backup takes their place."};
    return check_space(state_, manifest_.bytes);
  }

  core::Result<void> stage() {
    std::error_code trouble;
    files::remove_all(staged_, trouble);  // copies alone: what was there before is never moved into it
    if (::mkdir(staged_.c_str(), 0700) != 0) return core::errno_error("mkdir", staged_, errno);
    CORE_CHECK(core::sync_folder(state_));
    FAIL_POINT("restore.stage.begun");
    CORE_CHECK(make_folder(staged_ + "/db", faxes_));
    CORE_CHECK(make_folder(staged_ + "/people", people_));
    CORE_CHECK(make_folder(staged_ + "/spool", spool_));
    CORE_CHECK(make_folder(staged_ + "/spool/tmp", temporary_));
    if (!manifest_.people_dump) CORE_CHECK(stage_people());
    FAIL_POINT("restore.stage.people_copied");
    CORE_CHECK(stage_documents());
    FAIL_POINT("restore.stage.documents_copied");
    if (!manifest_.faxes_dump) CORE_CHECK(stage_faxes());
    for (const auto* name : {"/db", "/people", "/spool", ""}) CORE_CHECK(core::sync_folder(staged_ + name));
    FAIL_POINT("restore.stage.synced");
    return {};
  }

  core::Result<void> put_in_place() {
    // Without its database no program starts: it goes first, and comes last.
    CORE_CHECK(move_beside("db"));
    CORE_CHECK(move_beside("people"));
    CORE_CHECK(move_beside("spool"));
    for (const auto* name : {"spool", "people", "db"}) {
      CORE_CHECK(rename(staged_ + "/" + name, state_ + "/" + name));
      FAIL_POINT("restore.place.moved_in");
    }
    CORE_CHECK(core::sync_folder(state_));
    FAIL_POINT("restore.place.synced");
    if (manifest_.people_dump) CORE_CHECK(load_people());
    if (manifest_.faxes_dump) CORE_CHECK(load_faxes());
    if (::rmdir(staged_.c_str()) != 0) return core::errno_error("rmdir", staged_, errno);
    FAIL_POINT("restore.place.ended");
    return core::sync_folder(state_);
  }

  std::int64_t unresolved() const { return unresolved_; }
  std::int64_t lost() const { return lost_; }
  const std::string& beside() const { return beside_; }

 private:
  static core::Error running() { return {core::Code::unavailable, "the line is running", "The line is running: stop it first, all of its programs."}; }

  core::Result<void> check_kind(const std::string& url, bool dump, std::string_view setting) const {
    const auto file = file_of(url);
    if (file.empty() != dump)
      return core::Error{core::Code::settings, "another kind of database", std::string(setting) + " names " + (dump ? "a file, but the backup holds a dump of a PostgreSQL database" : "a PostgreSQL database, but the backup holds an SQLite file") + "."};
    const auto expected = settings_.state_folder(setting == "DATABASE_URL" ? "db/faxline.db" : "people/people.db");
    if (!dump && file != expected) return core::Error{core::Code::settings, "database elsewhere", std::string(setting) + " names " + file + ": a restore knows " + expected + " alone. Restore there, and move it."};
    return {};
  }

  core::Result<bool> is_empty() const {
    std::error_code none;
    for (const auto& entry : files::directory_iterator(state_ + "/spool", none))
      if (entry.is_regular_file(none)) return false;
    const auto file = file_of(settings_.database_url());
    if (!file.empty() && !files::exists(file)) return true;
    CORE_TRY(database, sql::Database::open(settings_.database_url()));
    CORE_TRY(book, store::Faxes::open(database));
    return book.is_empty();
  }

  core::Result<void> stage_people() {
    const auto path = staged_ + "/people/people.db";
    CORE_CHECK(copy_file(backup_ + "/people.db", path, 0600, false));
    CORE_CHECK(drop_sessions("sqlite://" + path));
    CORE_CHECK(give(path, people_, 0600));
    return sync_file(path);
  }

  core::Result<void> stage_documents() {
    return each_document(backup_, [&](const std::string& id) -> core::Result<void> {
      const auto path = staged_ + "/spool/" + id;
      CORE_CHECK(copy_file(backup_ + "/documents/" + id, path, 0660, false));
      return give(path, spool_, 0660);
    });
  }

  core::Result<void> stage_faxes() {
    const auto path = staged_ + "/db/faxline.db";
    CORE_CHECK(copy_file(backup_ + "/faxes.db", path, 0660, false));
    CORE_CHECK(take_over("sqlite://" + path, staged_ + "/spool"));
    CORE_CHECK(give(path, faxes_, 0660));
    return sync_file(path);
  }

  core::Result<void> load_people() {
    CORE_CHECK(dump_server(settings_.people_database_url(), beside_folder() + "/people.dump"));
    FAIL_POINT("restore.load.people_kept");
    CORE_CHECK(load_server(settings_.people_database_url(), backup_ + "/people.dump"));
    FAIL_POINT("restore.load.people_loaded");
    return drop_sessions(settings_.people_database_url());
  }

  core::Result<void> load_faxes() {
    CORE_CHECK(dump_server(settings_.database_url(), beside_folder() + "/faxes.dump"));
    FAIL_POINT("restore.load.faxes_kept");
    CORE_CHECK(load_server(settings_.database_url(), backup_ + "/faxes.dump"));
    FAIL_POINT("restore.load.faxes_loaded");
    return take_over(settings_.database_url(), state_ + "/spool");
  }

  static core::Result<void> drop_sessions(const std::string& url) {
    CORE_TRY(database, sql::Database::open(url));
    CORE_TRY(people, store::People::open(database));
    return people.remove_all_sessions();
  }

  core::Result<void> take_over(const std::string& url, const std::string& spool) {
    CORE_TRY(database, sql::Database::open(url));
    CORE_TRY(book, store::Faxes::open(database));
    for (std::string last;;) {
      CORE_TRY(page, book.documents_after(last));
      if (page.empty()) break;
      for (const auto& document : page) {
        if (files::exists(spool + "/" + document.id)) continue;
        CORE_CHECK(book.lose_document(document.id, now()));
        lost_ += 1;
      }
      last = page.back().id;
    }
    // The mark's name is the queue's (queue/reconcile.cc).
    CORE_TRY(unresolved, book.take_over_copy(manifest_.made, now(), settings_.duration("FAX_DEADLINE"), "reconciled." + settings_.text("FAX_PROVIDER") + "." + settings_.fax_number()));
    unresolved_ = unresolved;
    FAIL_POINT("restore.book.taken_over");
    return {};
  }

  static core::Result<void> sync_file(const std::string& path) {
    CORE_TRY(file, core::open_file(path, O_RDONLY));
    return core::sync(file.get(), path);
  }

  const std::string& beside_folder() {
    if (beside_.empty()) {
      beside_ = state_ + "/before-restore-" + core::rfc3339(now());
      std::string base = beside_;
      for (int i = 2; ::mkdir(beside_.c_str(), 0700) != 0 && errno == EEXIST; ++i) beside_ = base + "-" + std::to_string(i);
    }
    return beside_;
  }

  core::Result<void> move_beside(const std::string& name) {
    if (!files::exists(state_ + "/" + name)) return {};
    CORE_CHECK(rename(state_ + "/" + name, beside_folder() + "/" + name));
    CORE_CHECK(core::sync_folder(beside_));
    CORE_CHECK(core::sync_folder(state_));
    FAIL_POINT("restore.place.moved_beside");
    return {};
  }

  const config::Settings& settings_;
  std::string backup_;
  Manifest manifest_;
  std::string state_;
  std::string staged_;
  std::string beside_;
  Owner faxes_ = owner_of(state_, "db", "faxline", 02770);
  Owner spool_ = owner_of(state_, "spool", "faxline", 02770);
  Owner temporary_ = owner_of(state_, "spool/tmp", "faxline", 02770);
  Owner people_ = owner_of(state_, "people", "faxline-auth", 0700);
  std::int64_t unresolved_ = 0;
  std::int64_t lost_ = 0;
};

std::string count(std::int64_t number, const std::string& what) { return std::to_string(number) + " " + what + (number == 1 ? "" : "s"); }

}  // namespace

core::Result<int> restore(const config::Settings& settings, const Words& words) {
  const auto backup = files::absolute(words.words[0]).lexically_normal().string();
  CORE_TRY(manifest, check_backup(backup));
  Restore restore(settings, backup, manifest);
  CORE_CHECK(restore.check_place(words.replace));
  CORE_CHECK(restore.stage());
  CORE_CHECK(restore.put_in_place());
  if (words.json) {
    json::Writer writer;
    writer.begin_object().member("made", core::rfc3339(manifest.made)).member("documents", manifest.documents).member("unresolved", restore.unresolved()).member("lost", restore.lost());
    print(writer.member("beside", restore.beside().empty() ? std::nullopt : std::optional(restore.beside())).end_object().text());
    return 0;
  }
  print("restored\t" + core::rfc3339(manifest.made) + "\t" + count(manifest.documents, "document") + "\t" + std::to_string(restore.unresolved()) + " unresolved");
  if (!restore.beside().empty()) say("What was here before is in " + restore.beside() + ".");
  if (restore.unresolved() > 0) say("Sent faxes that had not ended are unresolved: settle each on the page, or send it again.");
  say("Start the line, and then run `faxline reconcile --since " + core::rfc3339(manifest.made) + "`: it brings in what came after the backup. The settings of then are in " + backup + "/faxline.conf.");
  return 0;
}

}  // namespace command
