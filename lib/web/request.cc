#include "web/request.h"

#include <algorithm>

#include "core/clock.h"
#include "core/id.h"
#include "text/percent.h"
#include "text/utf8.h"
#include "text/words.h"

namespace web {

namespace {

std::optional<std::string_view> find(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return std::nullopt;
}

// "X-Twilio-Signature" as CGI names it (RFC 3875 section 4.1.18).
std::string parameter_name(std::string_view header) {
  std::string name;
  for (const char c : header) {
    const bool small = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : static_cast<char>(small ? c - 'a' + 'A' : c);
  }
  return name == "CONTENT_TYPE" || name == "CONTENT_LENGTH" ? name : "HTTP_" + name;
}

bool is_request_id(std::string_view id) {
  const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; };
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), fits);
}

std::vector<std::string> split_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return {};
  std::vector<std::string> segments;
  for (const std::string_view encoded : text::split(path.substr(1), '/')) {
    core::Result<std::string> segment = text::percent_decode(encoded, text::PlusMeans::plus);
    if (!segment || *segment == "" || *segment == "." || *segment == ".." || segment->find('\0') != std::string::npos || !text::valid_utf8(*segment)) return {};
    segments.push_back(std::move(*segment));
  }
  return segments;
}

}  // namespace

Request::Request(Parameters parameters, std::unique_ptr<Body> body) : parameters_(std::move(parameters)), body_(std::move(body)) {
  method_ = text("REQUEST_METHOD");
  request_uri_ = text("REQUEST_URI");
  id_ = text("REQUEST_ID");
  if (!is_request_id(id_)) id_ = core::new_id(core::SystemClock().now());
  segments_ = split_path(path());
}

std::string_view Request::path() const { return request_uri().substr(0, request_uri_.find('?')); }

std::string_view Request::query() const {
  const std::size_t mark = request_uri_.find('?');
  return mark == std::string::npos ? std::string_view() : request_uri().substr(mark + 1);
}

std::optional<std::string_view> Request::parameter(std::string_view name) const { return find(parameters_, name); }

std::optional<std::string_view> Request::header(std::string_view name) const {
  const std::string key = parameter_name(name);
  const std::optional<std::string_view> value = parameter(key);
  if (value && value->empty() && key.starts_with("CONTENT_")) return std::nullopt;
  return value;
}

std::string_view Request::host() const {
  const std::string_view requested = text("HTTP_HOST");
  return requested.empty() ? text("SERVER_NAME") : requested;
}

std::string loggable_path(const Request& request) {
  std::string path(request.path());
  // nginx resolves "//", "." and "%66" before it chooses the program; a token may follow any spelling of these two.
  const auto& segments = request.segments();
  if (segments.empty()) return path == "/" ? path : "(not a plain path)";
  if (segments.size() > 2 && segments[0] == "fax" && (segments[1] == "callback" || segments[1] == "sending")) return "/fax/" + segments[1] + "/";
  return path;
}

core::Result<std::optional<std::uint64_t>> announced_length(const Parameters& parameters) {
  const std::string_view text = find(parameters, "CONTENT_LENGTH").value_or("");
  if (text.empty()) return std::optional<std::uint64_t>();
  const std::optional<std::int64_t> length = text::parse_int64(text);
  if (!length || *length < 0) return core::Error{.code = core::Code::bad_request, .text = "CONTENT_LENGTH is no length", .hint = "The request's length is not a number."};
  return std::optional<std::uint64_t>(static_cast<std::uint64_t>(*length));
}

Request make_request(std::string_view method, std::string_view target, std::string body, Parameters more) {
  const std::string length = body.empty() ? "" : std::to_string(body.size());
  Parameters parameters = std::move(more);
  const std::size_t mark = target.find('?');
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string_view>>{
           {"REQUEST_METHOD", method}, {"REQUEST_URI", target}, {"QUERY_STRING", mark == target.npos ? "" : target.substr(mark + 1)},
           {"REQUEST_SCHEME", "https"}, {"HTTP_HOST", "fax.example"}, {"SERVER_NAME", "fax.example"}, {"SERVER_PORT", "443"},
           {"REMOTE_ADDR", "127.0.0.1"}, {"CONTENT_LENGTH", length}, {"CONTENT_TYPE", ""}, {"AUTH_USER", ""}, {"AUTH_ROLE", ""}, {"AUTH_VIA", ""}})
    parameters.emplace_back(name, value);
  auto stream = std::make_unique<TextBody>(std::move(body));
  return Request(std::move(parameters), std::move(stream));
}

}  // namespace web
