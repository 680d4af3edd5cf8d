// Private to this module: a header's value with its parameters, "form-data; name=\"a\"; filename=b" (RFC 2045 5.1,
// RFC 2183), read with the tolerance that what browsers and programs really send needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace form {

struct Parameter {
  std::string name;  // lower case
  std::string value;
  bool quoted = false;
};

struct HeaderValue {
  std::string kind;  // what stands before the first ";", lower case
  std::vector<Parameter> parameters;

  // nullptr if there is none of that name.
  const Parameter* find(std::string_view name) const;
};

// In a quoted value a backslash hides a quote or another backslash and is itself elsewhere, for browsers have sent
// "C:\fax.pdf". An unquoted value ends at ";" or the end. bad_request for a quote that does not end, a parameter without
// "=", anything after a quoted value, or a parameter there twice.
core::Result<HeaderValue> parse_header_value(std::string_view text);

}  // namespace form
