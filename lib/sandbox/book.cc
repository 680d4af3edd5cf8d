#include "sandbox/book.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/fd.h"
#include "core/id.h"
#include "core/log.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxFaxBytes = 64 * 1024;

core::Result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> handle(opendir(folder.c_str()), &closedir);
  if (!handle) return core::errno_error("open folder", folder, errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(handle.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

core::Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return core::errno_error("remove", path, errno);
  return {};
}

}  // namespace

std::string Book::fax_path(std::string_view sid) const { return folder_ + "/faxes/" + std::string(sid) + ".json"; }
std::string Book::media_path(std::string_view sid) const { return folder_ + "/media/" + std::string(sid) + ".pdf"; }
std::string Book::temporary_path() const { return folder_ + "/media/" + core::new_id(core::SystemClock().now()) + ".part"; }

core::Result<void> Book::open() {
  CORE_CHECK(core::make_folders(folder_, 0700));
  CORE_CHECK(core::make_folders(folder_ + "/faxes", 0700));
  CORE_CHECK(core::make_folders(folder_ + "/media", 0700));
  CORE_CHECK(read_all());
  return tidy_media();
}

core::Result<void> Book::read_all() {
  CORE_TRY(names, names_in(folder_ + "/faxes"));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/faxes/" + name;
    if (!name.ends_with(".json")) continue;
    const auto text = core::read_file(path, kMaxFaxBytes);
    auto fax = text ? fax_from_json(*text) : core::Result<Fax>(text.error());
    if (fax && fax->sid + ".json" != name) fax = core::Error{.code = core::Code::bad_request, .text = "another fax's"};
    if (!fax) {
      core::log(core::Level::error, "a fax of the sandbox cannot be read and is left out", fax.error(), {{"file", name}});
      continue;
    }
    std::string sid = fax->sid;
    faxes_.insert_or_assign(std::move(sid), std::move(*fax));
  }
  return {};
}

core::Result<void> Book::tidy_media() {
  CORE_TRY(names, names_in(folder_ + "/media"));
  for (const std::string& name : names) {
    const Fax* fax = name.ends_with(".pdf") ? find(name.substr(0, name.size() - 4)) : nullptr;
    // The document of a fax whose file is there but cannot be read is nobody's to throw away.
    const bool kept = fax ? fax->has_media : name.ends_with(".pdf") && access(fax_path(name.substr(0, name.size() - 4)).c_str(), F_OK) == 0;
    if (!kept) CORE_CHECK(remove_file(folder_ + "/media/" + name));
  }
  return {};
}

core::Result<void> Book::put(const Fax& fax) {
  CORE_CHECK(core::replace_file(fax_path(fax.sid), to_json(fax), 0600));
  faxes_.insert_or_assign(fax.sid, fax);
  return {};
}

const Fax* Book::find(std::string_view sid) const {
  const auto found = faxes_.find(sid);
  return found == faxes_.end() ? nullptr : &found->second;
}

core::Result<void> Book::remove(const std::string& sid) {
  CORE_CHECK(remove_file(fax_path(sid)));
  CORE_CHECK(core::sync_folder(folder_ + "/faxes"));
  faxes_.erase(sid);
  return remove_file(media_path(sid));
}

std::vector<const Fax*> Book::newest_first() const {
  std::vector<const Fax*> list;
  for (const auto& [sid, fax] : faxes_) list.push_back(&fax);
  std::sort(list.begin(), list.end(), [](const Fax* left, const Fax* right) {
    return left->created_ms != right->created_ms ? left->created_ms > right->created_ms : left->sid > right->sid;
  });
  return list;
}

std::vector<const Fax*> Book::unfinished() const {
  std::vector<const Fax*> list;
  for (const auto& [sid, fax] : faxes_)
    if (!fax.next.empty() || !fax.callbacks.empty()) list.push_back(&fax);
  return list;
}

}  // namespace sandbox
