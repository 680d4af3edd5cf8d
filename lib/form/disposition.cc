#include "form/disposition.h"

#include "text/percent.h"
#include "text/utf8.h"
#include "text/words.h"

namespace form {

namespace {

// Takes `name[=value]` off the front of a header's parameters.
struct Parameter {
  std::string name;
  std::string value;
};

std::string take_quoted(std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    // Browsers write a quote as %22, older ones as \"; a lone backslash is part of a Windows path.
    if (rest.front() == '\\' && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\\')) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return value;
}

std::optional<Parameter> take_parameter(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ';' || rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  const auto end = rest.find_first_of("=;");
  Parameter parameter{text::lower(text::trim(rest.substr(0, end))), {}};
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  if (rest.empty() || rest.front() != '=') return parameter;
  rest.remove_prefix(1);
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  if (!rest.empty() && rest.front() == '"') {
    parameter.value = take_quoted(rest);
  } else {
    const auto stop = rest.find(';');
    parameter.value = std::string(text::trim(rest.substr(0, stop)));
    rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop);
  }
  return parameter;
}

// charset'language'percent-encoded; UTF-8 alone.
std::optional<std::string> extended(std::string_view value) {
  const auto first = value.find('\'');
  const auto second = value.find('\'', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos || !text::equal_ignoring_case(value.substr(0, first), "utf-8")) return std::nullopt;
  const auto decoded = text::percent_decode(value.substr(second + 1), text::PlusMeans::plus);
  return decoded ? std::optional(*decoded) : std::nullopt;
}

}  // namespace

Disposition parse_disposition(std::string_view value) {
  Disposition disposition;
  const auto end = value.find(';');
  disposition.type = text::lower(text::trim(value.substr(0, end)));
  auto rest = end == std::string_view::npos ? std::string_view() : value.substr(end);
  std::optional<std::string> better;
  while (const auto found = take_parameter(rest)) {
    if (found->name == "name" && !disposition.name) disposition.name = found->value;
    if (found->name == "filename" && !disposition.file_name) disposition.file_name = found->value;
    if (found->name == "filename*" && !better) better = extended(found->value);
  }
  if (better) disposition.file_name = better;
  return disposition;
}

std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  auto rest = value.substr(std::min(value.find(';'), value.size()));
  while (const auto found = take_parameter(rest))
    if (found->name == name) return found->value;
  return std::nullopt;
}

std::string safe_file_name(std::string_view name) {
  name = name.substr(name.find_last_of("/\\") == std::string_view::npos ? 0 : name.find_last_of("/\\") + 1);
  std::string safe;
  for (const char c : text::to_valid_utf8(name))
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) safe += c;
  while (safe.size() > 255) {
    // Whole characters, from the end.
    while (!safe.empty() && (static_cast<unsigned char>(safe.back()) & 0xc0) == 0x80) safe.pop_back();
    if (!safe.empty()) safe.pop_back();
  }
  return safe;
}

}  // namespace form
