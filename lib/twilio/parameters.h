// Names and values of a form, in the order they came, names repeated as they were.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace twilio {

using Parameters = std::vector<std::pair<std::string, std::string>>;

}  // namespace twilio
