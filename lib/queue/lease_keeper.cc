#include "queue/lease_keeper.h"

#include "core/log.h"

namespace queue {

LeaseKeeper::LeaseKeeper(const Context& context, std::string fax_id) : context_(context), fax_id_(std::move(fax_id)) {
  if (!context_.worker.empty()) thread_ = std::thread([this] { keep(); });
}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::lock_guard hold(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LeaseKeeper::keep() {
  std::unique_lock hold(mutex_);
  while (!ended_.wait_for(hold, core::Milliseconds(context_.options.lease) / 3, [this] { return over_; })) {
    const auto kept = context_.faxes.renew(fax_id_, context_.worker, context_.clock.now() + context_.options.lease);
    if (!kept) core::log(core::Level::warning, "lease not renewed", kept.error(), {{"fax", fax_id_}});
    else if (!*kept) return core::log(core::Level::warning, "lease not renewed: the fax is another worker's", {{"fax", fax_id_}});
  }
}

}  // namespace queue
