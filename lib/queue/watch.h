// The queue looks after the line itself: its own sign of life, the mailbox, the disk, the certificates that are shown. What is wrong is a row in the book
// (store/watch.h), which everybody who tells people reads; it vanishes when it works again.
#pragma once

#include <atomic>

#include "core/error.h"
#include "queue/context.h"

namespace queue {

inline constexpr std::string_view kMailboxTrouble = "mailbox";
inline constexpr std::string_view kDiskTrouble = "disk";

// What the watch remembers from one look to the next.
struct Looks {
  core::Time beaten{};
  core::Time mailbox{};
  core::Time disk{};
  core::Time certificates{};
  bool certificates_well = false;
  bool mailbox_failed = true;  // what waits from before a start is tried at once
};

// One look, to be taken every few seconds: it writes once a minute, and when something changes. What waits for the mailbox
// or the disk is due at once when that works again. Nothing keeps it from looking at the rest.
void look_after(const Context& context, Looks& looks);

// A mail was delivered, or was not: the trouble ends, or is noted.
void mailbox_works(const Context& context);
void mailbox_fails(const Context& context, const core::Error& error);

// For a fax whose next step found no room on the disk: it waits, with the reason in its row.
core::Result<void> wait_for_disk(const Context& context, const store::Fax& fax, const core::Error& error);

}  // namespace queue
