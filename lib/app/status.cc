#include "app/status.h"

#include <algorithm>
#include <array>

#include "app/render.h"
#include "core/id.h"
#include "core/log.h"
#include "fax/cause.h"
#include "form/fields.h"
#include "json/writer.h"
#include "store/notices.h"
#include "store/story.h"
#include "text/words.h"

namespace app {

namespace {

constexpr auto kShowGivenUp = std::chrono::hours(7 * 24);
constexpr std::int64_t kMostInList = 200;

core::Error bad(std::string_view field, std::string_view sentence) {
  return core::Error{core::Code::bad_request, "query: " + std::string(field), std::string(sentence), std::string(field)};
}

core::Result<Next> read_with(const form::Fields& fields) {
  const auto with = fields.first("with");
  if (!with || with->empty()) return Next::left_out;
  if (*with != "next") return bad("with", "with is next, or is left out.");
  return Next::told;
}

core::Result<store::ListQuery> read_query(const form::Fields& fields) {
  store::ListQuery query;
  if (const auto word = fields.first("direction"); word && !word->empty()) {
    query.direction = fax::parse_direction(*word);
    if (!query.direction) return bad("direction", "direction is inbound or outbound.");
  }
  if (const auto list = fields.first("status"); list && !list->empty()) {
    for (const auto word : text::split(*list, ',')) {
      const auto status = fax::parse_status(text::trim(word));
      if (!status) return bad("status", "There is no state called '" + std::string(text::trim(word).substr(0, 40)) + "'.");
      query.statuses.push_back(*status);
    }
  }
  if (const auto typed = fields.first("q")) {
    for (const char c : *typed)
      if (c >= '0' && c <= '9') query.digits += c;
    // A search without digits finds no number.
    if (query.digits.empty() && !text::trim(*typed).empty()) query.digits = "none";
  }
  if (const auto before = fields.first("before"); before && !before->empty()) {
    if (!core::is_id(*before)) return bad("before", "before is a value that an earlier answer gave as next.");
    query.before = std::string(*before);
  }
  if (const auto limit = fields.first("limit")) {
    const auto number = text::parse_int64(*limit);
    if (!number || *number < 1 || *number > kMostInList) return bad("limit", "limit is a number from 1 to 200.");
    query.limit = *number;
  }
  return query;
}

class Status {
 public:
  Status(const Line& line, store::Faxes& faxes, const Watched& watched) : line_(line), faxes_(faxes), watched_(watched) {}

  core::Result<web::Response> list(web::Request& request, const web::Match&) {
    CORE_TRY(fields, form::parse_urlencoded(request.query()));
    CORE_TRY(query, read_query(fields));
    CORE_TRY(next, read_with(fields));
    const auto wanted = static_cast<std::size_t>(query.limit);
    query.limit += 1;  // one more tells whether there is a next page
    CORE_TRY(faxes, faxes_.list(query));
    json::Writer writer;
    writer.begin_object().key("faxes").begin_array();
    const auto count = std::min(faxes.size(), wanted);
    for (std::size_t i = 0; i < count; ++i) write_fax(writer, faxes[i], nullptr, next);
    writer.end_array();
    writer.member("next", faxes.size() > wanted ? std::optional(faxes[count - 1].id) : std::nullopt).end_object();
    return web::json(200, writer.text());
  }

  core::Result<web::Response> one(web::Request& request, const web::Match& match) {
    CORE_TRY(fields, form::parse_urlencoded(request.query()));
    CORE_TRY(next, read_with(fields));
    CORE_TRY(fax, faxes_.fax(std::string(match["id"])));
    CORE_TRY(events, store::read_story(faxes_, fax));
    return web::json(200, fax_json(fax, events, next));
  }

  // The seed's own: ours or the provider's id, in Twilio's words.
  core::Result<web::Response> seed(web::Request&, const web::Match& match) {
    const std::string id(match["id"]);
    auto fax = faxes_.fax(id);
    if (!fax && fax.error().code == core::Code::not_found) fax = faxes_.fax_of_provider_id(id);
    if (!fax) return fax.error();
    json::Writer writer;
    writer.begin_object().member("status", fax::twilio_word(fax->direction, fax->status, fax->cause_code)).member("pages", fax->pages).end_object();
    return web::json(200, writer.text());
  }

  core::Result<web::Response> line(web::Request&, const web::Match&) {
    CORE_TRY(hold, faxes_.hold());
    CORE_TRY(unread, faxes_.unread_count());
    CORE_TRY(trouble, provider_trouble());
    CORE_TRY(refusals, faxes_.refusals());
    CORE_TRY(untold, faxes_.notices().troubles(line_.clock->now() - kShowGivenUp));
    json::Writer writer;
    writer.begin_object().member("number", line_.number).member("provider", line_.provider).member("practice", line_.practice);
    writer.member("max_bytes", line_.max_fax_bytes).member("unread", unread);
    const std::string cause = hold ? (hold->kind == "unauthorized" ? "wrong_credentials" : "rate_limited") : trouble;
    writer.member("state", cause.empty() ? std::string_view("ready") : std::string_view(cause));
    writer.member("text", cause.empty() ? std::optional<std::string>() : std::optional(std::string(fax::find_cause(cause).text)));
    write_refused(writer.key("refused"), refusals);
    write_untold(writer.key("notices"), untold);
    CORE_TRY(troubles, watched_.watch.troubles());
    writer.key("troubles").begin_array();
    for (const auto& one : troubles)
      writer.begin_object().member("kind", one.kind).member("since", core::rfc3339(one.since)).member("last_try", core::rfc3339(one.last)).member("text", one.text).end_object();
    writer.end_array();
    writer.end_object();
    return web::json(200, writer.text());
  }

  core::Result<web::Response> ping(web::Request&, const web::Match&) { return web::json(200, R"({"status":"ok"})"); }

  core::Result<web::Response> health(web::Request& request, const web::Match&) {
    const auto wrong = ailments(watched_);
    if (wrong.empty()) return web::json(200, R"({"status":"ok"})");
    std::string words;
    for (const auto& sentence : wrong) words += (words.empty() ? "" : " ") + sentence;
    core::log(core::Level::warning, "not healthy", {{"what", words}, {"request", request.id()}});
    return core::Error{core::Code::unavailable, "not healthy", words};
  }

  core::Result<web::Response> metrics(web::Request& request, const web::Match&) {
    const auto from = request.remote_address();
    if (request.user().empty() && from != "127.0.0.1" && from != "::1") return core::Error{core::Code::unauthenticated, "metrics from elsewhere"};
    CORE_TRY(text, app::metrics(watched_));
    web::Response response(200);
    response.set_text(text, "text/plain; version=0.0.4");
    return response;
  }

 private:
  // The ways of notices that do not work, each with what it said last.
  static void write_untold(json::Writer& writer, const std::vector<store::WayTrouble>& ways) {
    writer.begin_array();
    for (const auto& it : ways)
      writer.begin_object().member("way", it.way).member("waiting", it.waiting).member("given_up", it.given_up).member("last", core::rfc3339(it.last)).member("text", it.text).end_object();
    writer.end_array();
  }

  // All of them counted, with the cause of the latest.
  static void write_refused(json::Writer& writer, const std::vector<store::Refusal>& refusals) {
    if (refusals.empty()) {
      writer.value(nullptr);
      return;
    }
    std::int64_t count = 0;
    for (const auto& refusal : refusals) count += refusal.count;
    const auto& latest = refusals.front();
    writer.begin_object().member("count", count).member("last", core::rfc3339(latest.last));
    write_cause(writer.key("cause"), latest.cause, latest.detail);
    writer.end_object();
  }

  // A fax that waits for the provider says more about the line than silence does.
  core::Result<std::string> provider_trouble() {
    store::ListQuery query;
    query.statuses = {fax::Status::waiting};
    query.limit = 5;
    CORE_TRY(waiting, faxes_.list(query));
    for (const auto& fax : waiting)
      if (fax.cause_code == "provider_unreachable") return fax.cause_code;
    return std::string();
  }

  const Line& line_;
  store::Faxes& faxes_;
  Watched watched_;
};

}  // namespace

web::Routes status_routes(const Line& line, store::Faxes& faxes, const Watched& watched) {
  const auto status = std::make_shared<Status>(line, faxes, watched);
  const auto to = [&](core::Result<web::Response> (Status::*handler)(web::Request&, const web::Match&)) { return [status, handler](web::Request& request, const web::Match& match) { return (*status.*handler)(request, match); }; };
  const web::Guard logged_in{web::Access::logged_in, web::Origin::any};
  const web::Guard anybody{web::Access::anybody, web::Origin::any};
  web::Routes routes;
  routes.add("GET", "/api/faxes", logged_in, to(&Status::list));
  routes.add("GET", "/api/faxes/{id}", logged_in, to(&Status::one));
  routes.add("GET", "/api/fax/{id}", logged_in, to(&Status::seed));
  routes.add("GET", "/api/line", logged_in, to(&Status::line));
  routes.add("GET", "/api/ping", anybody, to(&Status::ping));
  routes.add("GET", "/healthz", anybody, to(&Status::health));
  routes.add("GET", "/metrics", anybody, to(&Status::metrics));
  return routes;
}

}  // namespace app
