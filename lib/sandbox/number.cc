// IncomingPhoneNumbers of the 2010 API: one number, our own, and the URL that is called when a fax comes in.
#include "core/fd.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "json/value.h"
#include "json/writer.h"
#include "sandbox/state.h"
#include "text/date.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;

constexpr std::pair<std::string_view, std::string OwnNumber::*> kTexts[] = {
    {"voice_url", &OwnNumber::voice_url},
    {"voice_method", &OwnNumber::voice_method},
    {"voice_receive_mode", &OwnNumber::voice_receive_mode},
    {"friendly_name", &OwnNumber::friendly_name},
};

}  // namespace

core::Result<void> Sandbox::State::open_number() {
  const std::string path = options.folder + "/number.json";
  number = {};
  number.friendly_name = options.own_number;
  number.created_ms = number.updated_ms = now_ms();
  const auto text = core::read_file(path, kMaxBytes);
  if (!text && text.error().code == core::Code::not_found) return store_number(number);
  CORE_CHECK(text);
  CORE_TRY(value, json::parse(*text));
  for (const auto& [name, member] : kTexts)
    if (const auto read = value[name].as_string()) number.*member = *read;
  number.created_ms = value["created_ms"].as_int64().value_or(number.created_ms);
  number.updated_ms = value["updated_ms"].as_int64().value_or(number.updated_ms);
  return {};
}

core::Result<void> Sandbox::State::store_number(const OwnNumber& altered) const {
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, member] : kTexts) writer.member(name, altered.*member);
  writer.member("created_ms", altered.created_ms).member("updated_ms", altered.updated_ms).end_object();
  return core::replace_file(options.folder + "/number.json", writer.text() + "\n", 0600);
}

// The same for the same number, as if it had been bought once.
std::string Sandbox::State::number_sid() const {
  std::string digits = crypto::hex(crypto::sha256(options.own_number)).substr(0, 32);
  if (!dialect.uuids) return "PN" + digits;
  for (const std::size_t at : {20U, 16U, 12U, 8U}) digits.insert(at, 1, '-');
  return digits;
}

std::string Sandbox::State::number_json() const {
  const auto date = [](std::int64_t ms) { return text::mail_date(core::from_ms(ms)); };
  json::Writer writer;
  writer.begin_object().member("sid", number_sid()).member("account_sid", options.account_sid);
  writer.member("phone_number", options.own_number).member("friendly_name", number.friendly_name);
  writer.member("voice_url", number.voice_url.empty() ? options.incoming_url : number.voice_url).member("voice_method", number.voice_method);
  if (dialect.receive_mode) writer.member("voice_receive_mode", number.voice_receive_mode);
  writer.key("capabilities").begin_object().member("voice", true).member("sms", false).member("mms", false).member("fax", true).end_object();
  writer.member("date_created", date(number.created_ms)).member("date_updated", date(number.updated_ms)).member("api_version", "2010-04-01");
  writer.member("uri", in_account(dialect.account_path) + "/IncomingPhoneNumbers/" + number_sid() + ".json").end_object();
  return writer.text();
}

Response Sandbox::State::numbers(const Request& request, std::span<const std::string_view> rest) {
  if (rest.empty()) return request.method == "GET" ? list_numbers(request) : not_allowed("GET");
  if (rest.size() > 1 || rest[0] != number_sid()) return not_found(request.path);
  if (request.method == "POST") return change_number(request);
  if (request.method != "GET") return not_allowed("GET, POST");
  form::Fields none;
  if (auto refused = refusal(request, {}, none)) return std::move(*refused);
  const std::lock_guard lock(mutex);
  return json_response(200, number_json());
}

Response Sandbox::State::list_numbers(const Request& request) {
  Page page;
  if (auto refused = refusal(request, number_list_parameters(), page.query)) return std::move(*refused);
  page.key = "incoming_phone_numbers";
  page.path = in_account(dialect.account_path) + "/IncomingPhoneNumbers.json";
  page.size = text::parse_int64(page.query.first("PageSize").value_or("50")).value_or(50);
  page.number = text::parse_int64(page.query.first("Page").value_or("0")).value_or(0);
  const std::lock_guard lock(mutex);
  const auto wanted = page.query.first("PhoneNumber").value_or(""), named = page.query.first("FriendlyName").value_or("");
  const bool fits = options.own_number.find(wanted) != std::string::npos && (named.empty() || named == number.friendly_name);
  if (fits && page.number == 0 && page.query.first("Beta") != "true") page.items.push_back(number_json());
  return json_response(200, page_json(page, true));
}

Response Sandbox::State::change_number(const Request& request) {
  form::Fields form;
  if (auto refused = refusal(request, dialect.number, form)) return std::move(*refused);
  const std::lock_guard lock(mutex);
  OwnNumber altered = number;
  for (const auto& [name, member] : {std::pair<std::string_view, std::string OwnNumber::*>{"VoiceUrl", &OwnNumber::voice_url},
                                     {"VoiceMethod", &OwnNumber::voice_method},
                                     {"VoiceReceiveMode", &OwnNumber::voice_receive_mode},
                                     {"FriendlyName", &OwnNumber::friendly_name}})
    if (const auto value = form.first(name)) altered.*member = *value;
  altered.updated_ms = now_ms();
  if (const auto stored = store_number(altered); !stored) return not_stored(stored.error());
  number = std::move(altered);
  return json_response(200, number_json());
}

}  // namespace sandbox
