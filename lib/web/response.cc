#include "web/response.h"

#include <algorithm>

#include "text/percent.h"
#include "text/words.h"

namespace web {

namespace {

bool is_token(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

bool is_cookie_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != ';' && c != '\\'; });
}

}  // namespace

Response& Response::remove(std::string_view name) {
  std::erase_if(headers_, [&](const auto& header) { return text::equal_ignoring_case(header.first, name); });
  return *this;
}

Response& Response::set(std::string_view name, std::string_view value) { return remove(name).add(name, value); }

Response& Response::add(std::string_view name, std::string_view value) {
  if (!is_token(name)) return *this;
  std::string clean(value);
  std::replace_if(clean.begin(), clean.end(), [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; }, ' ');
  headers_.emplace_back(name, std::move(clean));
  return *this;
}

std::optional<std::string_view> Response::first(std::string_view name) const {
  for (const auto& [key, value] : headers_)
    if (text::equal_ignoring_case(key, name)) return value;
  return std::nullopt;
}

Response& Response::set_text(std::string text, std::string_view content_type) {
  clear_body();
  text_ = std::move(text);
  return set("Content-Type", content_type);
}

Response& Response::set_file(FileBody file, std::string_view content_type) {
  clear_body();
  file_ = std::move(file);
  return set("Content-Type", content_type);
}

Response& Response::omit_body() {
  omitted_ = content_length();
  text_.clear();
  file_.reset();
  return *this;
}

Response& Response::clear_body() {
  omitted_.reset();
  text_.clear();
  file_.reset();
  return remove("Content-Type");
}

std::optional<std::uint64_t> Response::content_length() const {
  if (status_ < 200 || status_ == 204 || status_ == 304 || first("X-Accel-Redirect")) return std::nullopt;
  if (omitted_) return omitted_;
  return file_ ? file_->length : text_.size();
}

Response& Response::set_cookie(std::string_view name, std::string_view value, std::chrono::seconds max_age) {
  if (!is_token(name) || !is_cookie_value(value)) return *this;
  std::string cookie(name);
  cookie.append("=").append(value).append("; Max-Age=").append(std::to_string(std::max<std::int64_t>(max_age.count(), 0)));
  return add("Set-Cookie", cookie.append("; Path=/; Secure; HttpOnly; SameSite=Strict"));
}

Response json(int status, std::string json) {
  Response response(status);
  response.set_text(std::move(json), "application/json");
  return response;
}

Response xml(std::string xml) {
  Response response;
  response.set_text(std::move(xml), "text/xml; charset=utf-8");
  return response;
}

Response text(int status, std::string_view plain) {
  Response response(status);
  response.set_text(std::string(plain), "text/plain; charset=utf-8");
  return response;
}

Response empty(int status) { return Response(status); }

Response redirect(int status, std::string_view location) {
  Response response(status);
  response.set("Location", location);
  return response;
}

Response accel_redirect(std::string_view internal_path) {
  std::string encoded;
  for (const std::string_view part : text::split(internal_path, '/')) encoded.append(text::percent_encode(part)).append("/");
  encoded.pop_back();
  Response response;
  response.set("X-Accel-Redirect", encoded);
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

}  // namespace web
