// The usual handler of a form with files: text into Fields, files to somebody who stores them.
#pragma once

#include "form/fields.h"
#include "form/multipart.h"

namespace form {

// Takes the files of a form, one after another. Calls come as those of PartHandler do, and errors end the parse.
class FileHandler {
 public:
  virtual ~FileHandler() = default;
  virtual core::Result<void> file_begin(const PartHeader& header) = 0;
  virtual core::Result<void> file_data(std::span<const std::byte> bytes) = 0;
  virtual core::Result<void> file_end() = 0;
};

//   form::TextPartCollector collector(files);
//   form::MultipartParser parser(boundary, {.max_file_bytes = limit}, collector);
//
// A file input left empty (no file name, no bytes) is not told to the FileHandler at all; an empty file that has a name
// is. `files` is borrowed. NUL in a text part: bad_request, unless it is to be kept.
class TextPartCollector final : public PartHandler {
 public:
  explicit TextPartCollector(FileHandler& files, Nul nul = Nul::refuse) : files_(files), nul_(nul) {}

  // The text parts, in their order; those of a part that was cut off are not among them.
  const Fields& fields() const { return fields_; }

  core::Result<void> part_begin(const PartHeader& header) override;
  core::Result<void> part_data(std::span<const std::byte> bytes) override;
  core::Result<void> part_end() override;

 private:
  FileHandler& files_;
  Nul nul_;
  Fields fields_;
  PartHeader header_;
  std::string text_;
  bool begun_ = false;  // the FileHandler knows of this file
};

}  // namespace form
