// Keeps a fax leased while one step of it takes long.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "queue/context.h"

namespace queue {

// As long as it lives, the lease of `fax_id` is renewed at each third of its time, by a thread of its own: no other worker
// takes the fax for a dead one's. A process that is stopped or killed renews nothing. Without a worker there is no lease,
// and no thread. Errors are logged: then the lease ends, and another may begin the same step.
class LeaseKeeper {
 public:
  LeaseKeeper(const Context& context, std::string fax_id);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

 private:
  void keep();

  const Context& context_;
  std::string fax_id_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace queue
