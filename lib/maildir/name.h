// Names of messages in a Maildir, which no two deliveries may ever share.
//
// Source: D. J. Bernstein, "Using maildir format" (https://cr.yp.to/proto/maildir.html),
// "Unique names": seconds, a middle part that this machine never gives twice, host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace maildir {

// What a name is made of. `inode` 0: not known, then neither it nor `device` is written.
struct NameParts {
  core::Time time;
  std::int64_t process = 0;
  std::uint64_t counter = 0;
  std::uint64_t random = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::string host;
};

// "1764056449.M123000P77Q1Rdeadbeef…V801I2a.host": M microseconds, P process, Q how many
// this process has named, R random, V device, I inode. The host is escaped.
std::string compose_name(const NameParts& parts);

// A host name made fit for a file name: "/" becomes "\057", ":" becomes "\072"
// (the Maildir rules); control characters and spaces become "_"; at most 64 bytes; never empty.
std::string escape_host(std::string_view host);

// A new name for a delivery, to be recorded before Maildir::deliver(). `fd` is the file
// with the message, whose device and inode go into the name; -1 if there is none yet.
// Safe to call from several threads. Ends the process if the kernel has no random bytes.
std::string new_name(core::Time now, int fd = -1);

// Whether a name may be used for a delivery: 1 to 200 bytes of visible ASCII without
// "/" and ":", not beginning with ".". Answers `invalid` otherwise.
core::Result<void> check_name(std::string_view name);

// A file name of `cur` taken apart: "NAME:2,FS" gives NAME and "FS". Without the
// ":2," the flags are empty.
struct NameAndFlags {
  std::string_view name;
  std::string_view flags;
};
NameAndFlags split_name(std::string_view file_name);

}  // namespace maildir
