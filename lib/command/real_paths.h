// The names that people know of paths.
//
// On a line of `make run`, the command sees checkout, RUN_DIR, STATE_DIR and the files it is given at short paths of a mount
// namespace that ends with it (bin/README.md). What it prints must name them as they are outside.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace command {

class RealPaths {
 public:
  // `listed`: a line with the short path, a line with the real one, and so on, as FAXLINE_REAL_PATHS holds them. Empty: none.
  explicit RealPaths(std::string_view listed);

  // `line` with each short path, alone or in front of a "/", as people know it; of several that fit, the longest. In a line
  // that is JSON (begins with a brace or bracket) it is escaped as a string's part.
  std::string in(std::string_view line) const;

 private:
  std::vector<std::pair<std::string, std::string>> paths_;  // short, real; the longest first
};

}  // namespace command
