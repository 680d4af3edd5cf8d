// A FastCGI program that says what it was asked: for the tests of the serve loop, and as the one that does nothing when
// speed is measured. usage: echo [THREADS [DRAIN_MILLISECONDS]]
#include <array>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>

#include "core/fd.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "fcgi/serve.h"
#include "json/writer.h"
#include "web/routes.h"

namespace {

using web::Access;
using web::Match;
using web::Origin;
using web::Request;
using web::Response;

core::Result<Response> echo(Request& request, const Match&) {
  crypto::Sha256 digest;
  std::array<std::byte, 16384> block;
  for (;;) {
    CORE_TRY(count, request.body().read_some(block));
    if (count == 0) break;
    digest.update(std::span(block).first(count));
  }
  json::Writer writer;
  writer.begin_object().member("method", request.method()).member("target", request.request_uri()).member("user", request.user());
  writer.member("role", request.role()).member("via", request.via()).member("host", request.host()).member("type", request.content_type());
  writer.member("x_test", request.header("X-Test")).member("bytes", request.body().received()).member("sha256", crypto::hex(digest.finish())).end_object();
  return web::json(200, writer.text());
}

// The file that the header X-File names.
core::Result<Response> file(Request& request, const Match&) {
  CORE_TRY(fd, core::open_file(std::string(request.header("X-File").value_or("")), O_RDONLY));
  return web::respond_with_file(request, std::move(fd), "application/octet-stream", "", "\"v1\"");
}

// More than it has, as when a file is cut while it is sent.
core::Result<Response> short_file(Request& request, const Match&) {
  CORE_TRY(fd, core::open_file(std::string(request.header("X-File").value_or("")), O_RDONLY));
  return std::move(Response().set_file({std::move(fd), 0, std::uint64_t{1} << 40}, "application/octet-stream"));
}

core::Result<Response> refuse(Request&, const Match&) { return core::Error{.code = core::Code::too_large, .text = "refused unread"}; }

core::Result<Response> fail(Request&, const Match&) { throw std::runtime_error("SECRET"); }

core::Result<Response> many(Request&, const Match&) { return web::text(200, std::string(std::size_t{4} << 20, 'x')); }

web::Routes routes() {
  constexpr web::Guard open{Access::anybody, Origin::any};
  web::Routes table;
  table.add("GET", "/echo", open, echo).add("POST", "/echo", open, echo).add("POST", "/fax/callback/{token}", open, echo);
  table.add("GET", "/file", open, file).add("GET", "/short", open, short_file).add("GET", "/many", open, many);
  table.add("POST", "/refuse", open, refuse).add("GET", "/throw", open, fail);
  table.add("GET", "/mine", {Access::logged_in, Origin::any}, echo);
  return table;
}

}  // namespace

int main(int count, char** words) {
  fcgi::hold_signals();
  const web::Routes table = routes();
  const auto answer = [&table](Request& request) {
    if (request.path() == "/throw/bare") throw std::runtime_error("SECRET");
    return table.answer(request);
  };
  return fcgi::serve(answer, {.program = "echo", .threads = count > 1 ? std::atoi(words[1]) : 4, .drain = std::chrono::milliseconds(count > 2 ? std::atoi(words[2]) : 10000)});
}
