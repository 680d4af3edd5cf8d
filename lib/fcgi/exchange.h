// One request and its answer, over libfcgi. No concern of the programs: they include fcgi/serve.h.
#pragma once

#include "fcgi/serve.h"

struct FCGX_Request;

namespace fcgi {

// Reads the request, lets the handler answer it, writes and logs that. Throws nothing.
void exchange(FCGX_Request& request, const Handler& handler) noexcept;

}  // namespace fcgi
