// What a file is, by its first bytes and never by its name.
#pragma once

#include <string_view>

#include "core/result.h"

namespace document {

enum class Kind {
  pdf,      // "%PDF-" within the first 1024 bytes, and none of the others at its beginning
  jpeg,
  png,
  tiff,     // either byte order; not BigTIFF, which the converters do not read
  text,     // UTF-8 without control characters but tab, line feed, carriage return and form feed; HTML is text
  office,   // OpenDocument, Office Open XML, the older Office formats, RTF
  empty,    // no bytes at all
  unknown,  // all else; nothing here can be made into fax pages
};

// "pdf", "jpeg" and so on. Never empty.
std::string_view name(Kind kind);

// Of an open regular file; its position is not moved. Says nothing about whether the rest is sound: what begins as one
// kind and is also another (a polyglot) is what it begins as, and goes to that converter alone.
// Errors: bad_request if it is no regular file (a FIFO, say: at once, without waiting); else core::errno_error()'s.
core::Result<Kind> kind_of(int fd);

// The same for the beginning of a file, of which 4096 bytes are enough, or for all of it.
enum class Extent { beginning, whole };
Kind kind_of(std::string_view bytes, Extent extent);

}  // namespace document
