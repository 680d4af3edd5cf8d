#include "sandbox/fax.h"

#include <algorithm>

#include "crypto/encoding.h"
#include "crypto/random.h"
#include "json/value.h"
#include "json/writer.h"

namespace sandbox {
namespace {

// The members of one kind, read and written by the same list.
constexpr std::pair<std::string_view, std::string Fax::*> kTexts[] = {
    {"sid", &Fax::sid},
    {"direction", &Fax::direction},
    {"from", &Fax::from},
    {"to", &Fax::to},
    {"status", &Fax::status},
    {"error_code", &Fax::error_code},
    {"error_message", &Fax::error_message},
    {"quality", &Fax::quality},
    {"next", &Fax::next},
    {"given_media_url", &Fax::given_media_url},
    {"status_callback", &Fax::status_callback},
    {"callback_method", &Fax::callback_method},
    {"callback_events", &Fax::callback_events},
    {"faults", &Fax::faults},
    {"inbound_sid", &Fax::inbound_sid},
    {"media_sid", &Fax::media_sid},
    {"action", &Fax::action},
    {"method", &Fax::method},
};
constexpr std::pair<std::string_view, std::int64_t Fax::*> kNumbers[] = {
    {"created_ms", &Fax::created_ms},
    {"updated_ms", &Fax::updated_ms},
    {"due_ms", &Fax::due_ms},
    {"tries", &Fax::tries},
};
constexpr std::pair<std::string_view, bool Fax::*> kTruths[] = {
    {"store_media", &Fax::store_media},
    {"has_media", &Fax::has_media},
};

}  // namespace

bool Fax::is_final() const { return status != "queued" && status != "processing" && status != "sending" && status != "receiving"; }

bool is_sid(std::string_view text, std::string_view letters) {
  return text.size() == 34 && text.starts_with(letters) && std::all_of(text.begin() + 2, text.end(), [](char sign) {
           return (sign >= '0' && sign <= '9') || (sign >= 'a' && sign <= 'f') || (sign >= 'A' && sign <= 'F');
         });
}

std::string new_sid(std::string_view letters) { return std::string(letters) + crypto::hex(crypto::random_bytes(16)); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hexadecimal = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (hyphen ? text[i] != '-' : !hexadecimal) return false;
  }
  return true;
}

std::string new_uuid() {
  std::string digits = crypto::hex(crypto::random_bytes(16));
  digits[12] = '4';
  digits[16] = "89ab"[digits[16] % 4];
  for (const std::size_t at : {20U, 16U, 12U, 8U}) digits.insert(at, 1, '-');
  return digits;
}

std::string to_json(const Fax& fax) {
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, member] : kTexts) writer.member(name, fax.*member);
  for (const auto& [name, member] : kNumbers) writer.member(name, fax.*member);
  for (const auto& [name, member] : kTruths) writer.member(name, fax.*member);
  writer.member("pages", fax.pages).key("callbacks").begin_array();
  for (const Callback& callback : fax.callbacks)
    writer.begin_object().member("status", callback.status).member("due_ms", callback.due_ms).member("tries", callback.tries).end_object();
  writer.end_array().end_object();
  return writer.text() + "\n";
}

core::Result<Fax> fax_from_json(std::string_view text) {
  CORE_TRY(value, json::parse(text));
  Fax fax;
  for (const auto& [name, member] : kTexts)
    if (const auto read = value[name].as_string()) fax.*member = *read;
  for (const auto& [name, member] : kNumbers)
    if (const auto read = value[name].as_int64()) fax.*member = *read;
  for (const auto& [name, member] : kTruths)
    if (const auto read = value[name].as_bool()) fax.*member = *read;
  fax.pages = value["pages"].as_int64();
  for (const json::Value& item : value["callbacks"].items())
    fax.callbacks.push_back({std::string(item["status"].as_string().value_or("")), item["due_ms"].as_int64().value_or(0), item["tries"].as_int64().value_or(0)});
  if ((!is_sid(fax.sid, "FX") && !is_uuid(fax.sid)) || fax.status.empty() || (fax.direction != "inbound" && fax.direction != "outbound"))
    return core::Error{.code = core::Code::bad_request, .text = "read a fax of the sandbox: not one"};
  return fax;
}

}  // namespace sandbox
