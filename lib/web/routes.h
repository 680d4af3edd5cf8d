// Which handler answers, and who may ask: one table a program.
//
//   web::Routes routes;
//   routes.add("POST", "/api/faxes/{id}/cancel", {web::Access::logged_in, web::Origin::ours}, cancel);
//   web::Response response = routes.answer(request);
//
// Checked here, in this order: path 404, method 405, log-in 401, Origin and role 403. The handler checks the rest, also
// in order: id 404, state 409, content.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "web/request.h"
#include "web/response.h"

namespace web {

enum class Access { anybody, logged_in, admin };

// `ours`: for what changes something on behalf of a browser, log-in too: see check_origin(). `any`: for what only
// reads, and for callers that no browser speaks for (the provider).
enum class Origin { any, ours };

struct Guard {
  Access access;
  Origin origin;
};

// What a caller is told of an error: `problem` for people and programs of the API, `empty` (status and headers alone)
// for the provider.
enum class Faults { problem, empty };

// The parts of the path that stand for a name in the pattern, percent-decoded; unchecked otherwise.
class Match {
 public:
  // Never empty for a name of the pattern; "" for another.
  std::string_view operator[](std::string_view name) const;
  void add(std::string_view name, std::string value) { values_.emplace_back(name, std::move(value)); }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

using Handler = std::function<core::Result<Response>(Request&, const Match&)>;

class Routes {
 public:
  explicit Routes(Faults faults = Faults::problem) : faults_(faults) {}

  // A pattern's part may hold one name: "{id}", "{page}.png". Of several that fit, the first that was added wins.
  // "GET" serves HEAD too, its body left off, unless HEAD has a route of its own for the same pattern, added before;
  // the handler can see which it is by request.method().
  Routes& add(std::string_view method, std::string_view pattern, Guard guard, Handler handler);

  // Always an answer. An Error becomes a problem, and one line in the log, whose operation is method and pattern, so
  // that no id or token gets there; an exception becomes a 500. Each answer has X-Content-Type-Options: nosniff, and
  // Cache-Control: no-store unless the handler set another. Safe to call from several threads, if the handlers are.
  Response answer(Request& request) const;

 private:
  struct Piece {
    std::string before;
    std::string name;  // empty: `before` is the whole part
    std::string after;
  };
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<Piece> pieces;
    Guard guard;
    Handler handler;
  };

  static bool fits(const Route& route, const Request& request, Match& match);
  core::Result<Response> run(const Route& route, Request& request, const Match& match) const;
  Response refuse(const core::Error& error, std::string_view operation, const Request& request) const;
  Response finish(Response response, const Request& request) const;

  Faults faults_;
  std::vector<Route> routes_;
};

// forbidden, unless the request comes from our own page or by an API key (via "key": a browser adds none by itself).
// From our page: Origin is https:// and the requested host, name and port (443 need not be said); or there is no
// Origin and Sec-Fetch-Site is "same-origin". "null" is another's.
core::Result<void> check_origin(const Request& request);

}  // namespace web
