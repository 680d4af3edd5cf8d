#include "form/urlencoded.h"

#include "text/percent.h"
#include "text/words.h"

namespace form {

core::Result<Fields> parse_urlencoded(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) return core::Error{core::Code::too_large, "form too long", "The form is too long."};
  Fields fields;
  for (const auto part : text::split(text, '&')) {
    if (part.empty()) continue;
    if (fields.size() >= limits.fields) return core::Error{core::Code::bad_request, "form with too many fields", "The form has too many fields."};
    const auto equals = part.find('=');
    CORE_TRY(name, text::percent_decode(part.substr(0, equals), text::PlusMeans::space));
    CORE_TRY(value, text::percent_decode(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), text::PlusMeans::space));
    if ((name + value).find('\0') != std::string::npos) return core::Error{core::Code::bad_request, "form with NUL", "The form is malformed: it holds a NUL character."};
    fields.emplace_back(std::move(name), std::move(value));
  }
  return fields;
}

std::optional<std::string_view> first(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return std::nullopt;
}

std::optional<std::string> cookie(std::string_view header, std::string_view name) {
  for (auto pair : text::split(header, ';')) {
    pair = text::trim(pair);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return std::string(pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace form
