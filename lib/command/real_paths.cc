#include "command/real_paths.h"

#include <algorithm>

#include "json/writer.h"
#include "text/words.h"

namespace command {

namespace {

bool is_of_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

std::string escaped(std::string_view path) {
  std::string quoted;
  json::append_quoted(quoted, path);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

RealPaths::RealPaths(std::string_view listed) {
  const auto lines = text::split(listed, '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2)
    if (!lines[i].empty()) paths_.emplace_back(lines[i], lines[i + 1]);
  std::stable_sort(paths_.begin(), paths_.end(), [](const auto& one, const auto& other) { return one.first.size() > other.first.size(); });
}

std::string RealPaths::in(std::string_view line) const {
  const bool is_json = line.starts_with('{') || line.starts_with('[');
  std::string shown;
  for (std::size_t at = 0; at < line.size();) {
    const auto rest = line.substr(at);
    const bool begins = at == 0 || (!is_of_a_name(line[at - 1]) && line[at - 1] != '.');
    const auto found = std::find_if(paths_.begin(), paths_.end(), [&](const auto& path) {
      return begins && rest.starts_with(path.first) && (rest.size() == path.first.size() || !is_of_a_name(rest[path.first.size()]));
    });
    if (found == paths_.end()) {
      shown += line[at++];
      continue;
    }
    shown += is_json ? escaped(found->second) : found->second;
    at += found->first.size();
  }
  return shown;
}

}  // namespace command
