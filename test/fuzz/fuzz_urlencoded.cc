#include <cstddef>
#include <cstdint>
#include <string>

#include "form/urlencoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  (void)form::parse_urlencoded(text);
  (void)form::cookie(text, "a");
  return 0;
}
