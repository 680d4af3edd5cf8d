#include "http/client.h"

#include <algorithm>
#include <curl/curl.h>
#include <mutex>

#include "http/curl.h"
#include "http/transfer.h"
#include "http/url.h"

namespace http {

namespace {

constexpr std::size_t kMaxIdleHandles = 16;

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

core::Result<void> check(const Call& call) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "DELETE"};
  if (std::find(std::begin(kMethods), std::end(kMethods), call.method) == std::end(kMethods))
    return core::Error{core::Code::bad_request, "send a request: unknown method"};
  if (has_line_break(call.content_type)) return core::Error{core::Code::bad_request, "send a request: bad content type"};
  for (const auto& [name, value] : call.headers)
    if (name.empty() || name.find_first_of(": ") != std::string::npos || has_line_break(name) || has_line_break(value))
      return core::Error{core::Code::bad_request, "send a request: bad header"};
  return {};
}

core::Result<void> check_scheme(const Url& url) {
  if (url.scheme == "https" || is_loopback_host(url.host)) return {};
  return core::Error{core::Code::forbidden, "send a request to " + host_port(url) + ": plain http to another machine",
                     "Only addresses that begin with https:// are called."};
}

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

}  // namespace

void prepare_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::optional<std::string_view> Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return std::nullopt;
}

struct Client::State {
  Options options;
  StringList connect_to;
  std::mutex mutex;
  std::vector<Handle> idle;

  // A handle with its kept connections, or a new one.
  Handle lease() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Handle handle = std::move(idle.back());
        idle.pop_back();
        return handle;
      }
    }
    return Handle(curl_easy_init());
  }

  void give_back(Handle handle) {
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex);
    if (idle.size() < kMaxIdleHandles) idle.push_back(std::move(handle));
  }
};

Client::Client(Options options) : state_(std::make_unique<State>()) {
  prepare_curl();
  for (const auto& [from, to] : options.connect_to) state_->connect_to.add(from + ":" + to);
  state_->options = std::move(options);
}

Client::~Client() = default;

core::Result<Answer> Client::send(const Call& call) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  CORE_CHECK(check(call));
  CORE_TRY(first, parse(call.url));
  if (first.has_userinfo)
    return core::Error{core::Code::bad_request, "send a request to " + host_port(first) + ": credentials in the URL"};
  const auto deadline = steady_clock::now() + call.total_time_out.value_or(state_->options.total_time_out);

  const bool follows = (call.method == "GET" || call.method == "HEAD") && call.max_redirects > 0;

  Handle handle = state_->lease();
  if (!handle) return core::Error{core::Code::unavailable, "send a request: out of memory"};
  Hop hop{.url = call.url, .host_port = host_port(first)};
  for (int redirects = 0;; ++redirects) {
    CORE_TRY(url, parse(hop.url));
    CORE_CHECK(check_scheme(url));
    hop.host_port = host_port(url);
    hop.plain = url.scheme == "http";
    hop.public_only = host_in(url, call.public_hosts) && !host_in(url, call.may_follow);
    hop.at_first_host = same_host_port(hop.url, call.url);
    hop.time_out = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    auto answer = transfer(handle.get(), state_->options, state_->connect_to.list(), call, hop);
    if (!answer) {
      // The first server has answered, so "nothing was sent" would be untrue of the call as a whole.
      if (redirects > 0 && answer.error().code == core::Code::provider_down)
        answer.error().code = core::Code::unknown_outcome;
      state_->give_back(std::move(handle));
      return answer;
    }
    const auto location = answer->header("location");
    if (!follows || !is_redirect(answer->status) || !location) {
      state_->give_back(std::move(handle));
      answer->effective_url = hop.url;
      return answer;
    }
    if (redirects == call.max_redirects)
      return core::Error{core::Code::forbidden, "follow redirects from " + host_port(first) + ": too many"};
    CORE_TRY(next, resolve(hop.url, *location));
    CORE_TRY(bare, without_userinfo(next));
    CORE_TRY(target, parse(bare));
    CORE_CHECK(check_scheme(target));
    const bool is_named = same_host_port(bare, call.url) || host_in(target, call.may_follow);
    CORE_TRY(named_with, parse(next));
    if (!is_named && (named_with.has_userinfo || !host_in(target, call.public_hosts)))
      return core::Error{core::Code::forbidden, "follow a redirect from " + hop.host_port + " to " + host_port(target) +
                                                    ": not an allowed host", host_port(target), "redirect"};
    hop.url = bare;
  }
}

}  // namespace http
