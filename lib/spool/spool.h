// The files of faxes, by id. A file is there whole, under its final name, or not at all.
//
// Errors of every call, besides those named: no_space (disk full, or below the level of space.h), unavailable (passing
// trouble), internal (errno); invalid if an id is none (core/id.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"
#include "crypto/digest.h"
#include "spool/space.h"

namespace spool {

// What is known of a file that was made durable.
struct Committed {
  std::int64_t bytes = 0;
  std::string sha256;  // hex
};

// A file that is coming in. Without commit() nothing of it stays, and after a crash a temporary file at most.
class Incoming {
 public:
  Incoming(Incoming&& other) noexcept;
  Incoming& operator=(Incoming&&) noexcept;
  ~Incoming();

  // Adds at the end. no_space, too, when its level is reached on the way (looked at every megabyte).
  core::Result<void> write(std::span<const std::byte> bytes);
  // For those who write, or read, by themselves. The file is open for both.
  int fd() const { return fd_.get(); }

  // fsync, the final name, fsync of the folder: when this returns, the file is there for good.
  // conflict: there is a file of that id, which stays.
  core::Result<Committed> commit(const std::string& id);

 private:
  friend class Spool;
  Incoming(core::UniqueFd fd, std::string path, std::string folder, Reserve reserve, Use use);
  void discard();
  core::UniqueFd fd_;
  std::string path_;    // its temporary name; empty: committed or moved
  std::string folder_;  // STATE_DIR/spool
  Reserve reserve_;
  Use use_ = Use::upload;
  std::int64_t since_look_bytes_ = 0;
};

struct Found {
  std::string id;
  core::Time changed{};
};

// settings, with the cure: a restore was cut off (STATE_DIR/restore.new is there). Until it was repeated, parts of the line
// are of before and parts of the backup: no program may start.
core::Result<void> check_no_restore(const std::string& state_folder);

class Spool {
 public:
  // A spool that is there; its tmp/ is made if it is not. settings: one is missing or closed to this program; or as
  // check_no_restore().
  static core::Result<Spool> existing(const std::string& state_folder, const Reserve& reserve = {});
  // Makes what is missing: spool 2770, handout 2710, on the disk when this returns.
  static core::Result<Spool> create(const std::string& state_folder, const Reserve& reserve = {});

  // no_space if, with `expected_bytes` more, less than the level of that use would be free.
  core::Result<Incoming> begin(Use use, std::int64_t expected_bytes = 0) const;
  // The same question without a file.
  core::Result<void> check_room(Use use, std::int64_t bytes = 0) const { return check_space(folder_ + "/spool", reserve_, use, bytes); }
  core::Result<Space> space() const { return space_of(folder_ + "/spool", reserve_); }
  core::Result<core::UniqueFd> open(const std::string& id) const;  // for reading; not_found
  core::Result<void> remove(const std::string& id) const;          // one that is not there is no error
  core::Result<std::vector<Found>> list() const;
  // The same one by one, in no order, however many there are; ends with the first error of `visitor`.
  core::Result<void> visit(const std::function<core::Result<void>(const Found&)>& visitor) const;

  // A copy of the document, mode 0640, durable, under handout/`name`; one that is there is replaced. not_found; no_space
  // at the level of Use::send.
  core::Result<void> hand_out(const std::string& id, const std::string& name) const;
  core::Result<void> take_back(const std::string& name) const;
  core::Result<std::vector<Found>> handed_out() const;

  // Temporary files, of spool/ and handout/, that nobody has changed for that long: a crash leaves them. How many.
  core::Result<std::size_t> remove_old_temporary_files(core::Time now, core::Milliseconds age) const;

 private:
  Spool(std::string state_folder, Reserve reserve) : folder_(std::move(state_folder)), reserve_(reserve) {}
  std::string path_of(const std::string& id) const { return folder_ + "/spool/" + id; }
  std::string handout_path(const std::string& name) const { return folder_ + "/handout/" + name; }
  std::string folder_;
  Reserve reserve_;
};

}  // namespace spool
