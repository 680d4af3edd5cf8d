// multipart/form-data (RFC 7578, RFC 2046 section 5.1) as a stream: fed in blocks of any size, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace form {

// The boundary that a Content-Type names, quoted or not. bad_request, with a hint, if the type is not
// multipart/form-data, or if the boundary is missing, there twice, or not 1 to 70 of the characters of RFC 2046.
core::Result<std::string> boundary_of(std::string_view content_type);

struct PartHeader {
  std::string name;  // any bytes but control characters; not surely UTF-8
  // What the sender calls the file, only to be shown: the last component of the path, valid UTF-8, without control
  // and bidirectional marks, at most 255 bytes; may be empty. Never a name to store anything under.
  std::optional<std::string> file_name;
  std::string content_type;  // as claimed, "text/plain" if not said; never proof of what the bytes are
  // A part with a file name (an empty one too: a file input left empty is a file of that kind without bytes), or whose
  // type is neither text/… nor application/json, as a program may send a file without naming it.
  bool is_file = false;
};

// Is told of the parts, in the order of the body: part_begin, part_data (never empty, in pieces of any size), part_end.
// An error from any of them ends the parse and is what feed() returns. After an error part_end does not come: a file
// that was begun is to be thrown away.
class PartHandler {
 public:
  virtual ~PartHandler() = default;
  virtual core::Result<void> part_begin(const PartHeader& header) = 0;
  virtual core::Result<void> part_data(std::span<const std::byte> bytes) = 0;
  virtual core::Result<void> part_end() = 0;
};

struct MultipartLimits {
  std::uint64_t max_file_bytes = 0;  // of each file: the caller's to set
  std::size_t max_parts = 200;
  std::size_t max_header_bytes = std::size_t{16} << 10;    // of the header lines of one part
  std::size_t max_text_bytes = std::size_t{64} << 10;      // of each part that is no file
  std::size_t max_all_text_bytes = std::size_t{1} << 20;   // of all of them together
};

// Reads one body. What it holds back is never more than the boundary and five bytes, or one part's header lines.
//
// Lines must end in CRLF, as the RFCs have it; a lone LF in a boundary's or header's line is refused. What looks like
// the boundary but goes on otherwise is data. Preamble and epilogue are skipped. Parameters may be quoted or not, in any
// order; `\"` and %22 are quotes; filename* (RFC 8187) wins over filename.
class MultipartParser {
 public:
  // `handler` is borrowed, and has to outlive the parser. `boundary` as boundary_of() gives it.
  MultipartParser(std::string boundary, MultipartLimits limits, PartHandler& handler);

  // The next bytes of the body. Errors, with a hint: bad_request for a malformed body (a header without colon, or
  // before it a blank; no, or a second Content-Disposition; no name; …); too_large over a limit, which the hint
  // names; unsupported for a Content-Transfer-Encoding that would need decoding; whatever the handler returned. After
  // an error each further call returns it again.
  core::Result<void> feed(std::span<const std::byte> block);
  core::Result<void> feed(std::string_view block);

  // To be called when the body has ended. bad_request if the end boundary was not seen: the upload was cut off, and
  // what the handler has is not whole. Else the error of feed(), if there was one.
  core::Result<void> finish() const;

 private:
  // In the order in which a body walks through them; after_… are the bytes that tell a boundary from data.
  enum class State { preamble, data, after_boundary, after_dash, after_return, padding, padding_return, headers, epilogue };

  core::Result<void> step(std::string_view& rest);
  core::Result<void> read_data(std::string_view& rest);
  core::Result<void> read_headers(std::string_view& rest);
  core::Result<void> decide(std::string_view& rest);
  core::Result<void> not_a_boundary(std::string_view after);
  core::Result<void> deliver(std::string_view bytes);
  core::Result<void> end_part(State next);
  core::Result<void> begin_part();

  const std::string delimiter_;  // CR LF "--" boundary
  const MultipartLimits limits_;
  PartHandler& handler_;

  State state_ = State::preamble;
  std::size_t matched_ = 2;  // bytes of the delimiter seen, and held back
  std::size_t implied_ = 2;  // those of them that are no data if it is none: a CR LF that the body's start, or a header's end, stands for
  bool in_part_ = false;
  bool is_file_ = false;
  std::uint64_t part_bytes_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::size_t parts_ = 0;
  std::size_t line_start_ = 0;  // in headers_
  std::string headers_;         // those of the part that begins
  std::optional<core::Error> error_;
};

}  // namespace form
