#include "sql/statement.h"

#include <algorithm>
#include <array>

namespace sql {

namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

core::Error wrong(std::string_view statement, std::string_view why) {
  return {core::Code::internal, "SQL " + shortened(statement) + ": " + std::string(why)};
}

// Behind the quoted text or the comment that begins at `start`; `start` itself if none does.
std::size_t skip_opaque(std::string_view text, std::size_t start) {
  const auto until = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const char c = text[start];
  if (c == '\'' || c == '"') return until(std::string_view(&c, 1), start + 1);  // a doubled quote is the next piece
  if (text.substr(start, 2) == "--") return until("\n", start + 2);
  if (text.substr(start, 2) == "/*") return until("*/", start + 2);
  return start;
}

}  // namespace

bool may_change_rows(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords{"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"};
  const auto first = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_blank) - text.begin());
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    const auto start = text.substr(first, word.size());
    return std::equal(start.begin(), start.end(), word.begin(), word.end(), [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 'a' + 'A' : a) == b; });
  });
}

std::string shortened(std::string_view statement) { return std::string(statement.substr(0, 120)); }

core::Result<StatementText> read_statement(std::string_view statement, std::size_t values) {
  if (statement.find('\0') != std::string_view::npos) return wrong(statement, "a NUL in it");
  StatementText found;
  found.changes_rows = may_change_rows(statement);
  std::vector<bool> used(values, false);
  bool over = false;
  for (std::size_t i = 0; i < statement.size();) {
    const auto next = skip_opaque(statement, i);
    const char c = statement[i];
    if (next > i) {
      if (over && c != '-' && c != '/') return wrong(statement, "a second statement");
      found.text += statement.substr(i, next - i);
      i = next;
      continue;
    }
    if (over && !is_blank(c) && c != ';') return wrong(statement, "a second statement");
    over = over || c == ';';
    const char after = i + 1 < statement.size() ? statement[i + 1] : ' ';
    if (c == ':' && after == ':') {  // PostgreSQL's cast
      found.text += "::";
      i += 2;
      continue;
    }
    if (c == '?' || (c == ':' && is_letter(after))) return wrong(statement, "placeholders are :1, :2 …");
    if (c != ':' || !is_digit(after)) {
      found.text += c;
      ++i;
      continue;
    }
    std::size_t number = 0;
    for (++i; i < statement.size() && is_digit(statement[i]); ++i) number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(statement[i] - '0'), 100'000);
    if (number == 0 || number > values) return wrong(statement, "no value for :" + std::to_string(number));
    used[number - 1] = true;
    found.binds.push_back(number - 1);
    found.text += ":p" + std::to_string(found.binds.size());
  }
  const auto is_text = [](char c) { return !is_blank(c) && c != ';'; };
  if (std::none_of(found.text.begin(), found.text.end(), is_text)) return wrong(statement, "nothing in it");
  if (const auto unused = std::find(used.begin(), used.end(), false); unused != used.end())
    return wrong(statement, "value " + std::to_string(unused - used.begin() + 1) + " is used nowhere");
  return found;
}

}  // namespace sql
