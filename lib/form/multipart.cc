#include "form/multipart.h"

#include <algorithm>

#include "form/disposition.h"
#include "text/words.h"

namespace form {

namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kPreambleBytes = 4096;

core::Error malformed(const std::string& why) { return {core::Code::bad_request, "multipart: " + why, "The upload is malformed: " + why + "."}; }

}  // namespace

core::Result<std::string> boundary_of(std::string_view content_type) {
  if (!text::equal_ignoring_case(text::trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data"))
    return core::Error{core::Code::unsupported, "not multipart/form-data", "This must be sent as a form with files (multipart/form-data)."};
  const auto boundary = parameter(content_type, "boundary");
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
  if (!boundary || boundary->empty() || boundary->size() > 70 || boundary->back() == ' ' || boundary->find_first_not_of(kAlphabet) != std::string::npos)
    return malformed("its Content-Type has no usable boundary");
  return *boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits, PartHandler& handler)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits), handler_(handler), buffer_(kCrlf) {}  // as if a line had ended before: the first boundary needs none

core::Result<void> MultipartParser::feed(std::span<const std::byte> bytes) {
  if (state_ == State::broken) return malformed("it was refused before");
  if (state_ == State::epilogue) return {};
  buffer_.append(static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
  const auto done = work();
  if (!done) state_ = State::broken;
  buffer_.erase(0, offset_);
  offset_ = 0;
  return done;
}

core::Result<void> MultipartParser::work() {
  for (;;) {
    CORE_TRY(more, step());
    if (!more) return {};
  }
}

// One step; false: more bytes are needed.
core::Result<bool> MultipartParser::step() {
  switch (state_) {
    case State::preamble: return find_first_boundary();
    case State::after_boundary: return read_after_boundary();
    case State::headers: return read_headers();
    case State::data: return read_data();
    case State::epilogue: offset_ = buffer_.size(); return false;
    case State::broken: break;
  }
  return malformed("it was refused before");
}

core::Result<bool> MultipartParser::find_first_boundary() {
  const auto found = rest().find(delimiter_);
  if (found == std::string_view::npos) {
    if (rest().size() > kPreambleBytes + delimiter_.size()) return malformed("its first boundary is missing");
    return false;
  }
  offset_ += found + delimiter_.size();
  state_ = State::after_boundary;
  return true;
}

core::Result<bool> MultipartParser::read_after_boundary() {
  // "--" ends it all; else blanks and a line end.
  if (rest().size() < 2) return false;
  if (rest().substr(0, 2) == "--") {
    state_ = State::epilogue;
    return true;
  }
  const auto blanks = rest().find_first_not_of(" \t");
  if (blanks == std::string_view::npos || rest().size() < blanks + 2) return rest().size() > 1024 ? core::Result<bool>(malformed("a boundary is followed by something else")) : core::Result<bool>(false);
  if (rest().substr(blanks, 2) != kCrlf) return malformed("a boundary is not followed by a line end");
  if (++parts_ > limits_.parts) return malformed("it has too many parts");
  offset_ += blanks;  // the line end stays: a part without headers begins with two
  state_ = State::headers;
  return true;
}

core::Result<bool> MultipartParser::read_headers() {
  const auto end = rest().find("\r\n\r\n");
  if (end == std::string_view::npos || end > limits_.header_bytes) {
    if (rest().size() > limits_.header_bytes) return malformed("the header of a part is too long");
    return false;
  }
  CORE_CHECK(begin_part(end == 0 ? std::string_view() : rest().substr(2, end - 2)));
  offset_ += end + 2;  // the second line end may be the delimiter's: an empty part
  state_ = State::data;
  return true;
}

core::Result<void> MultipartParser::begin_part(std::string_view header_text) {
  PartHeader part;
  Disposition disposition;
  std::string_view left = header_text;
  while (!left.empty()) {
    const auto end = left.find(kCrlf);
    std::string line(left.substr(0, end));
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 2);
    if (line.front() == ' ' || line.front() == '\t') return malformed("a header line of a part begins with a blank");
    // Folded lines (obsolete, RFC 7230 3.2.4) belong to the one before.
    while (!left.empty() && (left.front() == ' ' || left.front() == '\t')) {
      const auto next = left.find(kCrlf);
      line += left.substr(0, next);
      left.remove_prefix(next == std::string_view::npos ? left.size() : next + 2);
    }
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0) return malformed("a header line of a part has no colon");
    const auto name = text::trim(std::string_view(line).substr(0, colon));
    const auto value = text::trim(std::string_view(line).substr(colon + 1));
    if (text::equal_ignoring_case(name, "content-disposition")) disposition = parse_disposition(value);
    if (text::equal_ignoring_case(name, "content-type")) part.content_type = std::string(value.substr(0, 255));
  }
  if (disposition.type != "form-data" || !disposition.name) return malformed("a part has no name");
  part.name = *disposition.name;
  part.is_file = disposition.file_name.has_value();
  if (part.is_file) part.file_name = safe_file_name(*disposition.file_name);
  part_bytes_ = 0;
  data_begun_ = false;
  part_is_file_ = part.is_file;
  return handler_.part_begin(part);
}

core::Result<void> MultipartParser::give(std::string_view data) {
  if (data.empty()) return {};
  part_bytes_ += static_cast<std::int64_t>(data.size());
  if (part_is_file_ && part_bytes_ > limits_.file_bytes)
    return core::Error{core::Code::too_large, "multipart: file over the limit", "The file is too large: this line takes up to " + std::to_string(limits_.file_bytes / (1024 * 1024)) + " MB.", "file"};
  if (!part_is_file_ && part_bytes_ > limits_.text_bytes) return malformed("a text field is too long");
  return handler_.part_data(std::as_bytes(std::span(data)));
}

core::Result<bool> MultipartParser::read_data() {
  if (!data_begun_) {
    // The line end that closed the headers is not data, unless it is the delimiter's own.
    if (rest().size() < delimiter_.size()) return false;
    if (rest().substr(0, delimiter_.size()) != delimiter_) offset_ += kCrlf.size();
    data_begun_ = true;
  }
  const auto found = rest().find(delimiter_);
  if (found != std::string_view::npos) {
    CORE_CHECK(give(rest().substr(0, found)));
    CORE_CHECK(handler_.part_end());
    offset_ += found + delimiter_.size();
    state_ = State::after_boundary;
    return true;
  }
  // All but what could be the beginning of a delimiter.
  if (rest().size() >= delimiter_.size()) {
    const auto safe = rest().size() - delimiter_.size() + 1;
    CORE_CHECK(give(rest().substr(0, safe)));
    offset_ += safe;
  }
  return false;
}

core::Result<void> MultipartParser::finish() {
  if (state_ == State::epilogue) return {};
  return malformed(state_ == State::preamble ? "it has no parts" : "it was cut off before its end");
}

}  // namespace form
