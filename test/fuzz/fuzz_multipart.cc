// However a body is cut into blocks, the parser tells the same. The input: a byte that chooses the cuts, then the body,
// whose boundary is "b"; and the whole input as a Content-Type.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "form/multipart.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_clean(std::string_view name) {
  return name.size() <= 255 && std::none_of(name.begin(), name.end(), [](char byte) { return (byte >= 0 && byte < ' ') || byte == '/' || byte == '\\' || byte == 0x7f; });
}

class Story final : public form::PartHandler {
 public:
  core::Result<void> part_begin(const form::PartHeader& header) override {
    require(!open_ && !header.name.empty());
    open_ = true;
    if (header.file_name) require(header.is_file && is_clean(*header.file_name));
    text += "\nbegin " + header.name + " [" + header.file_name.value_or("none") + "] " + header.content_type + (header.is_file ? " file\n" : " text\n");
    return {};
  }
  core::Result<void> part_data(std::span<const std::byte> bytes) override {
    require(open_ && !bytes.empty());
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  core::Result<void> part_end() override {
    require(open_);
    open_ = false;
    text += "\nend";
    return {};
  }
  std::string text;

 private:
  bool open_ = false;
};

// `seed` 0: one block.
void tell(std::string_view body, std::uint32_t seed, Story& story, std::string& error) {
  form::MultipartParser parser("b", {.max_file_bytes = 4096, .max_parts = 20, .max_header_bytes = 512, .max_text_bytes = 256}, story);
  while (!body.empty()) {
    std::size_t size = body.size();
    if (seed != 0) {
      seed = seed * 1664525U + 1013904223U;
      size = std::min<std::size_t>(size, 1 + (seed >> 24) % (1 + (seed >> 20) % 12));
    }
    if (!parser.feed(body.substr(0, size))) break;
    body.remove_prefix(size);
  }
  if (const auto done = parser.finish(); !done) error = done.error().text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto boundary = form::boundary_of(input)) require(!boundary->empty() && boundary->size() <= 70);
  if (input.empty()) return 0;
  const std::string_view body = input.substr(1);
  Story whole;
  std::string whole_error;
  tell(body, 0, whole, whole_error);
  for (const std::uint32_t seed : {data[0] + 1U, 99U}) {
    Story cut;
    std::string cut_error;
    tell(body, seed, cut, cut_error);
    require(cut_error == whole_error);
    // Bytes before a limit is found to be exceeded may be told in the one case, and not in the other.
    require(cut.text == whole.text || (!whole_error.empty() && cut.text.starts_with(whole.text)));
  }
  return 0;
}
