#include "http/transfer.h"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>
#include <thread>

#include "core/fd.h"
#include "http/address.h"
#include "http/curl.h"
#include "http/sigpipe.h"
#include "http/url.h"

namespace http {

namespace {

constexpr std::size_t kMaxHeaderBytes = 65'536;
constexpr long kLowSpeedBytes = 10;

// What one transfer knows, shared with libcurl's callbacks.
struct Exchange {
  const Call& call;
  const Hop& hop;
  Answer answer = {};
  std::size_t header_bytes = 0;
  bool may_have_left = false;  // the request, or a part of it
  bool too_large = false;
  bool not_loopback = false;
  bool not_public = false;
  bool bad_headers = false;
  core::Result<void> written = {};
};

std::string lower_name(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// libcurl calls this when the connection stands (TLS too), just before the first byte of the request; for a kept one too.
int on_ready(void* pointer, char* address, char*, int, int) {
  auto& exchange = *static_cast<Exchange*>(pointer);
  if (exchange.hop.plain && !is_loopback_host(address)) {
    exchange.not_loopback = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (exchange.hop.public_only && !is_public_address(address)) {
    exchange.not_public = true;
    return CURL_PREREQFUNC_ABORT;
  }
  exchange.may_have_left = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* pointer) {
  auto& exchange = *static_cast<Exchange*>(pointer);
  const std::string_view line(data, size);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.bad_headers = true;
    return 0;
  }
  Answer& answer = exchange.answer;
  if (line.starts_with("HTTP/")) {  // also after a 1xx
    const auto space = line.find(' ');
    answer.headers.clear();
    answer.content_length.reset();
    answer.status = 0;
    if (space != std::string_view::npos && space + 4 <= size)
      std::from_chars(data + space + 1, data + space + 4, answer.status);
    return size;
  }
  if (answer.bytes > 0) return size;  // trailers after a chunked body
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return size;
  const auto value = trim(line.substr(colon + 1));
  answer.headers.emplace_back(lower_name(trim(line.substr(0, colon))), value);
  if (answer.headers.back().first == "content-length") {
    std::int64_t length = -1;
    const auto [end, trouble] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (trouble == std::errc() && end == value.data() + value.size() && length >= 0) answer.content_length = length;
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* pointer) {
  auto& exchange = *static_cast<Exchange*>(pointer);
  Answer& answer = exchange.answer;
  answer.bytes += static_cast<std::int64_t>(size);
  const std::int64_t coming = answer.content_length.value_or(0);
  if (answer.bytes > exchange.call.max_body_bytes || coming > exchange.call.max_body_bytes) {
    exchange.too_large = true;
    return 0;
  }
  const bool is_good = answer.status >= 200 && answer.status < 300;
  if (exchange.call.output_fd < 0) {
    answer.body.append(data, size);
  } else if (!is_good) {
    answer.body.append(data, std::min(size, kMaxErrorBody - answer.body.size()));
  } else {
    exchange.written = core::write_all(exchange.call.output_fd, std::string_view(data, size), "(body of an answer)");
    if (!exchange.written) return 0;
  }
  // Here, as libcurl's own bound was seen to let the first megabyte through at once.
  if (const auto speed = exchange.call.max_bytes_a_second; speed > 0) std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<std::int64_t>(size) * 1000 / speed));
  return size;
}

core::Error explain(const Exchange& exchange, CURLcode code, const char* detail) {
  const std::string where = exchange.call.method + " " + exchange.hop.host_port + ": ";
  const std::string why = curl_easy_strerror(code);
  const std::string words = where + (detail[0] != '\0' ? detail : why.c_str());
  if (exchange.not_loopback)
    return {core::Code::forbidden, where + "plain http, but the name leads to another machine"};
  if (exchange.not_public)
    return {core::Code::forbidden, where + "the name leads to an address that is not public"};
  if (!exchange.written) return core::Error(exchange.written.error()).within(where + "save the answer");
  if (exchange.too_large)
    return {core::Code::too_large, where + "the answer is larger than " + std::to_string(exchange.call.max_body_bytes) + " bytes"};
  if (code == CURLE_SSL_CACERT_BADFILE)
    return {core::Code::settings, words, "The file with the provider's certificate authority cannot be read."};
  if (!exchange.may_have_left)
    return {core::Code::provider_down, words, "The other side cannot be reached at the moment."};
  return {core::Code::unknown_outcome, where + (exchange.bad_headers ? "too many headers" : words.substr(where.size())),
          "The connection broke before the answer was complete."};
}

// What holds for every call, whatever it asks.
void set_up_line(Setup& set, const Options& options, curl_slist* connect_to) {
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PROTOCOLS_STR, "https,http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options.ca_file.empty()) {
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (connect_to != nullptr) set(CURLOPT_CONNECT_TO, connect_to);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
}

void set_up_times(Setup& set, const Options& options, const Call& call, const Hop& hop) {
  // To libcurl 0 means "no limit" or "the default".
  const auto at_least_one = [](auto value) { return std::max(1L, static_cast<long>(value.count())); };
  set(CURLOPT_TIMEOUT_MS, at_least_one(hop.time_out));
  set(CURLOPT_CONNECTTIMEOUT_MS, at_least_one(call.connect_time_out.value_or(options.connect_time_out)));
  set(CURLOPT_LOW_SPEED_LIMIT, kLowSpeedBytes);
  set(CURLOPT_LOW_SPEED_TIME, at_least_one(call.low_speed_time_out.value_or(options.low_speed_time_out)));
}

// `lines` must live until the transfer has ended.
void set_up_request(Setup& set, const Call& call, const Hop& hop, StringList& lines) {
  if (call.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (call.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, call.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    lines.add("Content-Type: " + call.content_type);
    lines.add("Expect:");
    set(CURLOPT_FRESH_CONNECT, 1L);  // on a kept connection libcurl may send it twice
  } else {
    set(CURLOPT_HTTPGET, 1L);
    if (call.method != "GET") set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }
  if (hop.at_first_host) {
    for (const auto& [name, value] : call.headers) lines.add(name + (value.empty() ? ";" : ": " + value));
    if (call.credentials != nullptr) {
      set(CURLOPT_USERNAME, call.credentials->user.c_str());
      set(CURLOPT_PASSWORD, call.credentials->password.reveal().data());
    }
  }
  set(CURLOPT_HTTPHEADER, lines.list());
}

}  // namespace

void CleanUp::operator()(CURL* handle) const { curl_easy_cleanup(handle); }

StringList::~StringList() { curl_slist_free_all(list_); }

void StringList::add(const std::string& line) {
  if (curl_slist* longer = curl_slist_append(list_, line.c_str()); longer != nullptr) list_ = longer;
}

core::Result<Answer> transfer(CURL* handle, const Options& options, curl_slist* connect_to, const Call& call, const Hop& hop) {
  Exchange exchange{.call = call, .hop = hop};
  StringList lines;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_reset(handle);
  Setup set(handle);
  set_up_line(set, options, connect_to);
  set_up_times(set, options, call, hop);
  set_up_request(set, call, hop, lines);
  set(CURLOPT_URL, hop.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_PREREQFUNCTION, on_ready);
  set(CURLOPT_PREREQDATA, &exchange);
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, &exchange);
  // An option that this libcurl does not have must not be missed silently: some of them are the locks on the door.
  if (set.trouble != CURLE_OK)
    return core::Error{core::Code::internal, std::string("prepare a request: ") + curl_easy_strerror(set.trouble)};

  const WithoutSigpipe guard;
  const CURLcode code = hop.time_out.count() > 0 ? curl_easy_perform(handle) : CURLE_OPERATION_TIMEDOUT;
  if (code != CURLE_OK) return explain(exchange, code, detail);
  if (exchange.answer.status < 200 || exchange.answer.status > 599)
    return core::Error{core::Code::unknown_outcome, call.method + " " + hop.host_port + ": an answer without a proper status"};
  return std::move(exchange.answer);
}

}  // namespace http
