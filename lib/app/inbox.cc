#include "app/inbox.h"

#include <algorithm>

#include "app/render.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "json/value.h"
#include "text/escape.h"

namespace app {

namespace {

constexpr std::size_t kJsonBytes = 4096;

std::string file_name(const store::Fax& fax) {
  const auto& other = fax.direction == fax::Direction::inbound ? fax.from : fax.to;
  std::string when = core::rfc3339(fax.created).substr(0, 16);
  std::replace(when.begin(), when.end(), 'T', '-');
  when.erase(std::remove(when.begin(), when.end(), ':'), when.end());
  return "fax-" + (other.empty() ? std::string("withheld") : other) + "-" + when + ".pdf";
}

class Inbox {
 public:
  Inbox(const Line& line, store::Faxes& faxes, const spool::Spool& spool) : line_(line), faxes_(faxes), spool_(spool) {}

  core::Result<web::Response> document(web::Request& request, const web::Match& match) {
    CORE_TRY(fax, faxes_.fax(std::string(match["id"])));
    if (fax.document_id.empty()) return core::Error{core::Code::not_found, "fax without document", "This fax has no document, or it is no longer kept."};
    auto file = spool_.open(fax.document_id);
    if (!file && file.error().code == core::Code::not_found) return std::move(file.error()).with_hint("The document is no longer kept.");
    if (!file) return file.error();
    const auto disposition = text::content_disposition(text::Disposition::in_page, file_name(fax));
    CORE_TRY(response, web::respond_with_file(request, std::move(*file), "application/pdf", disposition, "\"" + fax.document_id + "\""));
    return response;
  }

  core::Result<web::Response> read(web::Request& request, const web::Match& match) {
    CORE_TRY(known, faxes_.fax(std::string(match["id"])));
    if (known.direction != fax::Direction::inbound) return core::Error{core::Code::conflict, "read of a sent fax", "Only received faxes are marked as read."};
    CORE_TRY(text, request.body().read_all(kJsonBytes));
    CORE_TRY(body, json::parse(text));
    const auto read = body["read"].as_bool();
    if (!read) return core::Error{core::Code::bad_request, "JSON: read is neither true nor false", "read must be true or false.", "read"};
    CORE_TRY(fax, faxes_.mark_read(known.id, *read, line_.clock->now()));
    CORE_TRY(events, faxes_.events(fax.id));
    return web::json(200, fax_json(fax, events));
  }

  core::Result<web::Response> remove(web::Request& request, const web::Match& match) {
    const std::string id(match["id"]);
    CORE_TRY(documents, faxes_.remove(id, line_.clock->now()));
    FAIL_POINT("inbox.remove.forgotten");
    core::log(core::Level::info, "fax deleted", {{"fax", id}, {"user", request.user()}});
    for (const auto& document : documents)
      if (const auto done = spool_.remove(document); !done) core::log(core::Level::warning, "file not removed; the purge takes it", done.error(), {{"document", document}});
    return web::empty(204);
  }

 private:
  const Line& line_;
  store::Faxes& faxes_;
  const spool::Spool& spool_;
};

}  // namespace

web::Routes inbox_routes(const Line& line, store::Faxes& faxes, const spool::Spool& spool) {
  const auto inbox = std::make_shared<Inbox>(line, faxes, spool);
  const auto to = [&](core::Result<web::Response> (Inbox::*handler)(web::Request&, const web::Match&)) { return [inbox, handler](web::Request& request, const web::Match& match) { return (*inbox.*handler)(request, match); }; };
  const web::Guard changes{web::Access::logged_in, web::Origin::ours};
  web::Routes routes;
  routes.add("GET", "/api/faxes/{id}/document.pdf", {web::Access::logged_in, web::Origin::any}, to(&Inbox::document));
  routes.add("POST", "/api/faxes/{id}/read", changes, to(&Inbox::read));
  routes.add("DELETE", "/api/faxes/{id}", changes, to(&Inbox::remove));
  return routes;
}

}  // namespace app
