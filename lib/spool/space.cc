#include "spool/space.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/statvfs.h>

namespace spool {

namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
constexpr std::int64_t kMostReserved = 256 * kMegabyte;
// Room is not made in seconds.
constexpr std::chrono::seconds kRetryAfter{60};

std::string hint_of(const Space& space, Use use) {
  switch (use) {
    case Use::upload:
      return "The disk of the fax line is nearly full: " + megabytes(space.upload_level) + " are kept free for faxes that come in, and " + megabytes(space.free_bytes) +
             " are left. Nothing was taken. Ask the administrator to make room, then send it again.";
    case Use::send:
      return "The disk of the fax line is nearly full: " + megabytes(space.send_level) + " are kept free for faxes that come in, and " + megabytes(space.free_bytes) +
             " are left. It goes on by itself when there is room.";
    case Use::receive:
    case Use::keep: break;
  }
  return "The disk of the fax line is full: " + megabytes(space.free_bytes) + " are left. It goes on by itself when there is room.";
}

}  // namespace

std::int64_t Space::level(Use use) const {
  switch (use) {
    case Use::upload: return upload_level;
    case Use::send: return send_level;
    case Use::receive: return receive_level;
    case Use::keep: break;
  }
  return 0;
}

Space levels_of(std::int64_t free_bytes, std::int64_t total_bytes, Reserve reserve) {
  Space space;
  space.free_bytes = free_bytes;
  space.total_bytes = total_bytes;
  space.upload_level = reserve.bytes.value_or(std::min(kMostReserved, total_bytes / 4));
  space.receive_level = std::min(reserve.most_for_promises, space.upload_level / 2);
  space.send_level = space.receive_level + (space.upload_level - space.receive_level) / 2;
  return space;
}

core::Result<Space> space_of(const std::string& folder, Reserve reserve) {
  struct statvfs space{};
  if (::statvfs(folder.c_str(), &space) != 0) return core::errno_error("statvfs", folder, errno);
  const auto block = static_cast<std::int64_t>(space.f_frsize);
  return levels_of(static_cast<std::int64_t>(space.f_bavail) * block, static_cast<std::int64_t>(space.f_blocks) * block, reserve);
}

core::Result<void> check_space(const std::string& folder, Reserve reserve, Use use, std::int64_t bytes) {
  CORE_TRY(space, space_of(folder, reserve));
  if (space.allows(use, bytes)) return {};
  core::Error error{core::Code::no_space, "spool: " + std::to_string(space.free_bytes) + " bytes are free, " + std::to_string(bytes) + " are wanted, and " + std::to_string(space.level(use)) + " must stay free", hint_of(space, use)};
  error.retry_after = kRetryAfter;
  return error;
}

std::string megabytes(std::int64_t bytes) {
  return bytes >= kMegabyte ? std::to_string(bytes / kMegabyte) + " MB" : std::to_string(std::max<std::int64_t>(bytes > 0 ? 1 : 0, bytes / 1024)) + " KB";
}

}  // namespace spool
