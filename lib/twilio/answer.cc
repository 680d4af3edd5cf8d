#include "twilio/answer.h"

#include <algorithm>
#include <utility>

#include "json/value.h"
#include "text/words.h"
#include "twilio/date.h"
#include "twilio/field.h"
#include "twilio/status.h"
#include "twilio/token.h"

namespace twilio {

namespace {

constexpr std::size_t kMaxAnswerBytes = 2 << 20;

core::Error strange(std::string_view what) {
  return {core::Code::bad_request, "read the provider's answer: " + std::string(what), "The provider's answer could not be understood."};
}

core::Result<json::Value> read_object(std::string_view body) {
  auto value = json::parse(body, {.max_bytes = kMaxAnswerBytes, .repeated_names = true});
  if (!value) return strange("no JSON");
  if (!value->is_object()) return strange("no JSON object");
  return value;
}

// A text, or a whole number in digits; else "".
std::string plain(const json::Value& value) {
  if (const auto number = value.as_int64()) return std::to_string(*number);
  return std::string(value.as_string().value_or(""));
}

std::string text_of(const json::Value& object, std::string_view name) { return fit(plain(object[name])); }
std::string words_of(const json::Value& object, std::string_view name) { return fit_words(plain(object[name])); }

core::Result<fax::ProviderFax> fax_of(const json::Value& object) {
  fax::ProviderFax fax;
  fax.id = text_of(object, "sid");
  if (!is_fax_sid(fax.id)) return strange("no proper sid");
  fax.status = read_status(text_of(object, "status"));
  fax.direction = text_of(object, "direction") == "inbound" ? fax::Direction::inbound : fax::Direction::outbound;
  fax.from = fit_caller(plain(object["from"]));
  fax.to = text_of(object, "to");
  fax.pages = read_count(text_of(object, "num_pages"));
  fax.media_url = fit_url(object["media_url"].as_string().value_or(""));
  if (std::string media = text_of(object, "media_sid"); is_fax_sid(media)) fax.media_id = std::move(media);
  fax.error_code = text_of(object, "error_code");
  fax.error_message = words_of(object, "error_message");
  fax.created = read_date(text_of(object, "date_created"));
  return fax;
}

core::Result<std::string> next_of(const json::Value& object) {
  const json::Value& meta = object["meta"];
  const json::Value& next = meta.is_object() ? meta["next_page_url"] : object["next_page_uri"];
  if (next.is_null()) return std::string();
  const auto text = next.as_string();
  auto address = fit_url(text.value_or(""));
  if (!text || address.empty() != text->empty()) return strange("no proper address of the next page");
  return address;
}

core::Result<Number> number_of(const json::Value& object) {
  Number number;
  number.sid = text_of(object, "sid");
  if (!is_fax_sid(number.sid)) return strange("a number without a proper sid");
  number.number = text_of(object, "phone_number");
  number.voice_url = fit_url(object["voice_url"].as_string().value_or(""));
  number.voice_method = text_of(object, "voice_method");
  number.receive_mode = text_of(object, "voice_receive_mode");
  number.fax = object["capabilities"]["fax"].as_bool();
  return number;
}

std::optional<Refusal> refusal_of(const json::Value& object) {
  Refusal refusal{text_of(object, "code"), words_of(object, "message")};
  if (refusal.code.empty() && refusal.message.empty()) return std::nullopt;
  return refusal;
}

}  // namespace

core::Result<fax::ProviderFax> read_fax(std::string_view body) {
  CORE_TRY(object, read_object(body));
  return fax_of(object);
}

core::Result<Page> read_page(std::string_view body) {
  CORE_TRY(object, read_object(body));
  const json::Value& list = object["faxes"];
  if (!list.is_array()) return strange("no list of faxes");
  Page page;
  for (const auto& item : list.items()) {
    if (auto fax = fax_of(item)) page.faxes.push_back(std::move(fax).value());
    else page.unreadable += 1;
  }
  CORE_TRY(next, next_of(object));
  page.next = std::move(next);
  return page;
}

core::Result<std::string> read_next(std::string_view body) {
  CORE_TRY(object, read_object(body));
  return next_of(object);
}

core::Result<std::vector<std::string>> read_media(std::string_view body) {
  CORE_TRY(object, read_object(body));
  std::vector<std::string> sids;
  bool found = false;
  for (const auto* name : {"media", "fax_media"}) {
    const json::Value& list = object[name];
    found = found || list.is_array();
    for (const auto& item : list.items()) {
      const std::string sid = text_of(item, "sid");
      if (!is_fax_sid(sid)) return strange("no proper sid in the list of media");
      if (std::find(sids.begin(), sids.end(), sid) == sids.end()) sids.push_back(sid);
    }
  }
  if (!found) return strange("no list of media");
  return sids;
}

core::Result<Medium> read_medium(std::string_view body) {
  CORE_TRY(object, read_object(body));
  Medium medium{text_of(object, "sid"), text_of(object, "content_type"), fit_url(object["url"].as_string().value_or(""))};
  if (!is_fax_sid(medium.sid)) return strange("no proper sid");
  return medium;
}

core::Result<Number> read_number(std::string_view body) {
  CORE_TRY(object, read_object(body));
  return number_of(object);
}

core::Result<std::vector<Number>> read_numbers(std::string_view body) {
  CORE_TRY(object, read_object(body));
  const json::Value& list = object["incoming_phone_numbers"];
  if (!list.is_array()) return strange("no list of numbers");
  std::vector<Number> numbers;
  for (const auto& item : list.items()) {
    CORE_TRY(number, number_of(item));
    numbers.push_back(std::move(number));
  }
  return numbers;
}

std::optional<Refusal> read_refusal(std::string_view body) {
  const auto object = read_object(body);
  if (!object) return std::nullopt;
  const json::Value& errors = (*object)["errors"];
  if (!errors.is_array()) return refusal_of(*object);
  const auto items = errors.items();
  if (items.empty()) return std::nullopt;
  if (items.front().is_object()) return refusal_of(items.front());
  const std::string message = fit_words(items.front().as_string().value_or(""));
  return message.empty() ? std::nullopt : std::optional(Refusal{"", message});
}

}  // namespace twilio
