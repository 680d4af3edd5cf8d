#include "app/line.h"

namespace app {

std::vector<std::string> legal_numbers(const std::string& own, bool practice) {
  std::vector<std::string> numbers{own};
  if (practice)
    for (int i = 1; i <= 5; ++i) numbers.push_back("+1500555000" + std::to_string(i));
  return numbers;
}

}  // namespace app
