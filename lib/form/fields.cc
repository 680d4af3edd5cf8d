#include "form/fields.h"

#include <algorithm>
#include <utility>

#include "form/bytes.h"

namespace form {

using core::Code;
using core::Error;

std::optional<std::string_view> Fields::first(std::string_view name) const& {
  for (const Field& field : list_)
    if (field.name == name) return field.value;
  return std::nullopt;
}

std::vector<std::string_view> Fields::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : list_)
    if (field.name == name) values.emplace_back(field.value);
  return values;
}

bool Fields::valid_utf8() const {
  const auto valid = [](std::string_view text) {
    while (!text.empty()) {
      const std::size_t length = character_length(text);
      if (length == 0) return false;
      text.remove_prefix(length);
    }
    return true;
  };
  return std::all_of(list_.begin(), list_.end(), [&](const Field& field) { return valid(field.name) && valid(field.value); });
}

core::Result<Fields> parse_urlencoded(std::string_view text, Limits limits) {
  if (text.size() > limits.max_bytes)
    return Error{.code = Code::too_large,
                 .text = "form: urlencoded, " + std::to_string(text.size()) + " bytes",
                 .hint = "This form is too large: at most " + size_in_words(limits.max_bytes) + " are taken."};
  Fields fields;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    if (fields.size() >= limits.max_fields)
      return Error{.code = Code::too_large,
                   .text = "form: urlencoded, too many fields",
                   .hint = "This form has too many fields: at most " + std::to_string(limits.max_fields) + " are taken."};
    const std::size_t name_end = std::min(piece.find('='), piece.size());
    auto name = decode_percent(piece.substr(0, name_end), Plus::space);
    auto value = decode_percent(piece.substr(std::min(piece.size(), name_end + 1)), Plus::space);
    if (!name || !value)
      return bad_request("urlencoded, broken percent-encoding", "This form cannot be read: a \"%\" in it is not followed by two hexadecimal digits.");
    if (limits.nul == Nul::refuse && (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos))
      return bad_request("urlencoded, NUL in a field", "This form cannot be read: a field holds a NUL character.");
    fields.add(std::move(*name), std::move(*value));
  }
  return fields;
}

}  // namespace form
