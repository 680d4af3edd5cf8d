#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "json/json.h"

// Whatever parses is written and read back the same.
static void copy(const json::Value& value, json::Writer& writer) {
  if (value.is_object()) {
    writer.begin_object();
    for (const auto& [name, member] : value.members()) copy(member, writer.key(name));
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (const auto& item : value.items()) copy(item, writer);
    writer.end_array();
  } else if (const auto text = value.text()) {
    writer.value(*text);
  } else {
    writer.value(value.int64());
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = json::parse(std::string(data, data + size));
  if (!value) return 0;
  json::Writer writer;
  copy(*value, writer);
  if (!json::parse(writer.text(), std::size_t{1} << 24)) std::abort();
  return 0;
}
