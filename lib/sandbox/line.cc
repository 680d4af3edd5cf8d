// What is to be done next, and how faxes change.
#include <unistd.h>

#include <algorithm>

#include "core/log.h"
#include "sandbox/state.h"

namespace sandbox {

bool is_success(const core::Result<http::Answer>& answer) { return answer && answer->status >= 200 && answer->status < 300; }

std::string said(const core::Result<http::Answer>& answer) {
  return answer ? "HTTP " + std::to_string(answer->status) : std::string(core::name(answer.error().code));
}

void Sandbox::State::set_status(Fax& fax, std::string_view status) const {
  fax.status = status;
  fax.updated_ms = now_ms();
  tell(fax);
}

void Sandbox::State::fail(Fax& fax, std::string_view code, std::string_view message) const {
  fax.error_code = code;
  fax.error_message = message;
  fax.next.clear();
  set_status(fax, "failed");
}

void Sandbox::State::change(const Fax& fax, const std::function<void(Fax&)>& how) {
  const std::lock_guard lock(mutex);
  const Fax* now = book.find(fax.sid);
  if (now == nullptr || now->next != fax.next) return;
  const bool had_media = now->has_media;
  Fax changed_fax = *now;
  how(changed_fax);
  const auto stored = book.put(changed_fax);
  if (!stored) {
    core::log(core::Level::error, "the sandbox cannot store a fax", stored.error(), {{"sid", fax.sid}});
    held[fax.sid] = in(kStoreAgain);
  } else if (had_media && !changed_fax.has_media) {
    ::unlink(book.media_path(fax.sid).c_str());  // else it is tidied up at the next start
  }
  ++changes;
}

bool Sandbox::State::step() {
  Fax fax;
  std::string task;
  bool callback = false;
  {
    const std::lock_guard lock(mutex);
    const std::int64_t now = now_ms();
    std::int64_t best = now + 1;
    const auto consider = [&](const Fax& candidate, std::int64_t due, bool is_callback) {
      std::string key = candidate.sid + (is_callback ? "/callback" : "");
      const auto hold = held.find(key);
      if (due >= best || busy.contains(key) || (hold != held.end() && hold->second > now)) return;
      best = due;
      fax = candidate;
      task = std::move(key);
      callback = is_callback;
    };
    for (const Fax* candidate : book.unfinished()) {
      if (!candidate->next.empty()) consider(*candidate, candidate->due_ms, false);
      if (!candidate->callbacks.empty()) consider(*candidate, candidate->callbacks.front().due_ms, true);
    }
    if (task.empty()) return false;
    busy.insert(task);
    held.erase(task);
  }
  if (callback) call_back(fax);
  else if (fax.next == "fetch") fetch(fax);
  else if (fax.next == "dial") dial(fax);
  else if (fax.next == "end") end(fax);
  else if (fax.next == "announce") announce(fax);
  else if (fax.next == "deliver") deliver(fax);
  else change(fax, [](Fax& now) { now.next.clear(); });
  const std::lock_guard lock(mutex);
  busy.erase(task);
  ++changes;
  changed.notify_all();
  return true;
}

}  // namespace sandbox
