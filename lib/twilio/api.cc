#include "twilio/api.h"

#include <set>
#include <utility>

#include "http/url.h"
#include "text/percent.h"
#include "twilio/answer.h"
#include "twilio/date.h"

namespace twilio {

namespace {
constexpr std::size_t kMaxPages = 500;
constexpr std::int64_t kMaxAnswerBytes = 2 << 20;
}  // namespace

Form& Form::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += text::percent_encode(name) + '=' + text::percent_encode(value);
  return *this;
}

Api::Api(http::Client& client, const std::string& base_url, const std::string& user, core::SecretString token) : client_(client), base_url_(base_url), credentials_{user, std::move(token)} {
  while (base_url_.ends_with('/')) base_url_.pop_back();
}

std::string Api::url_of(std::string_view path) const {
  std::string url = base_url_ + std::string(path);
  if (const auto place = url.find("{sid}"); place != std::string::npos) url.replace(place, 5, text::percent_encode(credentials_.user));
  return url;
}

core::Result<http::Answer> Api::call(std::string method, std::string url, std::string body) const {
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

core::Result<void> Api::read_pages(std::string url, std::string_view what, const Read& read, Explain explain) const {
  std::set<std::string> seen;
  const std::string name(what);
  while (true) {
    if (seen.size() == kMaxPages || !seen.insert(url).second) return core::Error{core::Code::bad_request, name + ": the pages do not end"};
    CORE_TRY(answer, call("GET", url));
    if (!is_good(answer)) return explain(answer, what);
    CORE_TRY(wants_more, read(answer.body));
    if (!wants_more) return {};
    CORE_TRY(next, read_next(answer.body));
    if (next.empty()) return {};
    CORE_TRY(absolute, http::resolve(url, next));
    CORE_TRY(bare, http::without_userinfo(absolute));
    if (!http::same_host_port(bare, url)) return core::Error{core::Code::bad_request, name + ": the next page is at another host"};
    url = bare;
  }
}

bool is_good(const http::Answer& answer) { return answer.status >= 200 && answer.status < 300; }

std::chrono::seconds retry_after(const http::Answer& answer) {
  return read_retry_after(answer.header("retry-after").value_or(""), answer.header("date").value_or(""));
}

std::string in_words(const http::Answer& answer) {
  std::string words = "status " + std::to_string(answer.status);
  if (const auto refusal = read_refusal(answer.body)) words += ", code " + refusal->code + ": " + refusal->message;
  return words;
}

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

}  // namespace twilio
