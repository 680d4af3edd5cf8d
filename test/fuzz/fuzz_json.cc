// What is read can be written, and reads back as the same; what is written is always JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/value.h"
#include "json/writer.h"

namespace {
void require(bool holds) {
  if (!holds) std::abort();
}

void write(json::Writer& writer, const json::Value& value) {
  if (value.is_object()) {
    writer.begin_object();
    for (const auto& member : value.members()) write(writer.key(member.name), member.value);
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (const auto& item : value.items()) write(writer, item);
    writer.end_array();
  } else if (const auto text = value.as_string()) {
    writer.value(*text);
  } else if (const auto whole = value.as_int64()) {
    writer.value(*whole);
  } else if (const auto number = value.as_double()) {
    writer.value(*number);
  } else if (const auto truth = value.as_bool()) {
    writer.value(*truth);
  } else {
    require(value.is_null());
    writer.value(nullptr);
  }
}

std::string written(const json::Value& value) {
  json::Writer writer;
  write(writer, value);
  return writer.text();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto value = json::parse(bytes)) {
    const std::string text = written(*value);
    const auto again = json::parse(text, {.max_bytes = text.size()});
    require(again && written(*again) == text);
  } else {
    require(!value.error().hint.empty());
  }
  json::Writer writer;
  writer.begin_object().member(bytes, bytes).key("raw").raw(bytes).end_object();
  // `raw` may be deeper than a parse allows by default, may repeat a name, and `bytes` may be "raw" itself.
  if (const auto value = json::parse(writer.text(), {.max_depth = size + 2})) require(value->members().size() == 2);
  std::string quoted;
  json::append_quoted(quoted, bytes);
  require(json::parse(quoted).value().is_string());
  for (const char byte : quoted) require(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f);
  return 0;
}
