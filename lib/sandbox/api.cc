// The API that the fax products have, as their documentation and their client libraries have it.
#include <unistd.h>

#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxForm = 64 * 1024;

constexpr Stage kOutbound[] = {Stage::callbacks, Stage::document};

}  // namespace

core::Result<form::Fields> read_form(const Request& request) {
  if (!text::lower(request.content_type).starts_with("application/x-www-form-urlencoded"))
    return core::Error{.code = core::Code::unsupported, .text = "read a form: of another type"};
  std::string body;
  std::byte block[4096];
  while (request.read_body) {
    CORE_TRY(read, request.read_body(block));
    if (read == 0) break;
    body.append(reinterpret_cast<const char*>(block), read);
    if (body.size() > kMaxForm) return core::Error{.code = core::Code::too_large, .text = "read a form: too large"};
  }
  return form::parse_urlencoded(body);
}

bool Sandbox::State::authorized(const Request& request) const {
  if (!text::equal_ignoring_case(request.authorization.substr(0, 6), "Basic ")) return false;
  const auto pair = crypto::base64_decode(text::trim(std::string_view(request.authorization).substr(6)));
  return pair && crypto::equal(*pair, options.account_sid + ":" + std::string(options.token.reveal()));
}

std::string Sandbox::State::in_account(std::string_view path) const {
  std::string text(path);
  if (const auto place = text.find("{sid}"); place != std::string::npos) text.replace(place, 5, options.account_sid);
  return text;
}

// SignalWire's JavaScript client leaves "/api/laml" out; older pages, and Twilio's clients, have ".json" at the end.
std::vector<std::string_view> Sandbox::State::resource(std::string_view path) const {
  constexpr std::string_view kLaml = "/api/laml";
  if (dialect.host_relative && path.starts_with(kLaml)) path.remove_prefix(kLaml.size());
  const std::string account = "/2010-04-01/Accounts/" + options.account_sid + "/";
  if (!path.starts_with(account)) return {};
  path.remove_prefix(account.size());
  if (path.ends_with(".json")) path.remove_suffix(5);
  return text::split(path, '/');
}

Response Sandbox::State::handle(const Request& request) {
  const std::string_view path = request.path;
  if (path.starts_with("/sandbox/media/")) return document(request);
  if (!authorized(request)) return error(401, 20003, "Authenticate");
  if (path == "/sandbox/receive") return request.method == "POST" ? receive(request) : not_allowed("POST");
  if (path == "/sandbox/faults") return arm_faults(request);
  const auto parts = resource(path);
  const std::span<const std::string_view> all(parts);
  if (!parts.empty() && parts[0] == "IncomingPhoneNumbers") return numbers(request, all.subspan(1));
  if (!parts.empty() && parts[0] == "Faxes" && dialect.host_relative) return faxes(request, all.subspan(1));
  const auto own = text::split(path, '/');  // "", "v1", "Faxes", Sid, "Media", MediaSid
  if (!dialect.host_relative && own.size() >= 3 && own[1] == "v1" && own[2] == "Faxes") return faxes(request, std::span(own).subspan(3));
  return not_found(path);
}

Response Sandbox::State::faxes(const Request& request, std::span<const std::string_view> rest) {
  if (rest.empty()) {
    if (request.method == "POST") return create(request);
    return request.method == "GET" ? list(request) : not_allowed("GET, POST");
  }
  if (rest.size() > 3 || !dialect.is_id(rest[0], "FX")) return not_found(request.path);
  if (rest.size() == 1) return one_fax(request, rest[0]);
  if (rest[1] != "Media") return not_found(request.path);
  const std::lock_guard lock(mutex);
  const Fax* fax = book.find(rest[0]);
  return fax != nullptr ? media(request, *fax, rest.subspan(2)) : not_found(request.path);
}

Fax Sandbox::State::fax_of(const form::Fields& form) {
  const auto value = [&](std::string_view name, std::string_view otherwise = {}) { return std::string(form.first(name).value_or(otherwise)); };
  Fax fax;
  fax.sid = dialect.new_id("FX");
  fax.direction = "outbound";
  fax.to = value("To");
  fax.from = value("From");
  fax.given_media_url = value("MediaUrl");
  fax.quality = value("Quality", "fine");
  fax.status_callback = value("StatusCallback");
  fax.callback_method = value("StatusCallbackMethod", "POST");
  for (const auto event : form.all("StatusCallbackEvent")) fax.callback_events.append(event).append(" ");
  if (dialect.callback_events && fax.callback_events.empty()) fax.callback_events = "completed";
  fax.store_media = value("StoreMedia") != "false";
  fax.faults = faults.take_for_fax(kOutbound);
  fax.created_ms = now_ms();
  set_status(fax, "queued");
  if (fault_in(fax.faults, "media-never")) return fax;
  fax.next = "fetch";
  fax.due_ms = in(std::chrono::milliseconds(500));
  return fax;
}

Response Sandbox::State::create(const Request& request) {
  form::Fields form;
  if (auto refused = refusal(request, dialect.send, form)) return std::move(*refused);
  const auto fault = form.first("To") == kRefused ? std::pair(std::string("refuse"), std::int64_t{0}) : faults.take_for_call().value_or(std::pair(std::string(), std::int64_t{0}));
  if (fault.first == "refuse") return error(400, 21211, "'To' is not a valid phone number");
  if (fault.first == "unauthorized") return error(401, 20003, "Authenticate");
  if (fault.first == "error-500") return error(500, 20500, "An internal server error has occurred");
  if (fault.first == "rate-limit") {
    Response response = error(429, 20429, "Too many requests");
    if (fault.second > 0) response.headers.emplace_back("Retry-After", std::to_string(fault.second));
    return response;
  }
  const Fax fax = fax_of(form);
  const std::lock_guard lock(mutex);
  if (const auto stored = book.put(fax); !stored) return not_stored(stored.error());
  ++changes;
  changed.notify_all();
  core::log(core::Level::info, "the sandbox took a fax", {{"sid", fax.sid}, {"to", core::masked(fax.to)}});
  return faulty(json_response(dialect.created, fax_json(fax)), fault.first, fault.second);
}

Response Sandbox::State::one_fax(const Request& request, std::string_view sid) {
  if (request.method != "GET" && request.method != "POST" && request.method != "DELETE") return not_allowed("GET, POST, DELETE");
  form::Fields form;
  const auto known = request.method == "POST" ? cancel_parameters() : std::span<const Parameter>();
  auto refused = refusal(request, known, form);
  const std::lock_guard lock(mutex);
  const Fax* fax = book.find(sid);
  if (fax == nullptr) return not_found(request.path);
  if (refused) return std::move(*refused);
  if (request.method == "GET") return json_response(200, fax_json(*fax));
  return request.method == "POST" ? cancel(*fax) : remove(*fax);
}

// Under the lock, as the next.
Response Sandbox::State::cancel(const Fax& fax) {
  if (fax.status != "queued" && (fax.status != "processing" || !dialect.cancel_while_processing))
    return error(dialect.too_late_status, 10000, "The fax cannot be canceled any more");
  Fax canceled = fax;
  canceled.next.clear();
  canceled.has_media = false;
  set_status(canceled, "canceled");
  if (const auto stored = book.put(canceled); !stored) return not_stored(stored.error());
  ::unlink(book.media_path(canceled.sid).c_str());
  ++changes;
  changed.notify_all();
  return json_response(200, fax_json(canceled));
}

Response Sandbox::State::remove(const Fax& fax) {
  const bool waits = dialect.delete_while_queued && fax.status == "queued";
  if (!waits && (!fax.is_final() || !fax.next.empty())) return error(409, 20009, "The fax is not finished");
  const auto removed = book.remove(std::string(fax.sid));
  return removed ? nothing() : not_stored(removed.error());
}

}  // namespace sandbox
