#include "process/find.h"

#include <unistd.h>

namespace process {

std::string find(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  for (const char* folder : {"/usr/bin/", "/bin/"}) {
    const std::string path = folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

core::Error not_installed(const std::string& name) {
  return {.code = core::Code::unavailable,
          .text = "start " + name + ": there is no such program, or this account may not run it",
          .hint = "The program " + name + " is missing on this machine. Install the Debian package that has it."};
}

}  // namespace process
