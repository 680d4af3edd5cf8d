// The head of an answer, as a web server reads it from FastCGI.
#pragma once

#include <string>

#include "web/response.h"

namespace fcgi {

// "Status: 404 Not Found", the headers, Content-Length where one may be told, an empty line; CRLF ends each (RFC 3875
// section 6.3). A Status or Content-Length among the headers is left out: both are ours to say.
std::string head_of(const web::Response& response);

}  // namespace fcgi
