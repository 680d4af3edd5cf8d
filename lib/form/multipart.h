// multipart/form-data as a stream (RFC 7578, RFC 2046 section 5.1): constant memory whatever
// the body's size, parts in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace form {

struct PartHeader {
  std::string name;
  std::string file_name;     // last component only, valid UTF-8, no control characters, at most 255 bytes
  std::string content_type;  // as it came, at most 255 bytes; empty: not said
  bool is_file = false;      // it had a file name, be it an empty one: a file field in which nothing was chosen
};

// Takes what is found. An error ends the parsing and comes back from feed().
class PartHandler {
 public:
  virtual ~PartHandler() = default;
  virtual core::Result<void> part_begin(const PartHeader& header) = 0;
  virtual core::Result<void> part_data(std::span<const std::byte> bytes) = 0;
  virtual core::Result<void> part_end() = 0;
};

struct MultipartLimits {
  std::size_t parts = 100;
  std::size_t header_bytes = 16 * 1024;          // of one part
  std::int64_t text_bytes = 64 * 1024;           // of one part that is no file
  std::int64_t file_bytes = std::int64_t{1} << 62;  // of one file; over it: too_large, the limit named in MB
};

// The boundary of a Content-Type, quoted or not: 1 to 70 characters of RFC 2046's alphabet. unsupported if it is no
// multipart/form-data; bad_request without a fit boundary.
core::Result<std::string> boundary_of(std::string_view content_type);

class MultipartParser {
 public:
  // The handler is the caller's, and lives as long.
  MultipartParser(std::string_view boundary, MultipartLimits limits, PartHandler& handler);

  // The next bytes, in blocks of any size. bad_request: a part without a name, a header line without a colon or one that begins with a
  // blank before any other, too many or too large headers; too_large; or what the handler answered. After an error: nothing more is taken.
  core::Result<void> feed(std::span<const std::byte> bytes);

  // The end of the body. bad_request if the end boundary was not seen: what came was cut off.
  core::Result<void> finish();

 private:
  enum class State { preamble, after_boundary, headers, data, epilogue, broken };
  core::Result<void> work();
  core::Result<bool> step();
  core::Result<bool> find_first_boundary();
  core::Result<bool> read_after_boundary();
  core::Result<bool> read_headers();
  core::Result<bool> read_data();
  core::Result<void> begin_part(std::string_view header_text);
  core::Result<void> give(std::string_view data);
  std::string_view rest() const { return std::string_view(buffer_).substr(offset_); }

  std::string delimiter_;  // CRLF "--" boundary
  MultipartLimits limits_;
  PartHandler& handler_;
  State state_ = State::preamble;
  std::string buffer_;
  std::size_t offset_ = 0;
  std::size_t parts_ = 0;
  std::int64_t part_bytes_ = 0;
  bool part_is_file_ = false;
  bool data_begun_ = false;
};

}  // namespace form
