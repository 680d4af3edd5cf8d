// The table of what a program answers, with the checks that every route needs, in this order: path 404, method 405,
// log-in 401, Origin and role 403; the handler does the rest.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "web/request.h"
#include "web/response.h"

namespace web {

enum class Access {
  open,       // anybody: the provider, a probe; the handler asks for what it wants
  logged_in,  // a person or a key
  admin,
};

// What stands in the places of a pattern: "/api/faxes/{id}" gives id.
using Match = std::map<std::string, std::string, std::less<>>;
using Handler = std::function<core::Result<Response>(Request&, const Match&)>;

class Routes {
 public:
  // `pattern` is a path whose segments may be {names}, each of one segment, decoded, never empty. HEAD
  // is answered by GET's handler. A change (any method but GET) by a log-in that came by cookie, and a log-in, need the right Origin.
  void add(std::string_view method, std::string_view pattern, Access access, Handler handler);

  // The answer to one request, whatever happens: an Error becomes a problem, and is logged once, an exception too.
  Response answer(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Access access;
    Handler handler;
  };
  core::Result<Response> dispatch(Request& request) const;
  std::vector<Route> routes_;
};

// forbidden, unless Origin is the requested scheme, host and port, or there is none and Sec-Fetch-Site is same-origin.
core::Result<void> check_origin(const Request& request);

}  // namespace web
