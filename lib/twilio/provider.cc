#include "twilio/provider.h"

#include <set>
#include <utility>

#include "core/log.h"
#include "http/url.h"
#include "text/words.h"
#include "twilio/token.h"

namespace twilio {

namespace {

constexpr int kPageSize = 200;
constexpr std::chrono::minutes kDownloadTime{30};

bool is_sip(std::string_view target) {
  const auto scheme = text::lower(target.substr(0, 5));
  return scheme.starts_with("sip:") || scheme == "sips:";
}

std::string submit_form(const Account& account, const fax::SubmitRequest& request) {
  Form form;
  form.add("To", request.to).add("From", request.from).add("MediaUrl", request.media_url);
  form.add("StatusCallback", request.callback_url).add("StoreMedia", "false");
  if (account.dialect.callback_method_parameter) form.add("StatusCallbackMethod", "POST");
  form.add_if("Quality", request.quality.empty() ? account.quality : request.quality);
  if (account.ttl_minutes) form.add("Ttl", std::to_string(*account.ttl_minutes));
  if (is_sip(request.to)) form.add_if("SipAuthUsername", account.sip_user).add_if("SipAuthPassword", account.sip_password.reveal());
  return form.text();
}

// Among the errors of a call only these leave no doubt; bad_request and settings come before anything is sent as well.
bool nothing_was_sent(core::Code code) {
  return code == core::Code::provider_down || code == core::Code::bad_request || code == core::Code::settings || code == core::Code::forbidden;
}

core::Error not_from(const std::string& host, std::string why) {
  return {core::Code::forbidden, std::move(why), "The provider keeps the document at " + host + ", which the setting MEDIA_HOSTS does not name.", "MEDIA_HOSTS"};
}

core::Error not_from(const http::Url& url) {
  const std::string host = http::host_port(url);
  return not_from(host, "fetch a document from " + host + (url.has_userinfo ? ": credentials in its address, and" : ":") + " not in MEDIA_HOSTS");
}

// Whether it is documented anywhere is not known; a program that works with SignalWire does so.
bool wants_token(const Dialect& dialect, const std::string& url) {
  return dialect.media_bearer && http::same_host_port(url, "https://" + std::string(dialect.media_host));
}

}  // namespace

Provider::Provider(http::Client& client, Account account)
    : client_(client), account_(std::move(account)), api_(client, account_.base_url, account_.sid, std::move(account_.token)), faxes_url_(api_.url_of(account_.dialect.path)) {}

fax::SubmitOutcome Provider::submit(const fax::SubmitRequest& request) {
  using Kind = fax::SubmitOutcome::Kind;
  const auto answer = api_.call("POST", faxes_url_, submit_form(account_, request));
  fax::SubmitOutcome outcome;
  if (!answer) {
    outcome.error = answer.error().within("submit");
    outcome.kind = nothing_was_sent(answer.error().code) ? Kind::unreachable : Kind::unknown;
    return outcome;
  }
  outcome.error = no_answer(*answer, "submit");
  outcome.kind = Kind::unknown;
  if (is_good(*answer)) {
    auto fax = read_fax(answer->body);
    if (!fax) {
      outcome.error = fax.error().within("submit");
      return outcome;
    }
    if (fax::is_another(*fax, request.to)) {
      outcome.error = {core::Code::bad_request, "submit: the answer is about another fax, " + fax->id};
      return outcome;
    }
    outcome.kind = Kind::taken;
    outcome.provider_id = fax->id;
    outcome.error = {};
  } else if (answer->status == 429) {
    outcome.kind = Kind::rate_limited;
    outcome.retry_after = retry_after(*answer);
  } else if (answer->status == 401 || answer->status == 403) {
    outcome.kind = Kind::unauthorized;
  } else if (const auto refusal = read_refusal(answer->body); refusal && answer->status >= 400 && answer->status < 500) {
    outcome.kind = Kind::not_taken;
    outcome.error_code = refusal->code;
    outcome.message = refusal->message;
  }
  return outcome;
}

core::Result<fax::ProviderFax> Provider::fetch(const std::string& id) {
  if (!is_fax_sid(id)) return bad_id();
  CORE_TRY(answer, api_.call("GET", faxes_url_ + "/" + id));
  if (!is_good(answer)) return no_answer(answer, "fetch fax " + id);
  CORE_TRY(fax, read_fax(answer.body));
  if (fax.id != id) return core::Error{core::Code::bad_request, "fetch fax " + id + ": the answer is about another fax"};
  return fax;
}

fax::CancelOutcome Provider::cancel(const std::string& id) {
  using Kind = fax::CancelOutcome::Kind;
  fax::CancelOutcome outcome;
  if (!is_fax_sid(id)) return outcome;
  const auto answer = api_.call("POST", faxes_url_ + "/" + id, "Status=canceled");
  if (!answer) {
    core::log(core::Level::warning, "cancel at the provider", answer.error(), {{"provider_id", id}});
    return outcome;
  }
  if (is_good(*answer)) {
    auto fax = read_fax(answer->body);
    if (fax && fax->id == id) outcome.fax = std::move(fax).value();
    // A 2xx that tells of another end was no cancel.
    const bool other_end = outcome.fax && fax::is_final(outcome.fax->status) && outcome.fax->status != fax::ProviderStatus::canceled;
    outcome.kind = other_end ? Kind::too_late : Kind::canceled;
    return outcome;
  }
  const auto error = no_answer(*answer, "cancel");
  core::log(core::Level::warning, "cancel at the provider", error, {{"provider_id", id}});
  if (error.code == core::Code::provider_refused || error.code == core::Code::conflict) outcome.kind = Kind::too_late;
  return outcome;
}

core::Result<fax::FaxList> Provider::list(const fax::ListQuery& query) {
  Form form;
  form.add_if("From", query.from).add_if("To", query.to);
  // Strictly later, and whole seconds.
  if (query.created_after) form.add("DateCreatedAfter", core::rfc3339(*query.created_after - std::chrono::seconds(1)));
  if (query.created_on_or_before) form.add("DateCreatedOnOrBefore", core::rfc3339(*query.created_on_or_before));
  form.add("PageSize", std::to_string(kPageSize));
  fax::FaxList list;
  std::set<std::string> ids;
  const auto read = [&](std::string_view body) -> core::Result<bool> {
    CORE_TRY(page, read_page(body));
    // A fax that came meanwhile moves others to the next page, where they come again.
    for (auto& fax : page.faxes)
      if (ids.insert(fax.id).second) list.faxes.push_back(std::move(fax));
    list.unreadable += page.unreadable;
    return true;
  };
  CORE_CHECK(api_.read_pages(faxes_url_ + "?" + form.text(), "list faxes", read, no_answer));
  if (list.unreadable > 0) core::log(core::Level::warning, "the provider's list has entries that cannot be read", {{"entries", std::to_string(list.unreadable)}});
  return list;
}

core::Result<std::string> Provider::media_url(const std::string& id) {
  CORE_TRY(fax, fetch(id));
  if (fax.media_url.empty()) return core::Error{core::Code::not_found, "media of fax " + id + ": none", "The provider keeps no document of this fax."};
  return fax.media_url;
}

core::Result<std::int64_t> Provider::download(const std::string& media_url, int output_fd, std::int64_t max_bytes) {
  CORE_TRY(absolute, media_url.starts_with('/') ? http::resolve(api_.base_url(), media_url) : core::Result<std::string>(media_url));
  CORE_TRY(url, http::parse(absolute));
  CORE_TRY(own, http::parse(api_.base_url()));
  http::Call call;
  CORE_TRY(bare, http::without_userinfo(absolute));
  call.url = std::move(bare);
  call.output_fd = output_fd;
  call.max_body_bytes = max_bytes;
  call.total_time_out = kDownloadTime;
  call.may_follow = account_.media_hosts;
  call.may_follow.push_back(http::host_port(own));
  if (!account_.dialect.media_host.empty()) call.public_hosts.emplace_back(account_.dialect.media_host);

  const bool is_own = http::same_host_port(call.url, api_.base_url());
  const bool is_named = is_own || http::host_in(url, call.may_follow);
  const http::Credentials of_url{url.user, core::SecretString(url.password)};
  if (!is_named && (!http::host_in(url, call.public_hosts) || url.has_userinfo)) return not_from(url);
  if (is_own) call.credentials = &api_.credentials();
  else if (url.has_userinfo) call.credentials = &of_url;
  const auto send = [&]() -> core::Result<http::Answer> {
    auto sent = client_.send(call);
    if (!sent && sent.error().field == "redirect") return not_from(sent.error().hint, sent.error().text);
    return sent;
  };
  CORE_TRY(answer, send());
  if (const bool closed = answer.status == 401 || answer.status == 403; closed && wants_token(account_.dialect, answer.effective_url)) {
    call.url = answer.effective_url;
    call.credentials = nullptr;
    call.headers = {{"Authorization", "Bearer " + std::string(api_.credentials().password.reveal())}};
    CORE_TRY(second, send());
    answer = std::move(second);
  }
  const bool by_own = http::same_host_port(answer.effective_url, api_.base_url());
  if (answer.status == 403 || (answer.status == 401 && !by_own)) return core::Error{core::Code::forbidden, "fetch a document: " + in_words(answer)};
  if (answer.status != 200) return no_answer(answer, "fetch a document");
  return answer.bytes;
}

core::Result<std::vector<std::string>> Provider::media(const std::string& id) {
  if (!is_fax_sid(id)) return bad_id();
  std::vector<std::string> sids;
  const auto read = [&](std::string_view body) -> core::Result<bool> {
    CORE_TRY(page, read_media(body));
    sids.insert(sids.end(), page.begin(), page.end());
    return true;
  };
  CORE_CHECK(api_.read_pages(media_folder(id), "list media of fax " + id, read, no_answer));
  return sids;
}

core::Result<Medium> Provider::medium(const std::string& id, const std::string& media_id) {
  if (!is_fax_sid(id) || !is_fax_sid(media_id)) return bad_id();
  CORE_TRY(answer, api_.call("GET", media_folder(id) + "/" + media_id));
  if (!is_good(answer)) return no_answer(answer, "fetch media of fax " + id);
  CORE_TRY(medium, read_medium(answer.body));
  if (medium.sid != media_id) return core::Error{core::Code::bad_request, "fetch media of fax " + id + ": the answer is about another"};
  return medium;
}

core::Result<void> Provider::remove(const std::string& url, const std::string& what) {
  CORE_TRY(answer, api_.call("DELETE", url));
  if (!is_good(answer) && answer.status != 404 && answer.status != 410) return no_answer(answer, what);
  return {};
}

core::Result<void> Provider::delete_medium(const std::string& id, const std::string& media_id) {
  if (!is_fax_sid(id) || !is_fax_sid(media_id)) return bad_id();
  return remove(media_folder(id) + "/" + media_id, "delete media of fax " + id);
}

core::Result<void> Provider::delete_media(const std::string& id) {
  const auto sids = media(id);
  if (!sids && sids.error().code == core::Code::not_found) return {};
  if (!sids) return sids.error();
  for (const auto& sid : *sids) CORE_CHECK(delete_medium(id, sid));
  return {};
}

core::Result<void> Provider::delete_fax(const std::string& id) {
  if (!is_fax_sid(id)) return bad_id();
  return remove(faxes_url_ + "/" + id, "delete fax " + id);
}

}  // namespace twilio
