// Names of the regions that have telephone numbers, in English.
#pragma once

#include <string_view>

namespace fax {

// By the code of ISO 3166-1 in capitals, and the few (AC, TA, XK) that numbering plans have besides; empty for others.
std::string_view country_name(std::string_view region);

}  // namespace fax
