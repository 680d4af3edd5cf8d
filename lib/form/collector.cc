#include "form/collector.h"

#include <utility>

#include "form/bytes.h"

namespace form {

core::Result<void> TextPartCollector::part_begin(const PartHeader& header) {
  header_ = header;
  text_.clear();
  // Only its first byte, or its end, tells whether a file without a name is one.
  begun_ = header.is_file && header.file_name && !header.file_name->empty();
  if (begun_) return files_.file_begin(header_);
  return {};
}

core::Result<void> TextPartCollector::part_data(std::span<const std::byte> bytes) {
  if (header_.is_file) {
    if (!std::exchange(begun_, true)) CORE_CHECK(files_.file_begin(header_));
    return files_.file_data(bytes);
  }
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {};
}

core::Result<void> TextPartCollector::part_end() {
  if (header_.is_file) return begun_ ? files_.file_end() : core::Result<void>();
  if (nul_ == Nul::refuse && text_.find('\0') != std::string::npos)
    return bad_request("multipart: NUL in a text part", "This form cannot be read: a field holds a NUL character.");
  fields_.add(std::move(header_.name), std::move(text_));
  return {};
}

}  // namespace form
