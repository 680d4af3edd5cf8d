#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "form/multipart.h"

namespace {

struct Recorder : form::PartHandler {
  core::Result<void> part_begin(const form::PartHeader& header) override {
    text += "<" + header.name + "|" + header.file_name + ">";
    return {};
  }
  core::Result<void> part_data(std::span<const std::byte> bytes) override {
    text.append(static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
    return {};
  }
  core::Result<void> part_end() override {
    text += "</>";
    return {};
  }
  std::string text;
};

struct Outcome {
  bool fine;
  std::string text;
};

Outcome parse(std::span<const std::byte> body, std::size_t block) {
  Recorder recorder;
  form::MultipartParser parser("x", {10, 500, 400, 600}, recorder);
  bool fine = true;
  for (std::size_t i = 0; fine && i < body.size(); i += block) fine = parser.feed(body.subspan(i, std::min(block, body.size() - i))).has_value();
  if (fine) fine = parser.finish().has_value();
  return {fine, recorder.text};
}

}  // namespace

// The same parts whatever the blocks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const auto body = std::as_bytes(std::span(data + 1, size - 1));
  const auto whole = parse(body, body.size() + 1);
  const auto pieces = parse(body, 1 + data[0] % 50U);
  if (whole.fine && pieces.fine && whole.text != pieces.text) std::abort();
  if (whole.fine != pieces.fine && body.size() < 300) std::abort();
  return 0;
}
