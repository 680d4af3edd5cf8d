// A Maildir: messages as files in three folders, delivered so that a reader sees each
// whole or not at all, and that a power cut loses none that was called delivered.
//
// Knows bytes and names, nothing of faxes or of mail headers. Source: D. J. Bernstein,
// "Using maildir format" (https://cr.yp.to/proto/maildir.html); flags as there under
// "What can I put in info".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace maildir {

enum class Folder { fresh, current };  // `new` and `cur`

// One message as found.
struct Entry {
  std::string name;   // without flags; what deliver() was given
  std::string flags;  // letters after ":2,", e.g. "S" for seen; empty in `new`
  Folder folder = Folder::fresh;
  std::string path;
  std::int64_t size_bytes = 0;
  core::Time time{};  // of the file's last change of content
};

enum class Delivery { delivered, already_there };

// A value that holds a path only: cheap to copy, opens the folders anew in each call, so
// that a Maildir on a disk that is mounted later needs no restart. Calls may run in
// several processes at once.
class Maildir {
 public:
  // A Maildir that is there. Errors: not_found if the folder or one of tmp, new, cur is
  // missing (it is never made here: the disk may merely not be mounted); settings if it is
  // another user's, read-only, closed to us, or no folder. Each has a hint with the cure.
  // Root may open anybody's: what it delivers is given to the owner of the Maildir.
  static core::Result<Maildir> open(std::string path);

  // Makes what is missing of the Maildir, and of the folders above it, with mode 0700, on
  // the disk when this returns; then as open(). What was there keeps its mode. After an
  // error some of the folders may be there; trying again goes on from them.
  static core::Result<Maildir> create(std::string path);

  const std::string& path() const { return path_; }

  // Delivers the whole content of `source_fd`, a regular file, read from its beginning
  // whatever its offset (which is left alone; the caller keeps the descriptor), under
  // `name` as new_name() makes them. Steps: look for the name; tmp with O_EXCL, mode 0600;
  // write; fsync; link to `new`; fsync of `new`.
  // Both answers mean: the message is on the disk, whole. `already_there`: an earlier call
  // with this name did it; nothing was written.
  // Errors: invalid (name not fit, source empty or no regular file), no_space, not_found
  // (folder missing), settings (read-only, closed to us), unavailable (passing trouble, the
  // source shrank). After an error the message is not in `new`, and not in `tmp`, but for
  // one case: when fsync of `new` failed it is there, though not surely for good; then a
  // second call with the same name answers already_there once that works. A crash leaves
  // at most one file in `tmp`, which remove_old_temporary_files() takes away.
  core::Result<Delivery> deliver(std::string_view name, int source_fd) const;

  // Writes a small file into `tmp`, and takes it away again. Errors as deliver(), no_space below a megabyte; nothing stays.
  core::Result<void> check() const;

  // The message delivered under `name`, wherever a reader has put it: in `new`, or in
  // `cur` with any flags. Nothing: it is in neither. Errors: invalid (name), not_found
  // (folder missing), settings, unavailable.
  core::Result<std::optional<Entry>> find(std::string_view name) const;

  // All messages of `new` and `cur`, sorted by name, which is by age. Names with a
  // dot in front and things that are no regular file are passed over. Errors as find().
  core::Result<std::vector<Entry>> list() const;

  // Gives a message exactly these flags (letters A-Z and a-z, sorted and made unique here)
  // and moves it to `cur`, as the rules ask. Errors: invalid (name, flags), not_found (no
  // such message, or a reader took it meanwhile), else as find(). After an error the
  // message stands where it was, or where the reader put it.
  core::Result<void> set_flags(std::string_view name, std::string_view flags) const;

  // Removes the regular files of `tmp` that nobody has read or changed for 36 hours before
  // `now` (the Maildir rules' number), and says how many. A file that vanishes meanwhile
  // is no error. Errors as find(); those removed before stay removed.
  core::Result<std::size_t> remove_old_temporary_files(core::Time now) const;

 private:
  explicit Maildir(std::string path) : path_(std::move(path)) {}
  std::string folder(std::string_view name) const;

  std::string path_;
};

}  // namespace maildir
