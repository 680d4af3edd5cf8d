#include "queue/certificates.h"

#include <optional>

#include "core/log.h"
#include "crypto/certificate.h"
#include "store/certificates.h"

namespace queue {

namespace {

using namespace std::chrono_literals;

// False: it did not answer.
core::Result<bool> note(const Context& context, const Listeners& listeners, const std::string& name, const std::string& address) {
  const auto pem = listeners.certificate(address, listeners.host_name);
  if (!pem) return false;
  const auto it = crypto::read_certificate(*pem, listeners.host_name);
  if (!it) {
    core::log(core::Level::warning, "the certificate of a listener cannot be read", it.error(), {{"listener", name}});
    return false;
  }
  CORE_CHECK(store::note_certificate(context.faxes, listeners.machine, {name, it->serial, it->not_after, it->self_signed, it->fits, context.clock.now()}));
  return true;
}

// What is wrong with it, for people; nothing: all is well.
std::optional<std::string> trouble_of(const store::ServedCertificate& it, const std::string& host_name, core::Time now) {
  if (it.self_signed)
    return "The certificate is one that this machine made for itself. Browsers warn of it, and a provider refuses it, so that no fax would go out or come in. `sudo faxline certificate get` fetches a real one.";
  if (it.not_after <= now) return "The certificate has ended on " + core::rfc3339(it.not_after) + ": no fax goes out or comes in. `sudo certbot renew` says why it was not renewed.";
  if (it.not_after - now < kEndsSoon) return "The certificate ends on " + core::rfc3339(it.not_after) + ", and was not renewed by itself. `sudo certbot renew` says what is in the way.";
  if (!it.fits) return "The certificate is not for " + host_name + ", so a provider refuses it. `sudo faxline certificate get` fetches one that is.";
  return std::nullopt;
}

core::Result<void> note_trouble(const Context& context, const std::optional<std::string>& text) {
  if (context.watch == nullptr) return {};
  if (!text) {
    CORE_TRY(ended, context.watch->end_trouble(kCertificateTrouble));
    if (ended) core::log(core::Level::info, "the trouble is over", {{"kind", kCertificateTrouble}});
    return {};
  }
  CORE_TRY(is_new, context.watch->note_trouble(kCertificateTrouble, *text, context.clock.now()));
  if (is_new) core::log(core::Level::error, "TROUBLE: people are told of it until it is over", {{"kind", kCertificateTrouble}, {"what", *text}});
  return {};
}

}  // namespace

core::Result<bool> look_at_certificates(const Context& context, const Listeners& listeners) {
  bool all = true;
  for (const auto& [name, address] : listeners.addresses) {
    CORE_TRY(answered, note(context, listeners, name, address));
    all &= answered || name == "pop3";  // there may be no mailbox yet
  }
  const auto now = context.clock.now();
  CORE_TRY(shown, store::served_certificates(context.faxes, now));
  std::optional<std::string> text;
  for (const auto& it : shown) {
    if (it.listener == "pop3") continue;  // mail programs ask their user; providers do not come there
    if (auto wrong = trouble_of(it, listeners.host_name, now); wrong && !text) text = std::move(wrong);
    // A clock that is not believed must not frighten anybody.
    if (!it.self_signed && it.not_after - now < kEndsSoon && (context.time == nullptr || context.time->may_end())) CORE_CHECK(store::tell_of_end(context.faxes, it, now));
  }
  CORE_CHECK(note_trouble(context, text));
  return all && !text;
}

}  // namespace queue
