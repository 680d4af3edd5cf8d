// Private to the module: where programs are.
#pragma once

#include <string>

#include "core/error.h"

namespace process {

// The path of the program: itself if it has a slash, else in /usr/bin or /bin. Empty: there is none.
std::string find(const std::string& name);

// unavailable, with a hint that names the program.
core::Error not_installed(const std::string& name);

}  // namespace process
