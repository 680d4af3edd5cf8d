// A provider that says what the test wrote down, and a power switch that cuts the queue off
// at any durable step.
#pragma once

#include <deque>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "core/fd.h"
#include "fax/provider.h"

namespace bench {

// Counts commits of the book and calls to the outside. At the chosen one the power fails: from
// then on nothing has an effect any more; or (`once`) that one alone fails.
class Power {
 public:
  static Power& the() {
    static Power power;
    return power;
  }
  void cut_at(int step, bool once) { left_ = step, once_ = once, hit_ = off_ = false; }
  void restore() { left_ = 0, off_ = false; }
  bool hit() const { return hit_; }
  bool off() const { return off_; }
  // False: this step fails.
  bool step() {
    if (off_) return false;
    if (left_ == 0 || --left_ > 0) return true;
    hit_ = true;
    off_ = !once_;
    return false;
  }

 private:
  // Every connection that SQLite opens asks here before it commits. By dlsym, so that
  // the programs need no header and no library of SQLite's.
  Power() {
    using Entry = int (*)(void*, char**, const void*);
    const auto extend = reinterpret_cast<int (*)(Entry)>(::dlsym(RTLD_DEFAULT, "sqlite3_auto_extension"));
    extend([](void* connection, char**, const void*) {
      const auto hook = reinterpret_cast<void* (*)(void*, int (*)(void*), void*)>(::dlsym(RTLD_DEFAULT, "sqlite3_commit_hook"));
      hook(connection, [](void*) { return Power::the().step() ? 0 : 1; }, nullptr);
      return 0;
    });
  }
  int left_ = 0;
  bool once_ = false, hit_ = false, off_ = false;
};

inline core::Error down() { return {core::Code::provider_down, "no connection"}; }
inline core::Error lost() { return {core::Code::unknown_outcome, "the answer did not come"}; }

class Provider final : public fax::Provider {
 public:
  using Outcome = fax::SubmitOutcome;

  // --- what the test writes down ---
  std::deque<Outcome> outcomes;                            // of submit(), in order; then each is taken, as FX1, FX2, …
  std::function<void(const fax::SubmitRequest&)> on_submit;  // while the call is being made
  std::map<std::string, fax::ProviderFax> faxes;           // what fetch() says
  std::deque<core::Error> fetch_errors;                    // first
  std::vector<fax::ProviderFax> listed;
  std::int64_t unreadable = 0;                             // entries of the list
  std::deque<core::Error> list_errors;
  std::deque<fax::CancelOutcome> cancels;                  // then too_late
  std::map<std::string, std::string> documents;            // by URL
  std::deque<core::Error> download_errors;
  std::function<void()> on_download;                       // before it answers
  std::map<std::string, std::string> media_urls;           // by FaxSid
  std::deque<core::Error> delete_errors;
  // What becomes of a fax that was taken, at each look.
  std::function<void(fax::ProviderFax&, const fax::SubmitRequest&)> move;

  // --- what it saw ---
  std::vector<std::string> calls;  // "submit", "fetch FX1", "list", "cancel FX1", "download URL", "media_url FX1", "delete FX1"
  std::vector<fax::SubmitRequest> requests;
  std::map<std::string, fax::SubmitRequest> taken;
  fax::ListQuery asked;
  core::Time now{};
  std::int64_t most_bytes = 0;

  std::size_t count(std::string_view call) const {
    std::size_t n = 0;
    for (const auto& one : calls) n += one.starts_with(call) ? 1U : 0U;
    return n;
  }
  fax::ProviderFax& fax(const std::string& id, fax::ProviderStatus status, std::string to = "+12125551212") {
    auto& it = faxes[id];
    it.id = id, it.status = status, it.from = "+15005550006", it.to = std::move(to), it.created = now;
    return it;
  }

  Outcome submit(const fax::SubmitRequest& request) override {
    if (!Power::the().step()) return {.error = down()};
    calls.emplace_back("submit");
    requests.push_back(request);
    Outcome outcome{.kind = Outcome::Kind::taken};
    if (!outcomes.empty()) outcome = outcomes.front(), outcomes.pop_front();
    if (outcome.kind == Outcome::Kind::taken) {
      if (outcome.provider_id.empty()) outcome.provider_id = "FX" + std::to_string(requests.size());
      taken[outcome.provider_id] = request;
      if (!faxes.contains(outcome.provider_id)) fax(outcome.provider_id, fax::ProviderStatus::queued, request.to);
    }
    if (on_submit) on_submit(request);
    if (!Power::the().step()) return {.error = lost()};
    return outcome;
  }
  core::Result<fax::ProviderFax> fetch(const std::string& id) override {
    CORE_CHECK(see("fetch " + id, fetch_errors));
    look();
    if (!faxes.contains(id)) return core::Error{core::Code::not_found, "no such fax"};
    return faxes[id];
  }
  fax::CancelOutcome cancel(const std::string& id) override {
    std::deque<core::Error> none;
    if (!see("cancel " + id, none)) return {};
    fax::CancelOutcome outcome{fax::CancelOutcome::Kind::too_late};
    if (!cancels.empty()) outcome = cancels.front(), cancels.pop_front();
    if (outcome.kind == fax::CancelOutcome::Kind::canceled) faxes[id].status = fax::ProviderStatus::canceled;
    return outcome;
  }
  core::Result<fax::FaxList> list(const fax::ListQuery& query) override {
    asked = query;
    CORE_CHECK(see("list", list_errors));
    look();
    fax::FaxList all{listed, unreadable};
    for (const auto& [id, request] : taken) all.faxes.push_back(faxes[id]);
    return all;
  }
  core::Result<std::int64_t> download(const std::string& url, int output_fd, std::int64_t max_bytes) override {
    most_bytes = max_bytes;
    CORE_CHECK(see("download " + url, download_errors));
    if (on_download) on_download();
    if (!documents.contains(url)) return core::Error{core::Code::not_found, "no such document"};
    const auto& bytes = documents[url];
    if (std::int64_t(bytes.size()) > max_bytes) return core::Error{core::Code::too_large, "too large"};
    CORE_CHECK(core::write_all(output_fd, std::as_bytes(std::span(bytes)), "download"));
    return std::int64_t(bytes.size());
  }
  core::Result<std::string> media_url(const std::string& id) override {
    std::deque<core::Error> none;
    CORE_CHECK(see("media_url " + id, none));
    if (!media_urls.contains(id)) return core::Error{core::Code::not_found, "no document"};
    return media_urls[id];
  }
  core::Result<void> delete_media(const std::string& id) override {
    CORE_CHECK(see("delete " + id, delete_errors));
    deleted.push_back(id);
    return {};
  }
  std::vector<std::string> deleted;

 private:
  core::Result<void> see(const std::string& call, std::deque<core::Error>& errors) {
    if (!Power::the().step()) return lost();
    calls.push_back(call);
    if (errors.empty()) return {};
    const auto error = errors.front();
    errors.pop_front();
    return error;
  }
  void look() {
    if (!move) return;
    for (const auto& [id, request] : taken) move(faxes[id], request);
  }
};

}  // namespace bench
