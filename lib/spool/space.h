// How much of the disk is kept free, and for what. What comes in cannot be asked to wait, what goes out can: so uploads
// are refused first, the copies of faxes that go out wait next, and the last bytes belong to what was accepted already:
// the book's growth, and the mail of a received fax.
//
// "Free" is what statvfs(2) says is available to an ordinary user on the file system of STATE_DIR/spool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"

namespace spool {

// What the bytes are for, the first to be refused first.
enum class Use {
  upload,   // a document that somebody wants to send
  send,     // a copy that a fax needs on its way out: several documents joined, the one that the provider fetches
  receive,  // a document that comes in, by webhook or fetched
  keep,     // what a promise needs that was given already: the mail of a received fax
};

// What is to be kept free. `bytes` is RECEIVE_RESERVE_BYTES; nothing: a quarter of the file system, at most 256 MB. 0 keeps
// nothing free.
struct Reserve {
  Reserve() = default;
  Reserve(std::optional<std::int64_t> bytes_) : bytes(bytes_) {}  // NOLINT(google-explicit-constructor)
  Reserve(std::int64_t bytes_) : bytes(bytes_) {}                 // NOLINT(google-explicit-constructor)
  Reserve(std::int64_t bytes_, std::int64_t most_for_promises_) : bytes(bytes_), most_for_promises(most_for_promises_) {}
  std::optional<std::int64_t> bytes;
  std::int64_t most_for_promises = std::int64_t{32} << 20;  // of it, which what comes in may not have either
};

struct Space {
  std::int64_t free_bytes = 0;
  std::int64_t total_bytes = 0;
  // A use is refused when less would be free after it.
  std::int64_t upload_level = 0;   // the reserve
  std::int64_t send_level = 0;     // between the two
  std::int64_t receive_level = 0;  // half of the reserve, at most 32 MB

  std::int64_t level(Use use) const;
  bool allows(Use use, std::int64_t bytes = 0) const { return free_bytes - bytes >= level(use); }
};

// The levels of a file system of that size.
Space levels_of(std::int64_t free_bytes, std::int64_t total_bytes, Reserve reserve);

// Of the file system that `folder` is on. Errors: not_found, internal (errno).
core::Result<Space> space_of(const std::string& folder, Reserve reserve);

// no_space, with the level that was reached and what to do in the hint, if `bytes` more would leave less than the level
// of `use` free. Errors of space_of() besides.
core::Result<void> check_space(const std::string& folder, Reserve reserve, Use use, std::int64_t bytes = 0);

// "50 MB", as people say it.
std::string megabytes(std::int64_t bytes);

}  // namespace spool
