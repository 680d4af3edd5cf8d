// What happens to faxes as time goes by.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/log.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "sandbox/pdf.h"
#include "sandbox/state.h"
#include "sandbox/twiml.h"

namespace sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBeforeDialling{1000};
constexpr milliseconds kTransmission{2500};
constexpr milliseconds kSlowTransmission{57'000};
constexpr milliseconds kReception{1500};
// Between one try and the next; after the last one it is given up.
constexpr milliseconds kFetchAgain[] = {seconds(2), seconds(4), seconds(8)};
constexpr milliseconds kAnnounceAgain[] = {seconds(2), seconds(5), seconds(10)};
constexpr milliseconds kDeliverAgain[] = {seconds(2), seconds(10), seconds(30), seconds(120)};
constexpr milliseconds kCallBackAgain[] = {seconds(1), seconds(5), seconds(30)};
constexpr milliseconds kStoreAgain = seconds(2);

bool is_success(const core::Result<http::Answer>& answer) { return answer && answer->status >= 200 && answer->status < 300; }

std::string said(const core::Result<http::Answer>& answer) {
  return answer ? "HTTP " + std::to_string(answer->status) : std::string(core::name(answer.error().code));
}

template <std::size_t N>
std::optional<milliseconds> wait_after(const milliseconds (&waits)[N], std::int64_t tries) {
  if (tries < 0 || tries >= static_cast<std::int64_t>(N)) return std::nullopt;
  return waits[static_cast<std::size_t>(tries)];
}

core::Result<void> link_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0 && errno != EEXIST) return core::errno_error("link", to, errno);
  return {};
}

}  // namespace

void Sandbox::State::set_status(Fax& fax, std::string_view status) const {
  fax.status = status;
  fax.updated_ms = now_ms();
  if (!fax.status_callback.empty()) fax.callbacks.push_back({fax.status, fax.updated_ms, 0});
}

void Sandbox::State::fail(Fax& fax, std::string_view code, std::string_view message) const {
  fax.error_code = code;
  fax.error_message = message;
  fax.next.clear();
  set_status(fax, "failed");
}

template <typename Change>
void Sandbox::State::change(const Fax& fax, Change how) {
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

// ---- outbound

core::Result<void> Sandbox::State::take_document(const Fax& fax, Fax& fetched) {
  const std::string part = book.temporary_path();
  CORE_TRY(file, core::open_file(part, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const auto answer = caller.send({.method = "GET", .url = fax.given_media_url, .output_fd = file.get(), .max_body_bytes = options.max_document_bytes, .time_out = seconds(60)});
  const auto again = answer ? std::nullopt : wait_after(kFetchAgain, fax.tries);
  if (!answer && answer.error().code == core::Code::provider_down && again) {
    fetched.tries += 1;
    fetched.due_ms = in(*again);
  } else if (!answer) {
    fail(fetched, answer.error().code == core::Code::too_large ? "11750" : "11205", "HTTP connection failure: " + said(answer));
  } else if (answer->status != 200) {
    fail(fetched, "11200", "HTTP retrieval failure: " + said(answer));
  } else if (const auto pdf = is_pdf(part); !pdf || !*pdf) {
    fail(fetched, "12300", "Invalid Content-Type: the document is not a PDF");
  } else {
    CORE_CHECK(core::sync(file.get(), part));
    fetched.pages = options.page_counter ? options.page_counter(part) : count_pages(part);
    fetched.has_media = true;
    fetched.media_sid = new_sid("ME");
    fetched.next = "dial";
    fetched.due_ms = in(kBeforeDialling);
    if (::rename(part.c_str(), book.media_path(fax.sid).c_str()) != 0) return core::errno_error("rename", part, errno);
    return core::sync_folder(options.folder + "/media");
  }
  ::unlink(part.c_str());
  return {};
}

void Sandbox::State::fetch(const Fax& fax) {
  if (fax.status == "queued") change(fax, [&](Fax& now) { set_status(now, "processing"); });
  Fax fetched = fax;
  fetched.callbacks.clear();
  if (const auto taken = take_document(fax, fetched); !taken) {
    core::log(core::Level::error, "the sandbox cannot store a document", taken.error(), {{"sid", fax.sid}});
    const std::lock_guard lock(mutex);
    held[fax.sid] = in(kStoreAgain);
    return;
  }
  change(fax, [&](Fax& now) {
    now.pages = fetched.pages;
    now.has_media = fetched.has_media;
    now.media_sid = fetched.media_sid;
    now.next = fetched.next;
    now.due_ms = fetched.due_ms;
    now.tries = fetched.tries;
    if (fetched.status == "failed") fail(now, fetched.error_code, fetched.error_message);
  });
  const std::lock_guard lock(mutex);
  const Fax* now = book.find(fax.sid);
  if (now == nullptr || !now->has_media) ::unlink(book.media_path(fax.sid).c_str());  // canceled meanwhile
}

void Sandbox::State::dial(const Fax& fax) {
  change(fax, [&](Fax& now) {
    now.next = "end";
    now.due_ms = in(now.to == kSlow ? kSlowTransmission : kTransmission);
    set_status(now, "sending");
  });
}

// The fax as which a sent one comes in. Done again after a crash, it does nothing that was done.
core::Result<void> Sandbox::State::comes_in(const Fax& sent) {
  const std::lock_guard lock(mutex);
  if (book.find(sent.inbound_sid) != nullptr) return {};
  Fax fax;
  fax.sid = sent.inbound_sid;
  fax.direction = "inbound";
  fax.from = sent.from;
  fax.to = sent.to;
  fax.status = "receiving";
  fax.pages = sent.pages;
  fax.quality = sent.quality;
  fax.created_ms = fax.updated_ms = now_ms();
  fax.next = "announce";
  fax.due_ms = now_ms();
  fax.media_sid = new_sid("ME");
  fax.has_media = true;
  CORE_CHECK(link_file(book.media_path(sent.sid), book.media_path(fax.sid)));
  CORE_CHECK(core::sync_folder(options.folder + "/media"));
  return book.put(fax);
}

void Sandbox::State::end(const Fax& fax) {
  if (fax.to == options.own_number) {
    Fax sent = fax;
    if (sent.inbound_sid.empty()) {
      sent.inbound_sid = new_sid("FX");
      change(fax, [&](Fax& now) { now.inbound_sid = sent.inbound_sid; });
    }
    if (const auto arrived = comes_in(sent); !arrived) {
      core::log(core::Level::error, "the sandbox cannot store a fax", arrived.error(), {{"sid", fax.sid}});
      const std::lock_guard lock(mutex);
      held[fax.sid] = in(kStoreAgain);
      return;
    }
  }
  change(fax, [&](Fax& now) {
    now.next.clear();
    if (!now.store_media) now.has_media = false;
    if (now.to == kBusy) return set_status(now, "busy");
    if (now.to == kNoAnswer) return set_status(now, "no-answer");
    if (now.to == kFails) return fail(now, "34004", "Fax transmission error");
    if (is_fault(now.to, kOnePageLess) && now.pages) now.pages = *now.pages - 1;
    set_status(now, "delivered");
  });
}

Pairs Sandbox::State::parameters(const Fax& fax, std::string_view status) const {
  Pairs pairs{{"FaxSid", fax.sid}, {"AccountSid", options.account_sid}, {"From", fax.from}, {"To", fax.to}, {"ApiVersion", "v1"}};
  if (status.empty()) return pairs;
  pairs.emplace_back("FaxStatus", status);
  pairs.emplace_back("RemoteStationId", fax.direction == "inbound" ? fax.from : fax.to);
  if (!fax.given_media_url.empty()) pairs.emplace_back("OriginalMediaUrl", fax.given_media_url);
  if (fax.pages && status != "failed") pairs.emplace_back("NumPages", std::to_string(*fax.pages));
  if (status == "failed" && !fax.error_code.empty()) {
    pairs.emplace_back("ErrorCode", fax.error_code);
    pairs.emplace_back("ErrorMessage", fax.error_message);
  }
  return pairs;
}

void Sandbox::State::call_back(const Fax& fax) {
  const Callback callback = fax.callbacks.front();
  const auto answer = caller.send({.url = fax.status_callback, .parameters = parameters(fax, callback.status)});
  const auto again = wait_after(kCallBackAgain, callback.tries);
  if (!is_success(answer)) core::log(core::Level::warning, "a status callback of the sandbox was not taken", {{"sid", fax.sid}, {"said", said(answer)}});

  const std::lock_guard lock(mutex);
  const Fax* now = book.find(fax.sid);
  if (now == nullptr || now->callbacks.empty() || now->callbacks.front().status != callback.status) return;
  Fax done = *now;
  if (is_success(answer) || !again) {
    done.callbacks.erase(done.callbacks.begin());
  } else {
    done.callbacks.front().tries += 1;
    done.callbacks.front().due_ms = in(*again);
  }
  if (!book.put(done)) held[fax.sid + "/callback"] = in(kStoreAgain);
}

// ---- inbound

void Sandbox::State::announce(const Fax& fax) {
  const auto answer = options.incoming_url.empty() ? core::Result<http::Answer>(core::Error{.code = core::Code::settings, .text = "no URL for faxes that come in"})
                                                   : caller.send({.url = options.incoming_url, .parameters = parameters(fax, {})});
  const auto again = wait_after(kAnnounceAgain, fax.tries);
  if (!is_success(answer)) {
    core::log(core::Level::warning, "nobody takes a fax that comes in to the sandbox", {{"sid", fax.sid}, {"said", said(answer)}});
    change(fax, [&](Fax& now) {
      if (!again) {
        now.has_media = false;
        return fail(now, "11200", "HTTP retrieval failure: " + said(answer));
      }
      now.tries += 1;
      now.due_ms = in(*again);
    });
    return;
  }
  const auto receive = read_twiml(answer->body);
  const auto action = receive && !receive->action.empty() ? http::resolve(options.incoming_url, receive->action) : core::Result<std::string>(std::string());
  change(fax, [&](Fax& now) {
    if (!receive || !action) {
      now.has_media = false;
      return fail(now, receive ? "34106" : receive.error().field, "The answer to the first webhook cannot be used");
    }
    now.action = *action;
    now.method = receive->method;
    now.store_media = receive->store_media;
    now.next = "deliver";
    now.tries = 0;
    now.due_ms = in(kReception);
  });
}

core::Result<http::Answer> Sandbox::State::post_payload(const Fax& fax) const {
  Pairs pairs = parameters(fax, fax.status);
  if (!fax.has_media || fax.store_media) {
    if (fax.has_media) {
      pairs.emplace_back("MediaSid", fax.media_sid);
      pairs.emplace_back("MediaUrl", media_url(fax));
    }
    return caller.send({.method = fax.method, .url = fax.action, .parameters = std::move(pairs)});
  }
  CORE_TRY(bytes, core::read_file(book.media_path(fax.sid), static_cast<std::size_t>(options.max_document_bytes)));
  const std::string boundary = "------------------------" + crypto::hex(crypto::random_bytes(12));
  std::string body = multipart(pairs, fax.sid + ".pdf", bytes, boundary);
  return caller.send({.url = fax.action, .parameters = std::move(pairs), .body = std::move(body), .content_type = "multipart/form-data; boundary=" + boundary, .time_out = seconds(60)});
}

void Sandbox::State::deliver(const Fax& fax) {
  if (!fax.is_final())
    change(fax, [&](Fax& now) { set_status(now, now.error_code.empty() ? "received" : "failed"); });
  Fax final_fax = fax;
  if (!final_fax.is_final()) final_fax.status = fax.error_code.empty() ? "received" : "failed";
  const auto answer = fax.action.empty() ? core::Result<http::Answer>(http::Answer{.status = 204}) : post_payload(final_fax);
  const auto again = wait_after(kDeliverAgain, fax.tries);
  if (!is_success(answer)) core::log(core::Level::warning, "a received fax was not taken from the sandbox", {{"sid", fax.sid}, {"said", said(answer)}});
  change(fax, [&](Fax& now) {
    if (!is_success(answer) && again) {
      now.tries += 1;
      now.due_ms = in(*again);
      return;
    }
    now.next.clear();
    if (!now.store_media) now.has_media = false;  // as Twilio: it was in the request, and is nowhere now
  });
}

}  // namespace sandbox
