// Faxes that are sent: the document is fetched, the number "dialled".
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/log.h"
#include "sandbox/pdf.h"
#include "sandbox/state.h"

namespace sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBeforeDialling{1000};
constexpr milliseconds kTransmission{2500};
constexpr milliseconds kSlowTransmission{57'000};
constexpr milliseconds kFetchAgain[] = {seconds(2), seconds(4), seconds(8)};
constexpr std::int64_t kSlowBytesASecond = 16 * 1024;
constexpr Stage kIncoming[] = {Stage::incoming};

core::Result<void> link_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0 && errno != EEXIST) return core::errno_error("link", to, errno);
  return {};
}

}  // namespace

core::Result<http::Answer> Sandbox::State::get_document(const Fax& fax, int file) const {
  const auto fault = [&](std::string_view name) { return fault_in(fax.faults, name).has_value(); };
  Outgoing ask{.method = "GET", .url = fax.given_media_url, .output_fd = file, .max_body_bytes = options.max_document_bytes, .time_out = seconds(60)};
  if (fault("media-head")) (void)caller.send({.method = "HEAD", .url = fax.given_media_url});
  if (fault("media-slow")) {
    ask.bytes_a_second = kSlowBytesASecond;
    ask.time_out = seconds(600);
  }
  if (fault("media-twice")) {
    CORE_TRY(nowhere, core::open_file("/dev/null", O_WRONLY));
    Outgoing first = ask;
    first.output_fd = nowhere.get();
    (void)caller.send(std::move(first));
  }
  if (!fault("media-range")) return caller.send(std::move(ask));
  ask.range = "bytes=0-1023";
  CORE_TRY(begin, caller.send(ask));
  if (begin.status != 206) return begin;
  ask.range = "bytes=1024-";
  CORE_TRY(rest, caller.send(std::move(ask)));
  if (rest.status == 206 || rest.status == 416) rest.status = 200;  // 416: there were no more
  return rest;
}

core::Result<void> Sandbox::State::take_document(const Fax& fax, Fax& fetched) {
  const std::string part = book.temporary_path();
  CORE_TRY(file, core::open_file(part, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const auto answer = get_document(fax, file.get());
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
    fetched.media_sid = dialect.new_id("ME");
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
  fax.faults = faults.take_for_fax(kIncoming);
  fax.created_ms = fax.updated_ms = now_ms();
  fax.next = "announce";
  fax.due_ms = now_ms();
  fax.media_sid = dialect.new_id("ME");
  fax.has_media = true;
  CORE_CHECK(link_file(book.media_path(sent.sid), book.media_path(fax.sid)));
  CORE_CHECK(core::sync_folder(options.folder + "/media"));
  return book.put(fax);
}

void Sandbox::State::end(const Fax& fax) {
  if (fax.to == options.own_number) {
    Fax sent = fax;
    if (sent.inbound_sid.empty()) {
      sent.inbound_sid = dialect.new_id("FX");
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
    if (fault_in(now.faults, "one-page-less") && now.pages) now.pages = *now.pages - 1;
    set_status(now, "delivered");
  });
}

}  // namespace sandbox
