#include "form/multipart.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "form/bytes.h"
#include "form/header_value.h"
#include "form/part_header.h"

namespace form {

using core::Code;
using core::Error;

namespace {

constexpr std::size_t kMaxBoundaryBytes = 70;

// RFC 2046 section 5.1.1, "boundary". That it cannot hold a CR is what the search relies on.
bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= kMaxBoundaryBytes && !text.ends_with(' ') && std::all_of(text.begin(), text.end(), [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           std::string_view("'()+_,-./:=? ").find(byte) != std::string_view::npos;
  });
}

Error damaged(std::string_view what) {
  return bad_request("multipart: " + std::string(what), "The form was sent in a way that cannot be read (" + std::string(what) + ").");
}

Error too_large(std::string_view what, const std::string& limit) {
  return Error{.code = Code::too_large,
               .text = "multipart: over the limit of " + limit + ": " + std::string(what),
               .hint = std::string(what) + " is too large: at most " + limit + " are taken."};
}

}  // namespace

core::Result<std::string> boundary_of(std::string_view content_type) {
  if (std::any_of(content_type.begin(), content_type.end(), [](char byte) { return is_control(byte) && byte != '\t'; }))
    return damaged("a Content-Type with control characters");
  CORE_TRY(header, parse_header_value(content_type));
  if (header.kind != "multipart/form-data") return damaged("the Content-Type is not multipart/form-data");
  const Parameter* boundary = header.find("boundary");
  if (boundary == nullptr || !is_boundary(boundary->value)) return damaged("a Content-Type without a valid boundary");
  return boundary->value;
}

MultipartParser::MultipartParser(std::string boundary, MultipartLimits limits, PartHandler& handler)
    : delimiter_("\r\n--" + boundary), limits_(limits), handler_(handler) {
  if (!is_boundary(boundary)) error_ = damaged("no valid boundary");
}

core::Result<void> MultipartParser::feed(std::span<const std::byte> block) {
  return feed(std::string_view(reinterpret_cast<const char*>(block.data()), block.size()));
}

core::Result<void> MultipartParser::feed(std::string_view block) {
  if (error_) return *error_;
  while (!block.empty()) {
    auto stepped = step(block);
    if (stepped) continue;
    error_ = std::move(stepped).error();
    return *error_;
  }
  return {};
}

core::Result<void> MultipartParser::finish() const {
  if (error_) return *error_;
  if (state_ != State::epilogue) return bad_request("multipart: the end boundary is missing", "The upload was cut off before its end. Please send it again.");
  return {};
}

// Takes at least one byte off `rest`, or changes the state.
core::Result<void> MultipartParser::step(std::string_view& rest) {
  switch (state_) {
    case State::preamble:
    case State::data: return read_data(rest);
    case State::headers: return read_headers(rest);
    case State::epilogue: rest = {}; return {};
    default: return decide(rest);
  }
}

core::Result<void> MultipartParser::read_data(std::string_view& rest) {
  // First what an earlier block, or a line before, began. As the delimiter has its only CR in front, no shorter
  // beginning of it can hide in bytes that turn out to be data.
  while (matched_ > 0 && matched_ < delimiter_.size()) {
    if (rest.empty()) return {};
    if (rest.front() == delimiter_[matched_]) {
      ++matched_;
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view held = std::string_view(delimiter_).substr(0, matched_).substr(implied_);
    matched_ = implied_ = 0;
    CORE_CHECK(deliver(held));
  }
  if (matched_ == delimiter_.size()) {
    state_ = State::after_boundary;
    return {};
  }
  const auto* found = static_cast<const char*>(memmem(rest.data(), rest.size(), delimiter_.data(), delimiter_.size()));
  if (found != nullptr) {
    const std::string_view data = rest.substr(0, static_cast<std::size_t>(found - rest.data()));
    rest.remove_prefix(data.size() + delimiter_.size());
    matched_ = delimiter_.size();
    state_ = State::after_boundary;
    return deliver(data);
  }
  const std::string_view tail = rest.substr(rest.size() - std::min(rest.size(), delimiter_.size() - 1));
  const std::size_t start = tail.rfind('\r');
  if (start != std::string_view::npos && delimiter_.starts_with(tail.substr(start))) matched_ = tail.size() - start;
  const std::string_view data = rest.substr(0, rest.size() - matched_);
  rest = {};
  return deliver(data);
}

// One byte after the delimiter: does it end here, go on as a longer word that is data, or end the body?
core::Result<void> MultipartParser::decide(std::string_view& rest) {
  const char byte = rest.front();
  const bool is_blank = byte == ' ' || byte == '\t';
  const State state = state_;
  if (state == State::after_boundary && byte != '-' && byte != '\r' && byte != '\n' && !is_blank) return not_a_boundary("");
  if (state == State::after_dash && byte != '-') return not_a_boundary("-");
  if (state == State::after_return && byte != '\n') return not_a_boundary("\r");
  rest.remove_prefix(1);
  if (state == State::after_dash) return end_part(State::epilogue);
  if (state == State::after_return || (state == State::padding_return && byte == '\n')) return end_part(State::headers);
  if (state == State::after_boundary && byte == '-') {
    state_ = State::after_dash;
  } else if (byte == '\r' && state != State::padding_return) {
    state_ = state == State::padding ? State::padding_return : State::after_return;
  } else if (is_blank && state != State::padding_return) {
    state_ = State::padding;
  } else {
    return damaged(byte == '\n' ? "lines that end in LF; CR LF is needed" : "text after a boundary");
  }
  return {};
}

core::Result<void> MultipartParser::not_a_boundary(std::string_view after) {
  state_ = in_part_ ? State::data : State::preamble;
  const std::string_view held = std::string_view(delimiter_).substr(implied_);
  implied_ = 0;
  // The CR may be the first byte of the true one.
  matched_ = after == "\r" ? 1 : 0;
  CORE_CHECK(deliver(held));
  return matched_ == 1 ? core::Result<void>() : deliver(after);
}

core::Result<void> MultipartParser::end_part(State next) {
  state_ = next;
  headers_.clear();
  line_start_ = 0;
  if (std::exchange(in_part_, false)) CORE_CHECK(handler_.part_end());
  if (next == State::headers && ++parts_ > limits_.max_parts)
    return Error{.code = Code::too_large,
                 .text = "multipart: too many parts",
                 .hint = "This form has too many parts: at most " + std::to_string(limits_.max_parts) + " are taken."};
  return {};
}

core::Result<void> MultipartParser::read_headers(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view piece = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  if (piece.size() > limits_.max_header_bytes - headers_.size())
    return too_large("The header of a part of the form", size_in_words(limits_.max_header_bytes));
  headers_ += piece;
  rest.remove_prefix(piece.size());
  if (end == std::string_view::npos) return {};
  const std::string_view line = std::string_view(headers_).substr(line_start_);
  if (!line.ends_with("\r\n")) return damaged("lines that end in LF; CR LF is needed");
  if (line.size() > 2) {
    line_start_ = headers_.size();
    return {};
  }
  headers_.resize(line_start_);
  return begin_part();
}

core::Result<void> MultipartParser::begin_part() {
  CORE_TRY(header, parse_part_header(headers_));
  state_ = State::data;
  // The empty line's CR LF may be the delimiter's too: a part without a body (RFC 2046, "body-part").
  matched_ = implied_ = 2;
  in_part_ = true;
  is_file_ = header.is_file;
  part_bytes_ = 0;
  return handler_.part_begin(header);
}

core::Result<void> MultipartParser::deliver(std::string_view bytes) {
  if (bytes.empty() || !in_part_) return {};
  part_bytes_ += bytes.size();
  if (is_file_) {
    if (part_bytes_ > limits_.max_file_bytes) return too_large("The file", size_in_words(limits_.max_file_bytes));
  } else {
    text_bytes_ += bytes.size();
    if (part_bytes_ > limits_.max_text_bytes) return too_large("A text field of the form", size_in_words(limits_.max_text_bytes));
    if (text_bytes_ > limits_.max_all_text_bytes) return too_large("The text of the form", size_in_words(limits_.max_all_text_bytes));
  }
  return handler_.part_data(std::as_bytes(std::span(bytes)));
}

}  // namespace form
