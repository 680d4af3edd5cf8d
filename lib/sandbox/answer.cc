// How faxes are told in answers of the API, and the signed URLs in them.
#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "form/fields.h"
#include "json/writer.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::int64_t kMediaUrlSeconds = 2 * 60 * 60;

std::string date(std::int64_t ms) { return core::rfc3339(core::from_ms(ms)); }

std::string media_signature(std::string_view token, std::string_view path, std::string_view expires) {
  return crypto::hex(crypto::hmac_sha256(crypto::derive_key(token, "sandbox media url"), std::string(path).append("?").append(expires)));
}

void member_or_null(json::Writer& writer, std::string_view name, std::string_view text) {
  if (text.empty()) writer.member(name, nullptr);
  else writer.member(name, text);
}

}  // namespace

std::string Sandbox::State::media_url(const Fax& fax, bool expired) const {
  const std::string path = "/sandbox/media/" + fax.sid + "/" + fax.media_sid;
  const std::string expires = std::to_string(now_ms() / 1000 + (expired ? -1 : kMediaUrlSeconds));
  return options.api_url + path + "?expires=" + expires + "&signature=" + media_signature(options.token.reveal(), path, expires);
}

bool Sandbox::State::media_url_is_good(std::string_view path, std::string_view query) const {
  const auto fields = form::parse_urlencoded(query);
  if (!fields) return false;
  const auto expires = fields->first("expires").value_or("");
  const auto signature = fields->first("signature").value_or("");
  const auto seconds = text::parse_int64(expires);
  return seconds && crypto::equal(signature, media_signature(options.token.reveal(), path, expires)) && *seconds >= now_ms() / 1000;
}

std::string Sandbox::State::fax_path(const Fax& fax) const {
  return (dialect.host_relative ? "" : options.api_url) + in_account(dialect.faxes_path) + "/" + fax.sid;
}

std::string Sandbox::State::fax_json(const Fax& fax) const {
  const std::string url = fax_path(fax);
  const bool media = fax.has_media && fax.store_media && fax.is_final();
  json::Writer writer;
  writer.begin_object();
  writer.member("sid", fax.sid).member("account_sid", options.account_sid);
  member_or_null(writer, "media_sid", fax.media_sid);
  writer.member("from", fax.from).member("to", fax.to).member("quality", fax.quality);
  writer.member("status", fax.status).member("direction", fax.direction);
  if (dialect.host_relative) member_or_null(writer, "num_pages", fax.pages ? std::to_string(*fax.pages) : std::string());
  else writer.member("num_pages", fax.pages);
  writer.key("duration");
  if (fax.status == "delivered" || fax.status == "received") writer.value((fax.updated_ms - fax.created_ms) / 1000);
  else writer.value(nullptr);
  writer.member("price", nullptr).member("price_unit", nullptr);
  if (dialect.errors_in_fax) {
    member_or_null(writer, "error_code", fax.is_final() ? fax.error_code : std::string());
    member_or_null(writer, "error_message", fax.is_final() ? fax.error_message : std::string());
  }
  member_or_null(writer, "media_url", media ? media_url(fax) : std::string());
  writer.member("api_version", "v1").member("date_created", date(fax.created_ms)).member("date_updated", date(fax.updated_ms));
  writer.key("links").begin_object().member("media", url + "/Media").end_object();
  writer.member("url", url).end_object();
  return writer.text();
}

std::string Sandbox::State::media_json(const Fax& fax) const {
  json::Writer writer;
  writer.begin_object();
  writer.member("sid", fax.media_sid).member("account_sid", options.account_sid).member("fax_sid", fax.sid);
  writer.member("content_type", "application/pdf");
  writer.member("date_created", date(fax.updated_ms)).member("date_updated", date(fax.updated_ms));
  writer.member("url", fax_path(fax) + "/Media/" + fax.media_sid).end_object();
  return writer.text();
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Content-Length", std::to_string(body.size())}, {"Cache-Control", "no-store"}};
  response.body = std::move(body);
  return response;
}

Response nothing() {
  Response response;
  response.status = 204;
  return response;
}

Response Sandbox::State::error(int status, int code, std::string_view message) const {
  std::string more(dialect.error_url);
  if (const auto place = more.find("{code}"); place != std::string::npos) more.replace(place, 6, std::to_string(code));
  json::Writer writer;
  writer.begin_object().member("code", code).member("message", message).member("more_info", more).member("status", status).end_object();
  Response response = json_response(status, writer.text());
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"" + std::string(dialect.authority) + " API\"");
  return response;
}

Response Sandbox::State::not_found(std::string_view path) const { return error(404, 20404, "The requested resource " + std::string(path) + " was not found"); }

Response Sandbox::State::not_allowed(std::string_view allow) const {
  Response response = error(405, 20004, "Method not allowed");
  response.headers.emplace_back("Allow", allow);
  return response;
}

Response Sandbox::State::not_stored(const core::Error& reason) const {
  core::log(core::Level::error, "the sandbox cannot store", reason);
  return error(500, 20500, "An internal server error has occurred");
}

std::optional<Response> Sandbox::State::refusal(const Request& request, std::span<const Parameter> known, form::Fields& fields) const {
  const bool has_form = request.method == "POST";
  if (has_form && !request.query.empty()) return error(400, dialect.wrong_code, "This request takes no query");
  auto given = has_form ? read_form(request) : form::parse_urlencoded(request.query);
  if (!given || !given->valid_utf8()) return error(400, dialect.wrong_code, has_form ? "The body is not a form" : "The query cannot be read");
  fields = std::move(*given);
  const auto wrong = complaint(dialect, known, fields, options.own_number);
  if (!wrong) return std::nullopt;
  core::log(core::Level::warning, "the sandbox refuses a request that is not as documented", {{"method", request.method}, {"code", std::to_string(wrong->code)}, {"why", wrong->message}});
  return error(400, wrong->code, wrong->message);
}

}  // namespace sandbox
