#include "fcgi/head.h"

#include "text/words.h"

namespace fcgi {

std::string head_of(const web::Response& response) {
  std::string head = "Status: " + std::to_string(response.status());
  head.append(" ").append(web::reason_phrase(response.status())).append("\r\n");
  for (const auto& [name, value] : response.headers()) {
    if (text::equal_ignoring_case(name, "Status") || text::equal_ignoring_case(name, "Content-Length")) continue;
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (const auto length = response.content_length()) head.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  return head.append("\r\n");
}

}  // namespace fcgi
