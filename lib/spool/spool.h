// The files of faxes, by id, and nothing else: no SQL, no fax. Sole owner of the layout of STATE_DIR:
//
//   spool/ID                       2770  a document, whole and durable; each file 0660 less the umask
//   spool/tmp/UNIQUE               2770  what is being written; after a crash also what was
//   handout/NAME                   2710  copies that a provider may fetch now, 0640, of the folder's group
//   handout/.NAME.UNIQUE                 such a copy being made; never served, for no name may begin with a dot
//
// A file under its final name never changes. Ids and names are checked before they become part of a path: bad ones
// are bad_request. Errors otherwise are core::errno_error()'s; a disk that is full is no_space with a hint. All
// functions may be called from several threads and from several programs at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"
#include "crypto/digest.h"

namespace spool {

struct Limits {
  std::int64_t reserve_bytes = 0;  // what must stay free on the disk after every write here
};

inline constexpr std::int64_t kNoMaximum = std::numeric_limits<std::int64_t>::max();

struct Stored {
  std::int64_t bytes = 0;
  std::string sha256;  // of the content, 64 hexadecimal digits in lower case
};

struct Entry {
  std::string name;  // an id, or the name of a handout
  std::int64_t bytes = 0;
  core::Time modified;
};

// A document on its way in. Destroyed without a commit it leaves nothing; after kill -9 it leaves one file in spool/tmp.
class Incoming {
 public:
  Incoming(Incoming&& other) noexcept;
  Incoming& operator=(Incoming&& other) noexcept;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming();

  // Appends. no_space below the reserve (asked for about each megabyte) or on a full disk, too_large beyond the maximum
  // given to begin(). After an error the document is given up: its file is gone, and each later call says the same error.
  core::Result<void> write(std::span<const std::byte> bytes);
  core::Result<void> write(std::string_view bytes);

  std::int64_t bytes() const { return bytes_; }

  // The content so far, for reading by pread(2); owned by this object. -1 after an error or a commit.
  int fd() const { return fd_.get(); }

  // Makes it the document `id`: fsync, name, fsync of the folder; when this returns it survives a power cut. An id that
  // exists is never overwritten: conflict. On any error nothing is left of this document, and nothing else is touched.
  core::Result<Stored> commit(std::string_view id);

 private:
  friend class Spool;
  Incoming(core::UniqueFd fd, std::string temporary, std::string folder, std::int64_t maximum, std::int64_t reserve);
  core::Error give_up(core::Error error);
  void discard();

  core::UniqueFd fd_;
  std::string temporary_;  // empty: nothing to remove
  std::string folder_;
  std::int64_t maximum_ = kNoMaximum;
  std::int64_t reserve_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t space_checked_at_ = 0;
  crypto::Sha256 digest_;
  core::Error failure_;  // what write() says after it failed once
};

class Spool {
 public:
  // Opens the spool of an existing STATE_DIR. A folder spool/ or spool/tmp/ that is missing or not writable: settings.
  // handout/ is not looked at: only the queue may see it.
  static core::Result<Spool> open(const std::string& state_dir, Limits limits);

  // Makes what is missing, with the modes above whatever the umask, then opens it. For `make run` and tests; as
  // installed, the packaging makes them with their owners.
  static core::Result<Spool> create(const std::string& state_dir, Limits limits);

  // A new temporary file. no_space if the reserve is touched already.
  core::Result<Incoming> begin(std::int64_t maximum_bytes = kNoMaximum) const;

  // The document, for reading, at its beginning. not_found; internal if it is no regular file (a link, say).
  core::Result<core::UniqueFd> open(std::string_view id) const;
  core::Result<std::int64_t> size(std::string_view id) const;
  // False for what cannot be looked at, too.
  bool exists(std::string_view id) const;
  // An absent one is no error. Not synced: after a power cut it may be there again, and list_ids() shows it.
  core::Result<void> remove(std::string_view id) const;

  // Copies document `id` to handout/`name`, durably, and gives that path. A copy, for it has another mode and group. An
  // earlier one of that name is replaced whole, so that doing it twice is safe. `name` as is_handout_name() allows.
  // On an error the earlier one, if any, stands; no_space below the reserve.
  core::Result<std::string> hand_out(std::string_view id, std::string_view name) const;
  // Removes it, and syncs the folder: once this returns it is not served again. An absent one is no error.
  core::Result<void> take_back(std::string_view name) const;

  // no_space, with a hint, if `bytes` more would leave less than the reserve.
  core::Result<void> check_space(std::int64_t bytes) const;

  // Removes temporary files, of spool and of handout, not written to for `age`, and says how many. A handout/ that is
  // not there or not ours to read counts none. Give an age longer than any upload may take.
  core::Result<int> remove_old_temporary_files(core::Time now, core::Milliseconds age) const;

  // All documents, or all handouts, oldest id first: for the purge of what no row refers to. A document is in here
  // before its row is committed: look at `modified`.
  core::Result<std::vector<Entry>> list_ids() const;
  core::Result<std::vector<Entry>> list_handouts() const;

 private:
  Spool(std::string state_dir, Limits limits);
  std::string path_of(std::string_view id) const;

  std::string spool_;
  std::string temporary_;
  std::string handout_;
  Limits limits_;
};

// 1 to 128 of letters, digits, '-', '_' and '.', the first no dot.
bool is_handout_name(std::string_view name);

}  // namespace spool
