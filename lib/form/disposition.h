// Content-Disposition of a part (RFC 7578 4.2, RFC 6266, RFC 8187), peculiar to this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace form {

struct Disposition {
  std::string type;  // lower case
  std::optional<std::string> name;
  std::optional<std::string> file_name;  // filename*, where it can be read, wins
};

Disposition parse_disposition(std::string_view value);

// A parameter of a header value such as Content-Type, unquoted; names in any case.
std::optional<std::string> parameter(std::string_view value, std::string_view name);

// Only the last component of a path, valid UTF-8, no control characters, at most 255 bytes.
std::string safe_file_name(std::string_view name);

}  // namespace form
