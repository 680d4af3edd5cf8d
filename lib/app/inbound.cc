#include "app/inbound.h"

#include <algorithm>

#include "app/arrival.h"
#include "app/inbound_refused.h"
#include "app/upload.h"
#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "form/fields.h"
#include "fax/cause.h"
#include "text/percent.h"
#include "text/words.h"
#include "twilio/signature.h"
#include "twilio/token.h"
#include "twilio/twiml.h"
#include "twilio/webhook.h"
#include "web/problem.h"

namespace app {

namespace {

constexpr std::int64_t kFormBytes = 64 * 1024;
constexpr auto kTokenLifetime = std::chrono::hours(24);
// Without a copy at the provider only free space bounds what is taken.
constexpr std::int64_t kWithoutLimit = std::int64_t{1} << 50;

twilio::Parameters parameters_of(const form::Fields& fields) {
  twilio::Parameters parameters;
  for (const auto& field : fields) parameters.emplace_back(field.name, field.value);
  return parameters;
}

// A value from outside, for one place of a hint: short, without tabs.
std::string hint_part(std::string text) {
  std::replace(text.begin(), text.end(), '\t', ' ');
  return text.substr(0, 100);
}

class Inbound {
 public:
  Inbound(const Line& line, const ProviderSide& side, store::Faxes& faxes, const spool::Spool& spool) : line_(line), side_(side), faxes_(faxes), spool_(spool), refused_(line, side, faxes) {}

  core::Result<web::Response> initialize(web::Request& request, const web::Match&) {
    CORE_CHECK(check_basic(side_, request));
    std::string hash;
    CORE_TRY(fields, read_form(request, &hash));
    const auto hook = twilio::read_webhook(parameters_of(request.method() == "GET" ? query_fields(request) : fields));
    const auto signed_request = signed_request_of(request, fields, false, hash);
    const bool by_signature = is_signed(signed_request);
    if (!by_signature) {
      if (side_.signature_required || has_signature(request)) {
        refused_.by_signature(request, signed_request, hook);
        return core::Error{core::Code::forbidden, "first webhook without a matching signature"};
      }
      core::log(core::Level::warning, "UNSIGNED first webhook accepted, since WEBHOOK_SIGNATURE is optional", {{"from", request.remote_address()}});
    }
    if (hook.fax_sid.empty()) return core::Error{core::Code::bad_request, "first webhook without FaxSid"};
    warn_of_other_account(request, hook, "first webhook");
    refused_.taken(by_signature);
    if (is_blocked(hook.from)) {
      if (const auto reject = twilio::reject_twiml(*side_.dialect)) {
        core::log(core::Level::info, "fax of a blocked sender rejected", {{"provider_id", hook.fax_sid}, {"from", core::masked(hook.from)}, {"request", request.id()}});
        return web::xml(*reject);
      }
      core::log(core::Level::warning, "fax of a blocked sender is taken, since this provider is not known to refuse any", {{"provider_id", hook.fax_sid}, {"from", core::masked(hook.from)}, {"request", request.id()}});
    }
    core::log(core::Level::info, "fax coming in", {{"provider_id", hook.fax_sid}, {"from", core::masked(hook.from)}, {"request", request.id()}});
    side_.hint("receiving\t" + hook.fax_sid + "\t" + hint_part(hook.from) + "\t" + hint_part(hook.to));
    FAIL_POINT("inbound.initialize.hinted");
    // Where nobody else keeps the document, the sender is to hear now that it cannot be taken.
    if (!side_.store_media) CORE_CHECK(spool_.check_room(spool::Use::receive));
    const auto token = twilio::make_payload_token(side_.signing_keys.front(), hook.fax_sid, line_.clock->now() + kTokenLifetime);
    return web::xml(twilio::receive_twiml(*side_.dialect, url_with_credentials() + "/fax/payload?t=" + token, side_.store_media, side_.page_size));
  }

  core::Result<web::Response> payload(web::Request& request, const web::Match&) {
    CORE_CHECK(check_basic(side_, request));
    const auto query = query_fields(request);
    const auto token = read_token(query);
    if (is_multipart(request)) return multipart_payload(request, token);
    std::string hash;
    CORE_TRY(fields, read_form(request, &hash));
    const auto said = request.method() == "GET" ? query : fields;
    auto hook = twilio::read_webhook(parameters_of(said));
    const bool by_token = admits(token.sid, said);
    const auto signed_request = signed_request_of(request, fields, false, hash);
    if (!by_token && !is_signed(signed_request)) return refuse_payload(request, token, signed_request, hook);
    if (by_token) hook.fax_sid = token.sid;
    const auto size = request.method() == "GET" ? 0 : static_cast<std::int64_t>(request.body().received());
    return store(request, hook, nullptr, arrival_of(request, "payload", said, hash, size));
  }

  // nginx asks before it reads a payload's body: 204, or 401 or 403 without a byte of it.
  core::Result<web::Response> admit(web::Request& request, const web::Match&) {
    CORE_CHECK(check_basic(side_, request));
    const auto target = request.parameter("ORIGINAL_URI").value_or("");
    const auto query = form::parse_urlencoded(target.substr(std::min(target.find('?'), target.size() - 1) + 1), with_nul()).value_or({});
    const auto token = read_token(query);
    const auto length = text::parse_int64(request.parameter("ORIGINAL_LENGTH").value_or(""));
    // nginx keeps the body in a file of its own, until it is stored.
    const auto room = spool_.check_room(spool::Use::receive, 2 * std::clamp<std::int64_t>(length.value_or(0), 0, kWithoutLimit));
    if (!token.sid.empty()) return room ? core::Result<web::Response>(web::empty(204)) : room.error();
    const auto signed_request = signed_request_of(request, {}, false, "");
    if (!has_signature(request)) return refuse_payload(request, token, signed_request, twilio::read_webhook(parameters_of(query)));
    const bool bodiless = request.parameter("ORIGINAL_METHOD") == "GET";
    if (!bodiless && (!length || *length > line_.max_fax_bytes + kFormBytes)) return core::Error{core::Code::forbidden, "payload without a token, and larger than what is held back for its signature"};
    if (!room) return room.error();
    return web::empty(204);
  }

  core::Result<web::Response> callback(web::Request& request, const web::Match& match) {
    CORE_CHECK(check_basic(side_, request));
    CORE_TRY(attempt, faxes_.attempt_of_callback_token(crypto::token_hash(match["token"])));
    std::string hash;
    CORE_TRY(fields, read_form(request, &hash));
    const auto said = request.method() == "GET" ? query_fields(request) : fields;
    const auto hook = twilio::read_webhook(parameters_of(said));
    if (hook.fax_sid.empty()) return web::text(200, "OK\n");
    if (!is_our_account(hook)) {
      core::log(core::Level::warning, "callback of another account, ignored", {{"fax", attempt.fax_id}, {"account", hook.account_sid}, {"request", request.id()}});
      return web::text(200, "OK\n");
    }
    const auto arrival = arrival_of(request, "callback", said, hash, static_cast<std::int64_t>(request.body().received()));
    // What goes wrong on the way is not how the fax ends.
    const bool ended = fax::is_final(hook.status);
    CORE_TRY(noted, faxes_.note_callback(attempt.id, hook.fax_sid, ended ? hook.error_code : "", ended ? hook.error_message : "", line_.clock->now(), &arrival));
    FAIL_POINT("inbound.callback.noted");
    if (noted) line_.wake();
    core::log(core::Level::info, noted ? "callback" : "callback of another fax, ignored", {{"fax", attempt.fax_id}, {"attempt", attempt.id}, {"said", hook.status_word}, {"request", request.id()}});
    return web::text(200, "OK\n");
  }

 private:
  struct Token {
    std::string sid;      // whom it admits; empty: nobody
    std::string expired;  // whom it would have admitted earlier
  };

  // Without a valid token, a body that is multipart is held back until its signature is known.
  core::Result<web::Response> multipart_payload(web::Request& request, const Token& token) {
    if (token.sid.empty() && !has_signature(request)) return refuse_payload(request, token, signed_request_of(request, {}, true, ""), {});
    const bool unlimited = !token.sid.empty() && !side_.store_media;
    CORE_TRY(upload, read_upload(request, spool_, spool::Use::receive, unlimited ? kWithoutLimit : line_.max_fax_bytes, "", form::Nul::keep));
    auto hook = twilio::read_webhook(parameters_of(upload.fields));
    const bool by_token = admits(token.sid, upload.fields);
    const auto signed_request = signed_request_of(request, upload.fields, true, "");
    const bool by_signature = has_signature(request) && is_signed(signed_request);
    if (!by_token && !by_signature) return refuse_payload(request, token, signed_request, hook);
    // Nobody documents how multipart is signed: never a reason to refuse.
    if (by_token && has_signature(request) && !by_signature) core::log(core::Level::warning, "multipart payload: signature does not match", {{"provider_id", hook.fax_sid}});
    const auto media = document_of(upload.files);
    if (by_token) hook.fax_sid = token.sid;
    const auto arrival = arrival_of(request, "payload", upload.fields, "", static_cast<std::int64_t>(request.body().received()));
    return store(request, hook, media == upload.files.end() ? nullptr : &*media, arrival);
  }

  // The part `Media`; where a provider calls it otherwise, a PDF, else whatever file there is: it may be the only copy.
  static std::vector<UploadedFile>::iterator document_of(std::vector<UploadedFile>& files) {
    using Asked = bool (*)(const UploadedFile&);
    for (const Asked asked : {Asked([](const UploadedFile& file) { return file.bytes > 0 && file.field == "Media"; }), Asked([](const UploadedFile& file) { return file.bytes > 0 && file.is_pdf; }),
                              Asked([](const UploadedFile& file) { return file.bytes > 0; })}) {
      const auto found = std::find_if(files.begin(), files.end(), asked);
      if (found != files.end()) return found;
    }
    return files.end();
  }

  Token read_token(const form::Fields& query) const {
    const auto text = query.first("t").value_or("");
    auto sid = twilio::check_payload_token(side_.signing_keys, text, line_.clock->now());
    if (sid) return {*sid, {}};
    if (sid.error().code == core::Code::conflict) return {{}, std::string(text.substr(0, text.find('.')))};
    return {};
  }

  core::Error refuse_payload(const web::Request& request, const Token& token, const twilio::SignedRequest& signed_request, const twilio::Webhook& hook) {
    if (!token.expired.empty()) refused_.too_late(request, token.expired, hook);
    else refused_.by_signature(request, signed_request, hook);
    return core::Error{core::Code::forbidden, "payload with neither a valid token nor a matching signature"};
  }

  // Ours, if none is named.
  bool is_our_account(const twilio::Webhook& hook) const { return hook.account_sid.empty() || side_.account.empty() || text::equal_ignoring_case(hook.account_sid, side_.account); }

  void warn_of_other_account(const web::Request& request, const twilio::Webhook& hook, std::string_view what) const {
    if (!is_our_account(hook)) core::log(core::Level::warning, "taken, though it names another account than TWILIO_SID", {{"what", what}, {"provider_id", hook.fax_sid}, {"account", hook.account_sid}, {"request", request.id()}});
  }

  bool is_blocked(const std::string& from) const {
    return std::any_of(side_.blocked_senders.begin(), side_.blocked_senders.end(), [&](const auto& blocked) { return is_same_number(from, blocked); });
  }

  // The token's FaxSid must be the body's, as it came, where that has one.
  static bool admits(const std::string& token_sid, const form::Fields& said) { return !token_sid.empty() && said.first("FaxSid").value_or(token_sid) == token_sid; }

  core::Result<web::Response> store(const web::Request& request, const twilio::Webhook& hook, UploadedFile* media, store::Arrival arrival) {
    CORE_CHECK(spool_.check_room(spool::Use::receive));
    if (hook.fax_sid.empty()) return core::Error{core::Code::bad_request, "payload without FaxSid"};
    warn_of_other_account(request, hook, "payload");
    store::Reception reception;
    reception.fax_sid = hook.fax_sid;
    reception.from = hook.from;
    reception.to = hook.to;
    reception.provider = line_.provider;
    reception.pages_announced = hook.pages;
    reception.lifetime = line_.lifetime;
    if (media != nullptr) {
      CORE_TRY(document, commit(*media, "", line_.clock->now()));
      reception.document = document;
      FAIL_POINT("inbound.store.committed");
      arrival.sha256 = document.sha256;
      arrival.bytes = document.bytes;
    } else if (!hook.media_url.empty() && (says_received(hook) || hook.error_code.empty())) {
      reception.media_url = hook.media_url;
    } else if (may_be_kept(hook)) {
      return ask_provider(request, hook, arrival);
    } else {
      const auto cause = says_received(hook) ? fax::find_cause("not_kept") : fax::cause_of_reception(hook.error_code, hook.error_message);
      reception.cause_code = cause.code;
      reception.cause_text = fax::words_of_provider(hook.error_code, hook.error_message);
    }
    auto received = faxes_.receive(reception, line_.clock->now(), &arrival);
    FAIL_POINT("inbound.store.recorded");
    if (!received) {
      // What the book may hold all the same stays.
      if (reception.document && received.error().code != core::Code::unknown_outcome) drop(reception.document->id);
      return received.error();
    }
    const auto& stored = *received;
    const bool unused = stored.how == store::Stored::repeated || stored.how == store::Stored::forgotten;
    if (reception.document && unused) drop(reception.document->id);
    line_.wake();
    FAIL_POINT("inbound.store.woken");
    core::log(core::Level::info, "payload stored", {{"provider_id", hook.fax_sid}, {"fax", stored.fax.id}, {"state", fax::name(stored.fax.status)}, {"how", unused ? "nothing new" : "new"}, {"request", request.id()}});
    return web::text(200, "OK\n");
  }

  // It says that it was received, but brings nothing: the provider may have it all the same.
  bool may_be_kept(const twilio::Webhook& hook) const { return side_.store_media && says_received(hook); }
  // Whatever an ErrorCode says beside it: some write 0 for "no error".
  static bool says_received(const twilio::Webhook& hook) { return hook.status == fax::ProviderStatus::received; }

  void drop(const std::string& document_id) const {
    if (const auto gone = spool_.remove(document_id); !gone) core::log(core::Level::warning, "document that nobody needs not removed; the purge takes it", gone.error());
  }

  core::Result<web::Response> ask_provider(const web::Request& request, const twilio::Webhook& hook, const store::Arrival& arrival) {
    CORE_CHECK(faxes_.note_receiving(hook.fax_sid, hook.from, hook.to, line_.provider, line_.clock->now(), line_.lifetime, std::chrono::seconds(0), &arrival));
    FAIL_POINT("inbound.ask_provider.noted");
    line_.wake();
    core::log(core::Level::warning, "payload without a document: the provider is asked", {{"provider_id", hook.fax_sid}, {"request", request.id()}});
    return web::text(200, "OK\n");
  }

  static form::Fields query_fields(const web::Request& request) {
    const auto fields = form::parse_urlencoded(request.query(), with_nul());
    return fields ? *fields : form::Fields();
  }

  // The form of a POST; of a GET nothing. `sha256`: of the body as it came, in hexadecimal.
  static core::Result<form::Fields> read_form(web::Request& request, std::string* sha256 = nullptr) {
    if (sha256 != nullptr) *sha256 = crypto::hex(crypto::sha256(""));
    if (request.method() != "POST") return form::Fields();
    const auto type = request.content_type();
    const auto name = text::trim(type.substr(0, type.find(';')));
    if (!name.empty() && !text::equal_ignoring_case(name, "application/x-www-form-urlencoded")) return core::Error{core::Code::unsupported, "webhook that is no form"};
    CORE_TRY(text, request.body().read_all(static_cast<std::size_t>(kFormBytes)));
    if (sha256 != nullptr) *sha256 = crypto::hex(crypto::sha256(text));
    return form::parse_urlencoded(text, with_nul());
  }

  // What cannot be shown is made fit where it is shown: a NUL must not cost a fax.
  static form::Limits with_nul() {
    form::Limits limits;
    limits.nul = form::Nul::keep;
    return limits;
  }

  static std::string_view signature_header(const web::Request& request) {
    for (const auto& name : twilio::kSignatureHeaders)
      if (const auto value = request.header(name); value && !value->empty()) return *value;
    return {};
  }
  static bool has_signature(const web::Request& request) { return !signature_header(request).empty(); }

  // `sha256`: of the body; empty: not known.
  twilio::SignedRequest signed_request_of(const web::Request& request, const form::Fields& fields, bool multipart, const std::string& sha256) const {
    return {side_.public_url, request.request_uri(), parameters_of(fields), signature_header(request), side_.auth_user, side_.auth_password.reveal(), multipart, sha256};
  }
  bool is_signed(const twilio::SignedRequest& signed_request) const { return twilio::is_signed(signed_request, side_.signing_keys, *side_.dialect); }

  std::string url_with_credentials() const {
    if (side_.auth_user.empty()) return side_.public_url;
    const auto after_scheme = side_.public_url.find("://") + 3;
    return side_.public_url.substr(0, after_scheme) + text::percent_encode(side_.auth_user) + ":" + text::percent_encode(side_.auth_password.reveal()) + "@" + side_.public_url.substr(after_scheme);
  }

  const Line& line_;
  const ProviderSide& side_;
  store::Faxes& faxes_;
  const spool::Spool& spool_;
  Refused refused_;
};

}  // namespace

web::Routes inbound_routes(const Line& line, const ProviderSide& side, store::Faxes& faxes, const spool::Spool& spool) {
  const auto inbound = std::make_shared<Inbound>(line, side, faxes, spool);
  const auto to = [&](core::Result<web::Response> (Inbound::*handler)(web::Request&, const web::Match&)) { return [inbound, handler](web::Request& request, const web::Match& match) { return with_realm(or_later((*inbound.*handler)(request, match))); }; };
  const web::Guard provider{web::Access::anybody, web::Origin::any};
  web::Routes routes(web::Faults::empty);
  routes.add("GET", "/admit", provider, to(&Inbound::admit));
  for (const auto* method : {"GET", "POST"}) {
    routes.add(method, "/fax/initialize", provider, to(&Inbound::initialize));
    routes.add(method, "/fax/payload", provider, to(&Inbound::payload));
    routes.add(method, "/fax/callback/{token}", provider, to(&Inbound::callback));
  }
  return routes;
}

core::Result<web::Response> with_realm(core::Result<web::Response> answer) {
  if (answer || answer.error().code != core::Code::unauthenticated) return answer;
  core::log(core::Level::info, "provider's route without its password");
  auto response = web::empty(401);
  response.set("WWW-Authenticate", "Basic realm=\"Faxline\", charset=\"UTF-8\"");
  return response;
}

core::Result<web::Response> or_later(core::Result<web::Response> answer) {
  if (answer || web::status_of(answer.error().code) < 500) return answer;
  auto error = std::move(answer).error();
  // With its own code once, for whoever has to mend it.
  if (error.code != core::Code::unavailable) core::log(core::Level::error, "provider's request could not be served", error);
  error.code = core::Code::unavailable;
  return error;
}

}  // namespace app
