// Faxes that come in: the first webhook, and the payload.
#include "core/log.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "sandbox/state.h"
#include "sandbox/twiml.h"

namespace sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kReception{1500};
constexpr milliseconds kAnnounceAgain[] = {seconds(2), seconds(5), seconds(10)};
constexpr milliseconds kDeliverAgain[] = {seconds(2), seconds(10), seconds(30), seconds(120)};

}  // namespace

void Sandbox::State::announce(const Fax& fax) {
  const OwnNumber own = [&] {
    const std::lock_guard lock(mutex);
    return number;
  }();
  const std::string url = own.voice_receive_mode != "fax" ? std::string() : own.voice_url.empty() ? options.incoming_url : own.voice_url;
  Outgoing first{.method = own.voice_method, .url = url, .parameters = parameters(fax, {})};
  first.wrong_signature = fault_in(fax.faults, "first-webhook-wrong-signature").has_value();
  if (fault_in(fax.faults, "first-webhook-by-get")) first.method = "GET";
  const auto answer = url.empty() ? core::Result<http::Answer>(core::Error{.code = core::Code::settings, .text = "no URL for faxes that come in"}) : caller.send(std::move(first));
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
  const bool rejected = receive && receive->reject && dialect.reject_verb;
  const bool usable = receive && !receive->reject;
  const auto action = usable && !receive->action.empty() ? http::resolve(url, receive->action) : core::Result<std::string>(std::string());
  if (usable && receive->store_media_given && !dialect.store_media_attribute)
    core::log(core::Level::warning, "the sandbox ignores storeMedia, which this dialect has not", {{"sid", fax.sid}});
  change(fax, [&](Fax& now) {
    if (rejected) {
      now.has_media = false;
      now.next.clear();
      return set_status(now, "canceled");
    }
    if (!usable || !action) {
      now.has_media = false;
      return fail(now, receive ? "34106" : receive.error().field, "The answer to the first webhook cannot be used");
    }
    now.action = *action;
    now.method = receive->method;
    now.store_media = receive->store_media || !dialect.store_media_attribute;
    now.next = "deliver";
    now.tries = 0;
    now.due_ms = in(kReception);
  });
}

core::Result<http::Answer> Sandbox::State::post_payload(const Fax& fax) const {
  Outgoing payload{.method = fax.method, .url = fax.action, .parameters = parameters(fax, fax.status)};
  payload.wrong_signature = fault_in(fax.faults, "payload-wrong-signature").has_value();
  if (!fax.has_media || fax.store_media || fax.method == "GET") return caller.send(std::move(payload));
  CORE_TRY(bytes, core::read_file(book.media_path(fax.sid), static_cast<std::size_t>(options.max_document_bytes)));
  const std::string boundary = "------------------------" + crypto::hex(crypto::random_bytes(12));
  payload.body = multipart(payload.parameters, fax.sid + ".pdf", bytes, boundary, fault_in(fax.faults, "payload-parts-reordered").has_value());
  payload.content_type = "multipart/form-data; boundary=" + boundary;
  payload.time_out = seconds(60);
  return caller.send(std::move(payload));
}

void Sandbox::State::deliver(const Fax& fax) {
  if (!fax.is_final())
    change(fax, [&](Fax& now) { set_status(now, now.error_code.empty() ? "received" : "failed"); });
  Fax final_fax = fax;
  if (!final_fax.is_final()) final_fax.status = fax.error_code.empty() ? "received" : "failed";
  const auto send = [&] { return fax.action.empty() ? core::Result<http::Answer>(http::Answer{.status = 204}) : post_payload(final_fax); };
  const auto answer = send();
  if (fault_in(fax.faults, "payload-twice")) (void)send();
  const auto again = fault_in(fax.faults, "payload-never-repeated") ? std::nullopt : wait_after(kDeliverAgain, fax.tries);
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
