#include "web/response.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/stat.h>

#include "text/words.h"

namespace web {

namespace {

struct Range {
  std::int64_t first = 0;
  std::int64_t bytes = 0;
};
enum class Wanted { whole, part, impossible };

// One range of bytes; several, or what cannot be read, is the whole file.
Wanted read_range(std::string_view header, std::int64_t size, Range& range) {
  constexpr std::string_view kUnit = "bytes=";
  if (header.substr(0, kUnit.size()) != kUnit || header.find(',') != std::string_view::npos) return Wanted::whole;
  const auto spec = text::trim(header.substr(kUnit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return Wanted::whole;
  const auto first = text::parse_int64(spec.substr(0, dash));
  const auto last = text::parse_int64(spec.substr(dash + 1));
  if (dash == 0) {
    if (!last || *last < 0) return Wanted::whole;
    if (*last == 0 || size == 0) return Wanted::impossible;
    range.bytes = std::min(*last, size);
    range.first = size - range.bytes;
    return Wanted::part;
  }
  if (!first || *first < 0 || (dash + 1 < spec.size() && (!last || *last < *first))) return Wanted::whole;
  if (*first >= size) return Wanted::impossible;
  range.first = *first;
  range.bytes = std::min(last.value_or(size - 1), size - 1) - *first + 1;
  return Wanted::part;
}

}  // namespace

Response& Response::with(std::string_view name, std::string_view value) & {
  std::string safe(value);
  std::replace_if(safe.begin(), safe.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  headers.emplace_back(name, std::move(safe));
  return *this;
}

Response Response::with(std::string_view name, std::string_view value) && {
  with(name, value);
  return std::move(*this);
}

Response empty(int status) {
  Response response;
  response.status = status;
  return response.with("Cache-Control", "no-store"), response;
}

Response text(int status, std::string body, std::string_view type) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.with("Content-Type", type).with("Cache-Control", "no-store").with("X-Content-Type-Options", "nosniff");
  return response;
}

Response json(int status, std::string body) { return text(status, std::move(body), "application/json"); }

core::Result<Response> file(const Request& request, core::UniqueFd fd, std::string_view type, std::string_view disposition) {
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0) return core::errno_error("fstat", "document", errno);
  const std::int64_t size = about.st_size;
  Response response;
  Range range{0, size};
  const auto wanted = read_range(request.header("Range"), size, range);
  response.with("Content-Type", type).with("Content-Disposition", disposition).with("Accept-Ranges", "bytes").with("Cache-Control", "private, no-store").with("X-Content-Type-Options", "nosniff");
  if (wanted == Wanted::impossible) {
    response.status = 416;
    response.with("Content-Range", "bytes */" + std::to_string(size));
    return response;
  }
  if (wanted == Wanted::part) {
    response.status = 206;
    response.with("Content-Range", "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.bytes - 1) + "/" + std::to_string(size));
  }
  response.with("Content-Length", std::to_string(range.bytes));
  if (request.method() == "HEAD") return response;
  response.file = std::move(fd);
  response.file_offset = range.first;
  response.file_bytes = range.bytes;
  return response;
}

Response accelerated(std::string_view internal_path, std::string_view type) {
  Response response;
  response.with("X-Accel-Redirect", internal_path).with("Content-Type", type).with("Cache-Control", "private, no-store");
  return response;
}

std::string set_cookie(std::string_view name, std::string_view value, std::int64_t max_age_seconds) {
  return std::string(name) + "=" + std::string(value) + "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(max_age_seconds);
}

}  // namespace web
