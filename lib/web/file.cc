#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/stat.h>

#include "core/error.h"
#include "text/words.h"
#include "web/response.h"

namespace web {

namespace {

constexpr std::string_view kBeyond = R"({"type":"about:blank","title":"Range Not Satisfiable","status":416,"detail":"The document ends before the part that was asked for."})";

struct Piece {
  std::uint64_t offset;
  std::uint64_t length;
};

struct Wanted {
  enum class Kind { whole, piece, impossible } kind;
  Piece piece{};
};

// A number of a range: digits alone.
std::optional<std::uint64_t> number(std::string_view text) {
  const std::optional<std::int64_t> value = text::parse_int64(text);
  if (!value || *value < 0 || text.front() == '-') return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

// RFC 9110 section 14.1.2. What cannot be read is no Range.
Wanted read_range(std::string_view header, std::uint64_t size) {
  const Wanted whole{Wanted::Kind::whole};
  const std::size_t equals = header.find('=');
  if (equals == header.npos || !text::equal_ignoring_case(text::trim(header.substr(0, equals)), "bytes")) return whole;
  const std::string_view range = text::trim(header.substr(equals + 1));
  const std::size_t dash = range.find('-');
  if (dash == range.npos || range.find(',') != range.npos) return whole;
  const std::string_view from = text::trim(range.substr(0, dash));
  const std::string_view to = text::trim(range.substr(dash + 1));
  const std::optional<std::uint64_t> first = number(from);
  const std::optional<std::uint64_t> last = number(to);
  if (from.empty()) {
    if (!last) return whole;
    if (*last == 0 || size == 0) return {Wanted::Kind::impossible};
    const std::uint64_t length = std::min(*last, size);
    return {Wanted::Kind::piece, {size - length, length}};
  }
  if (!first || (!to.empty() && (!last || *last < *first))) return whole;
  if (*first >= size) return {Wanted::Kind::impossible};
  const std::uint64_t end = to.empty() ? size : std::min(*last, size - 1) + 1;
  return {Wanted::Kind::piece, {*first, end - *first}};
}

}  // namespace

core::Result<Response> respond_with_file(const Request& request, core::UniqueFd fd, std::string_view content_type, std::string_view disposition,
                                         std::string_view etag) {
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return core::errno_error("fstat", "a document", errno);
  if (!S_ISREG(about.st_mode)) return core::Error{.code = core::Code::internal, .text = "a document is not a regular file"};
  const auto size = static_cast<std::uint64_t>(about.st_size);

  Wanted wanted{Wanted::Kind::whole};
  const std::optional<std::string_view> range = request.header("Range");
  const std::optional<std::string_view> only_if = request.header("If-Range");
  if (range && request.method() == "GET" && (!only_if || (!etag.empty() && *only_if == etag && !etag.starts_with("W/")))) wanted = read_range(*range, size);

  const std::string total = "/" + std::to_string(size);
  if (wanted.kind == Wanted::Kind::impossible) {
    Response response(416);
    response.set_text(std::string(kBeyond), "application/problem+json").set("Content-Range", "bytes *" + total).set("Accept-Ranges", "bytes");
    return response;
  }
  const bool whole = wanted.kind == Wanted::Kind::whole;
  const Piece piece = whole ? Piece{0, size} : wanted.piece;
  Response response(whole ? 200 : 206);
  response.set_file({std::move(fd), piece.offset, piece.length}, content_type).set("Accept-Ranges", "bytes");
  if (!whole) response.set("Content-Range", "bytes " + std::to_string(piece.offset) + "-" + std::to_string(piece.offset + piece.length - 1) + total);
  if (!disposition.empty()) response.set("Content-Disposition", disposition);
  if (!etag.empty()) response.set("ETag", etag);
  if (request.method() == "HEAD") response.omit_body();
  return response;
}

}  // namespace web
