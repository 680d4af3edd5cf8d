#include "sandbox/faults.h"

#include <algorithm>

#include "core/fd.h"
#include "core/log.h"
#include "json/value.h"
#include "json/writer.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;

constexpr Fault kFaults[] = {
    {"refuse", Stage::call, -1, "The call to send is refused: 400, the number is not valid."},
    {"unauthorized", Stage::call, -1, "The call to send is answered 401, whatever its credentials."},
    {"rate-limit", Stage::call, 0, "The call to send is answered 429, not taken; with seconds: with Retry-After."},
    {"error-500", Stage::call, -1, "The call to send is answered 500, and the fax is not taken."},
    {"error-500-taken", Stage::call, -1, "The call to send is answered 500, but the fax is taken."},
    {"hang", Stage::call, 90, "The call to send is taken, and answered after so many seconds."},
    {"drop", Stage::call, -1, "The call to send is taken, and the connection closed without an answer."},
    {"answer-twice", Stage::call, -1, "The call to send is taken; the body of the answer comes twice."},
    {"answer-truncated", Stage::call, -1, "The call to send is taken; the answer ends in its middle, shorter than it says."},
    {"answer-huge", Stage::call, -1, "The call to send is taken; the answer has 16 MB of white space behind it."},
    {"not-json", Stage::call, -1, "The call to send is taken, and answered with a web page."},
    {"callbacks-twice", Stage::callbacks, -1, "Each status callback comes twice."},
    {"callbacks-late", Stage::callbacks, 60, "Each status callback comes so many seconds late."},
    {"callbacks-reordered", Stage::callbacks, -1, "The status callbacks come when all is over, the last first."},
    {"callbacks-never", Stage::callbacks, -1, "No status callback comes."},
    {"callbacks-wrong-signature", Stage::callbacks, -1, "The status callbacks' signature is wrong."},
    {"callbacks-contradicting", Stage::callbacks, -1, "The opposite end is told before the true one, and again after it."},
    {"media-twice", Stage::document, -1, "The document is fetched twice."},
    {"media-head", Stage::document, -1, "HEAD is asked before the document is fetched."},
    {"media-range", Stage::document, -1, "The document is fetched in two pieces, by Range."},
    {"media-slow", Stage::document, -1, "The document is read slowly, 16 KB a second."},
    {"media-never", Stage::document, -1, "The document is never fetched: the fax stays queued until it is canceled."},
    {"one-page-less", Stage::document, -1, "The fax is delivered with one page less than it has."},
    {"first-webhook-wrong-signature", Stage::incoming, -1, "The first webhook's signature is wrong."},
    {"first-webhook-by-get", Stage::incoming, -1, "The first webhook comes by GET."},
    {"payload-wrong-signature", Stage::incoming, -1, "The payload's signature is wrong."},
    {"payload-twice", Stage::incoming, -1, "The payload comes twice, both times as if for the first time."},
    {"payload-never-repeated", Stage::incoming, -1, "The payload is tried once, whatever the answer."},
    {"payload-parts-reordered", Stage::incoming, -1, "The part Media comes before the text parts (of a payload that has it)."},
    {"media-url-expired", Stage::incoming, -1, "The payload's MediaUrl has expired; the API gives a fresh one."},
    {"no-media-url", Stage::incoming, -1, "The payload has no MediaUrl, though the document is kept."},
};

std::string to_json(const std::map<std::string, Armed, std::less<>>& armed) {
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, one] : armed) writer.key(name).begin_object().member("times", one.times).member("seconds", one.seconds).end_object();
  writer.end_object();
  return writer.text() + "\n";
}

}  // namespace

std::span<const Fault> known_faults() { return kFaults; }

const Fault* find_fault(std::string_view name) {
  const auto found = std::find_if(std::begin(kFaults), std::end(kFaults), [&](const Fault& fault) { return fault.name == name; });
  return found == std::end(kFaults) ? nullptr : found;
}

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::call: return "call";
    case Stage::callbacks: return "callbacks";
    case Stage::document: return "document";
    case Stage::incoming: return "incoming";
  }
  return "";
}

void Faults::open() {
  const std::lock_guard lock(mutex_);
  armed_.clear();
  const auto text = core::read_file(path_, kMaxBytes);
  if (!text && text.error().code == core::Code::not_found) return;
  const auto value = text ? json::parse(*text) : core::Result<json::Value>(text.error());
  if (!value) {
    core::log(core::Level::error, "the sandbox's faults cannot be read: none is armed", value.error());
    return;
  }
  for (const auto& [name, one] : value->members())
    if (find_fault(name) != nullptr) armed_[name] = {one["times"].as_int64().value_or(0), one["seconds"].as_int64().value_or(0)};
}

// Under the lock.
core::Result<void> Faults::store(Map armed) {
  std::erase_if(armed, [](const auto& one) { return one.second.times <= 0; });
  CORE_CHECK(core::replace_file(path_, to_json(armed), 0600));
  armed_ = std::move(armed);
  return {};
}

core::Result<void> Faults::arm(std::string_view name, Armed armed) {
  const std::lock_guard lock(mutex_);
  Map changed = armed_;
  changed.insert_or_assign(std::string(name), armed);
  return store(std::move(changed));
}

core::Result<void> Faults::clear() {
  const std::lock_guard lock(mutex_);
  return store({});
}

std::map<std::string, Armed, std::less<>> Faults::armed() const {
  const std::lock_guard lock(mutex_);
  return armed_;
}

std::optional<std::pair<std::string, std::int64_t>> Faults::take_for_call() {
  const std::lock_guard lock(mutex_);
  for (const Fault& fault : kFaults) {
    const auto found = armed_.find(fault.name);
    if (fault.stage != Stage::call || found == armed_.end()) continue;
    const std::int64_t seconds = found->second.seconds;
    Map changed = armed_;
    changed.find(fault.name)->second.times -= 1;
    if (const auto stored = store(std::move(changed)); !stored) {
      core::log(core::Level::error, "the sandbox cannot use up a fault", stored.error());
      return std::nullopt;
    }
    return std::pair(std::string(fault.name), seconds);
  }
  return std::nullopt;
}

std::string Faults::take_for_fax(std::span<const Stage> stages) {
  const std::lock_guard lock(mutex_);
  std::string taken;
  Map changed = armed_;
  for (auto& [name, one] : changed) {
    const Fault* fault = find_fault(name);
    if (std::find(stages.begin(), stages.end(), fault->stage) == stages.end()) continue;
    taken += (taken.empty() ? "" : " ") + name + "=" + std::to_string(one.seconds);
    one.times -= 1;
  }
  if (taken.empty()) return taken;
  if (const auto stored = store(std::move(changed)); !stored) {
    core::log(core::Level::error, "the sandbox cannot use up a fault", stored.error());
    return "";
  }
  return taken;
}

std::optional<std::int64_t> fault_in(std::string_view faults, std::string_view name) {
  for (const auto one : text::split(faults, ' ')) {
    const auto equals = one.find('=');
    if (equals != std::string_view::npos && one.substr(0, equals) == name) return text::parse_int64(one.substr(equals + 1)).value_or(0);
  }
  return std::nullopt;
}

}  // namespace sandbox
