#include "form/header_value.h"

#include <algorithm>
#include <utility>

#include "form/bytes.h"

namespace form {

namespace {

constexpr std::string_view kHint = "The form was sent in a way that cannot be read (a damaged header).";

// Takes a quoted value, whose opening quote is gone, and its closing quote off `rest`.
core::Result<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
    value += rest[i];
  }
  return bad_request("header value: a quote that does not end", kHint);
}

}  // namespace

const Parameter* HeaderValue::find(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& each) { return each.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

core::Result<HeaderValue> parse_header_value(std::string_view text) {
  HeaderValue header;
  const std::size_t end = std::min(text.find(';'), text.size());
  header.kind = lower(without_blanks(text.substr(0, end)));
  std::string_view rest = text.substr(end);
  // Each turn begins at a ";" or at the end.
  while (!rest.empty()) {
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.empty() || rest.front() == ';') continue;
    const std::size_t equals = rest.find_first_of("=;");
    if (equals == std::string_view::npos || rest[equals] == ';') return bad_request("header value: a parameter without \"=\"", kHint);
    Parameter parameter{.name = lower(without_blanks(rest.substr(0, equals))), .value = {}};
    if (parameter.name.empty() || header.find(parameter.name) != nullptr) return bad_request("header value: a parameter without a name, or twice", kHint);
    rest.remove_prefix(equals + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      CORE_TRY(value, take_quoted(rest));
      parameter.value = std::move(value);
      parameter.quoted = true;
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      if (!rest.empty() && rest.front() != ';') return bad_request("header value: text after a quoted value", kHint);
    } else {
      const std::size_t stop = std::min(rest.find(';'), rest.size());
      parameter.value = without_blanks(rest.substr(0, stop));
      rest.remove_prefix(stop);
    }
    header.parameters.push_back(std::move(parameter));
  }
  return header;
}

}  // namespace form
