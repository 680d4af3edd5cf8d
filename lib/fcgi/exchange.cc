#include "fcgi/exchange.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <fcgiapp.h>
#include <limits>
#include <memory>
#include <typeinfo>
#include <unistd.h>
#include <vector>

#include "core/log.h"
#include "fcgi/head.h"
#include "web/problem.h"

namespace fcgi {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

class StreamBody final : public web::Body {
 public:
  StreamBody(FCGX_Stream* stream, std::optional<std::uint64_t> length) : Body(length), stream_(stream) {}

 private:
  core::Result<std::size_t> take(std::span<std::byte> buffer) override {
    const auto most = static_cast<int>(std::min<std::size_t>(buffer.size(), std::numeric_limits<int>::max()));
    const int count = FCGX_GetStr(reinterpret_cast<char*>(buffer.data()), most, stream_);
    if (count <= 0 && FCGX_GetError(stream_) != 0)
      return core::Error{.code = core::Code::bad_request, .text = "the connection ended within the body", .hint = "The upload was cut off. Try again."};
    return static_cast<std::size_t>(std::max(count, 0));
  }

  FCGX_Stream* stream_;
};

web::Parameters read_parameters(char** environment) {
  web::Parameters parameters;
  for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos) parameters.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return parameters;
}

web::Response failed(const web::Request& request, std::string text) {
  const core::Error error{.code = core::Code::internal, .text = std::move(text)};
  web::log_error(error, web::loggable_path(request), request);
  return web::problem(error, request.id());
}

web::Response answer(web::Request& request, const Handler& handler) {
  try {
    return handler(request);
  } catch (const std::exception& exception) {
    return failed(request, std::string("exception ") + typeid(exception).name());
  } catch (...) {
    return failed(request, "exception of no known kind");
  }
}

bool put(FCGX_Stream* out, const char* bytes, std::size_t count) {
  while (count > 0) {
    const auto piece = static_cast<int>(std::min(count, kBlockBytes));
    if (FCGX_PutStr(bytes, piece, out) != piece) return false;
    bytes += piece;
    count -= static_cast<std::size_t>(piece);
  }
  return true;
}

// False if the peer went away. A file that cannot be read to its end is said in the log; the peer sees by
// Content-Length that bytes are missing.
bool put_file(FCGX_Stream* out, const web::FileBody& file, const web::Request& request) {
  std::vector<char> block(static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, file.length)));
  std::uint64_t at = 0;
  while (at < file.length) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), file.length - at));
    const ssize_t count = ::pread(file.fd.get(), block.data(), wanted, static_cast<off_t>(file.offset + at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const core::Error error = count < 0 ? core::errno_error("pread", "a document", errno) : core::Error{.text = "a document became shorter while it was sent"};
      core::log(core::Level::error, "answer cut short", error, {{"request", request.id()}});
      return true;
    }
    if (!put(out, block.data(), static_cast<std::size_t>(count))) return false;
    at += static_cast<std::uint64_t>(count);
  }
  return true;
}

bool write_response(FCGX_Stream* out, const web::Response& response, const web::Request& request) {
  const std::string head = head_of(response);
  return put(out, head.data(), head.size()) && put(out, response.text().data(), response.text().size()) &&
         (!response.file() || put_file(out, *response.file(), request)) && FCGX_FFlush(out) == 0;
}

void serve_one(FCGX_Request& raw, const Handler& handler) {
  const auto start = std::chrono::steady_clock::now();
  web::Parameters parameters = read_parameters(raw.envp);
  const core::Result<std::optional<std::uint64_t>> length = web::announced_length(parameters);
  web::Request request(std::move(parameters), std::make_unique<StreamBody>(raw.in, length ? *length : std::nullopt));
  const web::Response response = length ? answer(request, handler) : web::problem(length.error(), request.id());
  const bool whole = write_response(raw.out, response, request);
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  const std::string status = std::to_string(response.status());
  const std::string path = web::loggable_path(request);
  const std::string milliseconds = std::to_string(spent.count());
  core::log(core::Level::info, "request", {{"request", request.id()}, {"method", request.method()}, {"path", path}, {"status", status}, {"ms", milliseconds}});
  if (!whole) core::log(core::Level::debug, "nobody waited for the answer", {{"request", request.id()}});
}

}  // namespace

void exchange(FCGX_Request& request, const Handler& handler) noexcept {
  try {
    serve_one(request, handler);
  } catch (...) {
    // Out of memory around the handler. libfcgi ends the request, and nginx answers 502.
    static constexpr std::string_view kLine = "level=error event=\"a request could not be served\"\n";
    (void)!::write(STDERR_FILENO, kLine.data(), kLine.size());
  }
}

}  // namespace fcgi
