// Private to this module: the header lines of one part.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "form/multipart.h"

namespace form {

// `lines` are whole lines, each with its CR LF, without the empty one that ends them. Errors: bad_request, unsupported,
// as MultipartParser::feed() gives them.
core::Result<PartHeader> parse_part_header(std::string_view lines);

// The last component of a name from outside, as PartHeader::file_name says.
std::string shown_file_name(std::string_view name);

}  // namespace form
