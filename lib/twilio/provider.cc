#include "twilio/provider.h"

#include <set>
#include <utility>

#include "core/log.h"
#include "http/url.h"
#include "text/percent.h"
#include "twilio/answer.h"
#include "twilio/date.h"
#include "twilio/token.h"

namespace twilio {

namespace {

constexpr int kPageSize = 200;
constexpr std::size_t kMaxPages = 500;
constexpr std::int64_t kMaxAnswerBytes = 2 << 20;
constexpr std::chrono::minutes kDownloadTime{30};

// A form, or a query.
class Form {
 public:
  Form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += text::percent_encode(name) + '=' + text::percent_encode(value);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool is_good(const http::Answer& answer) { return answer.status >= 200 && answer.status < 300; }

std::chrono::seconds retry_after(const http::Answer& answer) {
  return read_retry_after(answer.header("retry-after").value_or(""), answer.header("date").value_or(""));
}

std::string in_words(const http::Answer& answer) {
  std::string words = "status " + std::to_string(answer.status);
  if (const auto refusal = read_refusal(answer.body)) words += ", code " + refusal->code + ": " + refusal->message;
  return words;
}

// For calls that only ask, or that may be made again without harm.
core::Error no_answer(const http::Answer& answer, std::string_view what) {
  core::Error error{core::Code::unknown_outcome, std::string(what) + ": " + in_words(answer)};
  switch (answer.status) {
    case 401:
    case 403:
      error.code = core::Code::unauthenticated;
      error.hint = "The provider does not accept the account's name and secret.";
      break;
    case 404:
    case 410:
      error.code = core::Code::not_found;
      error.hint = "The provider does not know it (any more).";
      break;
    case 409: error.code = core::Code::conflict; break;
    case 429:
      error.code = core::Code::limited;
      error.retry_after = retry_after(answer);
      error.hint = "The provider asks to call less often.";
      break;
    default:
      if (answer.status >= 400 && answer.status < 500 && read_refusal(answer.body)) error.code = core::Code::provider_refused;
  }
  return error;
}

core::Error bad_id() { return {core::Code::bad_request, "call the provider: not an id of its kind"}; }

}  // namespace

Provider::Provider(http::Client& client, Account account) : client_(client), account_(std::move(account)) {
  while (account_.base_url.ends_with('/')) account_.base_url.pop_back();
  credentials_.user = account_.sid;
  credentials_.password = std::move(account_.token);
  std::string path(account_.dialect.path);
  if (const auto place = path.find("{sid}"); place != std::string::npos)
    path.replace(place, 5, text::percent_encode(account_.sid));
  faxes_url_ = account_.base_url + path;
}

core::Result<http::Answer> Provider::call(std::string method, std::string url, std::string body) {
  http::Call call;
  call.method = std::move(method);
  call.url = std::move(url);
  call.body = std::move(body);
  call.headers = {{"Accept", "application/json"}};
  call.credentials = &credentials_;
  call.max_body_bytes = kMaxAnswerBytes;
  call.max_redirects = 0;
  return client_.send(call);
}

fax::SubmitOutcome Provider::submit(const fax::SubmitRequest& request) {
  using Kind = fax::SubmitOutcome::Kind;
  Form form;
  form.add("To", request.to).add("From", request.from).add("MediaUrl", request.media_url);
  form.add("StatusCallback", request.callback_url).add("StoreMedia", "false");
  if (account_.dialect.callback_method_parameter) form.add("StatusCallbackMethod", "POST");
  const auto answer = call("POST", faxes_url_, form.text());
  fax::SubmitOutcome outcome;
  if (!answer) {
    outcome.error = answer.error().within("submit");
    // Among the errors only these two leave no doubt; bad_request and settings come before anything is sent as well.
    const auto code = answer.error().code;
    const bool nothing_sent = code == core::Code::provider_down || code == core::Code::bad_request ||
                              code == core::Code::settings || code == core::Code::forbidden;
    outcome.kind = nothing_sent ? Kind::unreachable : Kind::unknown;
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
  CORE_TRY(answer, call("GET", faxes_url_ + "/" + id));
  if (!is_good(answer)) return no_answer(answer, "fetch fax " + id);
  CORE_TRY(fax, read_fax(answer.body));
  if (fax.id != id) return core::Error{core::Code::bad_request, "fetch fax " + id + ": the answer is about another fax"};
  return fax;
}

fax::CancelOutcome Provider::cancel(const std::string& id) {
  using Kind = fax::CancelOutcome::Kind;
  fax::CancelOutcome outcome;
  if (!is_fax_sid(id)) return outcome;
  const auto answer = call("POST", faxes_url_ + "/" + id, "Status=canceled");
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

core::Result<std::vector<fax::ProviderFax>> Provider::list(const fax::ListQuery& query) {
  Form form;
  if (!query.from.empty()) form.add("From", query.from);
  if (!query.to.empty()) form.add("To", query.to);
  // Strictly later, and whole seconds.
  if (query.created_after) form.add("DateCreatedAfter", core::rfc3339(*query.created_after - std::chrono::seconds(1)));
  form.add("PageSize", std::to_string(kPageSize));
  std::vector<fax::ProviderFax> faxes;
  std::set<std::string> ids;
  std::set<std::string> read;
  std::string url = faxes_url_ + "?" + form.text();
  while (!url.empty()) {
    if (read.size() == kMaxPages || !read.insert(url).second)
      return core::Error{core::Code::bad_request, "list faxes: the pages do not end"};
    CORE_TRY(answer, call("GET", url));
    if (!is_good(answer)) return no_answer(answer, "list faxes");
    CORE_TRY(page, read_page(answer.body));
    // A fax that came meanwhile moves others to the next page, where they come again.
    for (auto& fax : page.faxes)
      if (ids.insert(fax.id).second) faxes.push_back(std::move(fax));
    if (page.next.empty()) break;
    CORE_TRY(next, http::resolve(url, page.next));
    if (!http::same_host_port(next, account_.base_url))
      return core::Error{core::Code::bad_request, "list faxes: the next page is at another host"};
    url = next;
  }
  return faxes;
}

core::Result<std::string> Provider::media_url(const std::string& id) {
  CORE_TRY(fax, fetch(id));
  if (fax.media_url.empty()) return core::Error{core::Code::not_found, "media of fax " + id + ": none", "The provider keeps no document of this fax."};
  return fax.media_url;
}

core::Result<std::int64_t> Provider::download(const std::string& media_url, int output_fd, std::int64_t max_bytes) {
  CORE_TRY(url, http::parse(media_url));
  CORE_TRY(own, http::parse(account_.base_url));
  CORE_TRY(bare, http::without_userinfo(media_url));
  http::Call call;
  call.url = std::move(bare);
  call.output_fd = output_fd;
  call.max_body_bytes = max_bytes;
  call.total_time_out = kDownloadTime;
  call.may_follow = account_.media_hosts;
  call.may_follow.push_back(http::host_port(own));
  if (!account_.dialect.media_host.empty()) call.may_follow.emplace_back(account_.dialect.media_host);
  if (http::same_host_port(call.url, account_.base_url)) {
    call.credentials = &credentials_;
  } else if (!http::host_in(url, call.may_follow)) {
    const std::string host = http::host_port(url);
    return core::Error{core::Code::forbidden, "fetch a document from " + host + ": not in MEDIA_HOSTS",
                       "The provider keeps the document at " + host + ", which the setting MEDIA_HOSTS does not name.", "MEDIA_HOSTS"};
  }
  CORE_TRY(answer, client_.send(call));
  if (answer.status == 403) return core::Error{core::Code::forbidden, "fetch a document: " + in_words(answer)};
  if (answer.status != 200) return no_answer(answer, "fetch a document");
  return answer.bytes;
}

core::Result<void> Provider::delete_media(const std::string& id) {
  if (!is_fax_sid(id)) return bad_id();
  const std::string media_url = faxes_url_ + "/" + id + "/Media";
  CORE_TRY(list, call("GET", media_url));
  if (list.status == 404) return {};
  if (!is_good(list)) return no_answer(list, "list media of fax " + id);
  CORE_TRY(sids, read_media(list.body));
  for (const auto& sid : sids) {
    CORE_TRY(answer, call("DELETE", media_url + "/" + sid));
    if (!is_good(answer) && answer.status != 404) return no_answer(answer, "delete media of fax " + id);
  }
  return {};
}

}  // namespace twilio
