#include "spool/spool.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "crypto/encoding.h"

#include "spool/space.h"

namespace spool {

namespace {

constexpr std::int64_t kSpaceCheckBytes = std::int64_t{1} << 20;

}  // namespace

Incoming::Incoming(core::UniqueFd fd, std::string temporary, std::string folder, std::int64_t maximum, std::int64_t reserve)
    : fd_(std::move(fd)), temporary_(std::move(temporary)), folder_(std::move(folder)), maximum_(maximum), reserve_(reserve) {}

Incoming::Incoming(Incoming&& other) noexcept
    : fd_(std::move(other.fd_)),
      temporary_(std::exchange(other.temporary_, {})),
      folder_(std::move(other.folder_)),
      maximum_(other.maximum_),
      reserve_(other.reserve_),
      bytes_(other.bytes_),
      space_checked_at_(other.space_checked_at_),
      digest_(std::move(other.digest_)),
      failure_(std::move(other.failure_)) {}

Incoming& Incoming::operator=(Incoming&& other) noexcept {
  if (this == &other) return *this;
  discard();
  fd_ = std::move(other.fd_);
  temporary_ = std::exchange(other.temporary_, {});
  folder_ = std::move(other.folder_);
  maximum_ = other.maximum_;
  reserve_ = other.reserve_;
  bytes_ = other.bytes_;
  space_checked_at_ = other.space_checked_at_;
  digest_ = std::move(other.digest_);
  failure_ = std::move(other.failure_);
  return *this;
}

Incoming::~Incoming() { discard(); }

void Incoming::discard() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
  fd_.reset();
}

core::Error Incoming::give_up(core::Error error) {
  discard();
  if (error.code == core::Code::no_space && error.hint.empty()) error.hint = kNoSpaceHint;
  failure_ = std::move(error);
  return failure_;
}

core::Result<void> Incoming::write(std::span<const std::byte> bytes) {
  if (!fd_.valid()) return failure_;
  const auto count = static_cast<std::int64_t>(bytes.size());
  if (count > maximum_ - bytes_)
    return give_up({.code = core::Code::too_large,
                    .text = "write " + temporary_ + ": more than " + std::to_string(maximum_) + " bytes",
                    .hint = "The file is larger than " + std::to_string(maximum_) + " bytes, which is the limit here."});
  if (reserve_ > 0 && bytes_ + count >= space_checked_at_ + kSpaceCheckBytes) {
    if (auto space = check_space(folder_, count, reserve_); !space) return give_up(std::move(space).error());
    space_checked_at_ = bytes_ + count;
  }
  if (auto written = core::write_all(fd_.get(), bytes, temporary_); !written) return give_up(std::move(written).error());
  digest_.update(bytes);
  bytes_ += count;
  return {};
}

core::Result<void> Incoming::write(std::string_view bytes) {
  return write(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

core::Result<Stored> Incoming::commit(std::string_view id) {
  if (!fd_.valid()) return failure_;
  if (!core::is_id(id)) return give_up({.code = core::Code::bad_request, .text = "commit: not an id"});
  const std::string path = folder_ + "/" + std::string(id);
  if (auto synced = core::sync(fd_.get(), temporary_); !synced) return give_up(std::move(synced).error());
  // link(2), not rename(2), for it never overwrites.
  if (::link(temporary_.c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return give_up({.code = core::Code::conflict, .text = "commit " + path + ": exists already"});
    return give_up(core::errno_error("link", path, errno));
  }
  if (auto synced = core::sync_folder(folder_); !synced) {
    ::unlink(path.c_str());
    return give_up(std::move(synced).error());
  }
  discard();
  failure_ = {.code = core::Code::internal, .text = "spool: " + path + " is committed already"};
  return Stored{.bytes = bytes_, .sha256 = crypto::hex(digest_.finish())};
}

}  // namespace spool
