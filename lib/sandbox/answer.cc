// How faxes are told in answers of the API, and the signed URLs in them.
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

std::string Sandbox::State::media_url(const Fax& fax) const {
  const std::string path = "/sandbox/media/" + fax.sid + "/" + fax.media_sid;
  const std::string expires = std::to_string(now_ms() / 1000 + kMediaUrlSeconds);
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

std::string Sandbox::State::fax_json(const Fax& fax) const {
  const std::string url = options.api_url + "/v1/Faxes/" + fax.sid;
  const bool media = fax.has_media && fax.store_media && fax.is_final();
  json::Writer writer;
  writer.begin_object();
  writer.member("sid", fax.sid).member("account_sid", options.account_sid);
  member_or_null(writer, "media_sid", fax.media_sid);
  writer.member("from", fax.from).member("to", fax.to).member("quality", fax.quality);
  writer.member("status", fax.status).member("direction", fax.direction).member("num_pages", fax.pages);
  writer.key("duration");
  if (fax.status == "delivered" || fax.status == "received") writer.value((fax.updated_ms - fax.created_ms) / 1000);
  else writer.value(nullptr);
  writer.member("price", nullptr).member("price_unit", nullptr);
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
  writer.member("url", options.api_url + "/v1/Faxes/" + fax.sid + "/Media/" + fax.media_sid).end_object();
  return writer.text();
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Content-Length", std::to_string(body.size())}, {"Cache-Control", "no-store"}};
  response.body = std::move(body);
  return response;
}

Response error_response(int status, int code, std::string_view message) {
  json::Writer writer;
  writer.begin_object().member("code", code).member("message", message);
  writer.member("more_info", "https://www.twilio.com/docs/errors/" + std::to_string(code)).member("status", status).end_object();
  Response response = json_response(status, writer.text());
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"Twilio API\"");
  return response;
}

}  // namespace sandbox
