#include "sandbox/sandbox.h"

#include <algorithm>

#include "sandbox/state.h"

namespace sandbox {
namespace {

class HttpNetwork final : public Network {
 public:
  explicit HttpNetwork(http::Options options) : client_(std::move(options)) {}
  core::Result<http::Answer> send(const http::Call& call) override { return client_.send(call); }

 private:
  http::Client client_;
};

std::unique_ptr<Network> network_for(const Options& options) {
  if (options.network != nullptr) return nullptr;
  return std::make_unique<HttpNetwork>(http::Options{.ca_file = options.ca_file, .user_agent = "faxline-sandbox", .connect_to = options.connect_to});
}

constexpr std::chrono::milliseconds kLongestWait{1000};
constexpr std::chrono::milliseconds kKept = std::chrono::hours(24 * 180);  // as long as Twilio kept its log

}  // namespace

Sandbox::State::State(Options given)
    : options(std::move(given)),
      dialect(dialect_of(options.dialect)),
      own_network(network_for(options)),
      network(options.network != nullptr ? *options.network : *own_network),
      caller(network, dialect, options.signing_key.empty() ? options.token.reveal() : options.signing_key.reveal(), options.connect_to),
      faults(options.folder),
      book(options.folder) {}

std::int64_t Sandbox::State::now_ms() const { return core::to_ms(options.clock != nullptr ? options.clock->now() : system_clock.now()); }

std::int64_t Sandbox::State::in(std::chrono::milliseconds wait) const {
  return now_ms() + static_cast<std::int64_t>(static_cast<double>(wait.count()) * options.time_scale);
}

Sandbox::Sandbox(Options options) : state_(std::make_unique<State>(std::move(options))) {}
Sandbox::~Sandbox() = default;

core::Result<void> Sandbox::open() {
  const std::lock_guard lock(state_->mutex);
  CORE_CHECK(state_->book.open());
  CORE_CHECK(state_->open_number());
  state_->faults.open();
  std::vector<std::string> old;
  for (const Fax* fax : state_->book.newest_first())
    if (fax->is_final() && fax->created_ms < state_->now_ms() - kKept.count()) old.push_back(fax->sid);
  for (const std::string& sid : old) CORE_CHECK(state_->book.remove(sid));
  return {};
}

Response Sandbox::handle(const Request& request) { return state_->handle(request); }

bool Sandbox::step() { return state_->step(); }

void Sandbox::run(std::stop_token stop) {
  State& state = *state_;
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    std::int64_t next = state.now_ms() + kLongestWait.count();
    {
      const std::lock_guard lock(state.mutex);
      seen = state.changes;
      for (const Fax* fax : state.book.unfinished()) {
        if (!fax->next.empty()) next = std::min(next, fax->due_ms);
        if (!fax->callbacks.empty()) next = std::min(next, fax->callbacks.front().due_ms);
      }
    }
    if (state.step()) continue;
    // At least a moment: what is due may be another worker's, or held.
    const std::chrono::milliseconds wait(std::clamp<std::int64_t>(next - state.now_ms(), 20, kLongestWait.count()));
    std::unique_lock lock(state.mutex);
    state.changed.wait_for(lock, stop, wait, [&] { return state.changes != seen; });
  }
}

}  // namespace sandbox
