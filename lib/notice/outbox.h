// The outbox at work: shares out what is new, tries what is due, each way in a thread of its own.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "notice/ways.h"
#include "store/notices.h"

namespace notice {

// Between two tries of one notice: 10 s, doubled, an hour at most.
std::chrono::seconds wait_after(std::int64_t tries);

// A notice that was not taken for so long, and tried so often (a clock may jump), is given up; the Maildir's never.
constexpr auto kGiveUpAfter = std::chrono::hours(72);
constexpr std::int64_t kGiveUpTries = 10;

class Outbox {
 public:
  // References: the caller's. `worker` is the same after each start, and another on each machine.
  Outbox(const Ways& ways, store::Notices& notices, std::string worker) : ways_(ways), notices_(notices), worker_(std::move(worker)) {}

  // Makes errands of new notices, by the ways that are set. An arrival makes none for the Maildir: its mail is the notice.
  core::Result<std::int64_t> share_out();

  enum class Step { nothing_due, told, put_off, unreachable };
  // One due errand of this family ("smtp"), if there is one.
  core::Result<Step> run_one(const std::string& family);

  // Until one of the two is true. What is under way is finished first; a mail is broken off, and tried again later.
  void run(const std::atomic<bool>& stop, const std::atomic<bool>& over);

 private:
  std::vector<std::string> ways_in(const std::string& family) const;
  core::Result<Step> fail(const store::Errand& errand, const core::Error& error);
  void work(const std::string& family, const std::function<bool()>& stop, const std::atomic<std::uint64_t>& rings);

  const Ways& ways_;
  store::Notices& notices_;
  std::string worker_;
};

}  // namespace notice
