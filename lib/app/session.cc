#include "app/session.h"

#include <memory>

#include "core/log.h"
#include "form/fields.h"
#include "json/value.h"
#include "json/writer.h"
#include "text/words.h"

namespace app {

namespace {

constexpr std::string_view kCookie = "__Host-faxline";
constexpr std::size_t kJsonBytes = 4096;

struct Person {
  std::string name;
  store::Role role = store::Role::user;
  std::string_view via;
};

std::string person_json(const std::string& name, store::Role role) {
  json::Writer writer;
  writer.begin_object().member("username", name).member("role", store::name(role)).end_object();
  return writer.text();
}

class Session {
 public:
  Session(store::People& people, const core::Clock& clock) : people_(people), clock_(clock) {}

  core::Result<web::Response> log_in(web::Request& request, const web::Match&) {
    const auto type = request.content_type();
    if (!text::equal_ignoring_case(text::trim(type.substr(0, type.find(';'))), "application/json"))
      return core::Error{core::Code::unsupported, "log-in that is no JSON", "Log in with JSON: username and password."};
    CORE_TRY(text, request.body().read_all(kJsonBytes));
    CORE_TRY(body, json::parse(text));
    const auto name = body["username"].as_string();
    const auto password = body["password"].as_string();
    if (!name || !password) {
      const std::string field = name ? "password" : "username";
      return core::Error{core::Code::bad_request, "log-in without " + field, "Give username and password, both as text.", field};
    }
    CORE_TRY(user, people_.log_in(*name, core::SecretString(std::string(*password)), request.remote_address(), clock_.now()));
    CORE_TRY(session, people_.create_session(user.name, clock_.now()));
    core::log(core::Level::info, "logged in", {{"user", user.name}, {"from", request.remote_address()}});
    auto response = web::json(200, person_json(user.name, user.role));
    response.set_cookie(kCookie, session.token.reveal(), store::kSessionLifetime);
    return response;
  }

  core::Result<web::Response> who(web::Request& request, const web::Match&) {
    CORE_TRY(person, find(request));
    return web::json(200, person_json(person.name, person.role));
  }

  core::Result<web::Response> log_out(web::Request& request, const web::Match&) {
    if (const auto token = cookie(request); !token.empty()) CORE_CHECK(people_.remove_session(token));
    auto response = web::empty(204);
    response.set_cookie(kCookie, "", std::chrono::seconds(0));
    return response;
  }

  core::Result<web::Response> admit(web::Request& request, const web::Match&) {
    CORE_TRY(person, find(request));
    auto response = web::empty(204);
    response.set("X-Auth-User", person.name).set("X-Auth-Role", store::name(person.role)).set("X-Auth-Via", person.via);
    return response;
  }

 private:
  static std::string cookie(const web::Request& request) {
    const auto cookies = form::parse_cookies(request.header("Cookie").value_or(""));
    return std::string(cookies.first(kCookie).value_or(""));
  }

  core::Result<Person> find(const web::Request& request) {
    const auto header = request.header("Authorization").value_or("");
    constexpr std::string_view kScheme = "bearer ";
    if (text::equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) {
      CORE_TRY(key, people_.find_key(text::trim(header.substr(kScheme.size())), clock_.now()));
      return Person{key.user.value_or("key-" + key.id), key.role, "key"};
    }
    const auto token = cookie(request);
    if (token.empty()) return core::Error{core::Code::unauthenticated, "neither cookie nor key", "Log in first, or give a valid key."};
    CORE_TRY(user, people_.find_session(token, clock_.now()));
    return Person{user.name, user.role, "cookie"};
  }

  store::People& people_;
  const core::Clock& clock_;
};

}  // namespace

web::Routes session_routes(store::People& people, const core::Clock& clock) {
  const auto session = std::make_shared<Session>(people, clock);
  const auto to = [&](core::Result<web::Response> (Session::*handler)(web::Request&, const web::Match&)) { return [session, handler](web::Request& request, const web::Match& match) { return (*session.*handler)(request, match); }; };
  const web::Guard reads{web::Access::anybody, web::Origin::any};
  const web::Guard changes{web::Access::anybody, web::Origin::ours};
  web::Routes routes;
  routes.add("GET", "/auth", reads, to(&Session::admit));
  routes.add("POST", "/api/session", changes, to(&Session::log_in));
  routes.add("GET", "/api/session", reads, to(&Session::who));
  routes.add("DELETE", "/api/session", changes, to(&Session::log_out));
  return routes;
}

}  // namespace app
