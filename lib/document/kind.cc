#include "document/kind.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "text/utf8.h"

namespace document {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHeaderBytes = 1024;  // where readers look for "%PDF-"
constexpr std::size_t kBeginningBytes = 4096;

constexpr std::string_view kOfficeSigns[] = {
    "[Content_Types].xml"sv, "_rels/.rels"sv, "word/"sv, "xl/"sv, "ppt/"sv, "docProps/"sv,  // ECMA-376
    "mimetypeapplication/vnd.oasis.opendocument."sv,                                        // OpenDocument 1.2, part 3, 3.3
};

// A ZIP archive is an Office document if the names at its beginning say so.
bool is_office(std::string_view bytes) {
  if (bytes.starts_with("{\\rtf") || bytes.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv)) return true;
  return bytes.starts_with("PK\x03\x04"sv) &&
         std::ranges::any_of(kOfficeSigns, [&](std::string_view sign) { return bytes.find(sign) != std::string_view::npos; });
}

// Without the last character if its end is not in here.
std::string_view without_cut_character(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? bytes.substr(0, bytes.size() - back) : bytes;
  }
  return bytes;
}

bool is_text(std::string_view bytes, Extent extent) {
  if (bytes.starts_with("%!")) return false;  // PostScript: a program, whose source nobody wants to fax
  const auto control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || byte == 0x7F;
  };
  if (std::ranges::any_of(bytes, control)) return false;
  return text::valid_utf8(extent == Extent::beginning ? without_cut_character(bytes) : bytes);
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::pdf: return "pdf";
    case Kind::jpeg: return "jpeg";
    case Kind::png: return "png";
    case Kind::tiff: return "tiff";
    case Kind::text: return "text";
    case Kind::office: return "office";
    case Kind::empty: return "empty";
    case Kind::unknown: return "unknown";
  }
  return "unknown";
}

Kind kind_of(std::string_view bytes, Extent extent) {
  if (bytes.empty()) return Kind::empty;
  if (bytes.starts_with("%PDF-")) return Kind::pdf;
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return Kind::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return Kind::png;
  if (bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv)) return Kind::tiff;
  if (is_office(bytes)) return Kind::office;
  if (bytes.substr(0, kHeaderBytes).find("%PDF-") != std::string_view::npos) return Kind::pdf;
  return is_text(bytes, extent) ? Kind::text : Kind::unknown;
}

core::Result<Kind> kind_of(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return core::errno_error("fstat", "document", errno);
  if (!S_ISREG(found.st_mode)) return core::Error{.code = core::Code::bad_request, .text = "document: no regular file"};
  std::array<char, kBeginningBytes> buffer{};
  std::size_t length = 0;
  while (length < buffer.size()) {
    const ssize_t count = ::pread(fd, buffer.data() + length, buffer.size() - length, static_cast<off_t>(length));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::errno_error("read", "document", errno);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  const bool whole = found.st_size <= static_cast<off_t>(length);
  return kind_of(std::string_view(buffer.data(), length), whole ? Extent::whole : Extent::beginning);
}

}  // namespace document
