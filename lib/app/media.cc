#include "app/media.h"

#include "core/fail_point.h"
#include "core/log.h"
#include "crypto/random.h"

namespace app {

namespace {

class Media {
 public:
  Media(const Line& line, const ProviderSide& side, store::Faxes& faxes) : line_(line), side_(side), faxes_(faxes) {}

  core::Result<web::Response> document(web::Request& request, const web::Match& match) {
    if (side_.auth_media) CORE_CHECK(check_basic(side_, request));
    CORE_TRY(attempt, faxes_.attempt_of_media_token(crypto::token_hash(match["token"])));
    if (request.method() != "HEAD") {
      FAIL_POINT("media.hand_out.asked");
      // Not surely committed: not a byte.
      CORE_TRY(handed_out, faxes_.hand_out(attempt.id, line_.clock->now()));
      if (!handed_out) return core::Error{core::Code::not_found, "attempt is over"};
      FAIL_POINT("media.hand_out.committed");
      if (!attempt.handed_out) core::log(core::Level::info, "document handed out", {{"fax", attempt.fax_id}, {"attempt", attempt.id}, {"request", request.id()}});
    }
    auto response = web::accel_redirect("/internal/handout/" + attempt.id);
    response.set("Content-Type", "application/pdf").set("Cache-Control", "private, no-store");
    return response;
  }

 private:
  const Line& line_;
  const ProviderSide& side_;
  store::Faxes& faxes_;
};

}  // namespace

web::Routes media_routes(const Line& line, const ProviderSide& side, store::Faxes& faxes) {
  const auto media = std::make_shared<Media>(line, side, faxes);
  web::Routes routes(web::Faults::empty);
  routes.add("GET", "/fax/sending/{token}", {web::Access::anybody, web::Origin::any}, [media](web::Request& request, const web::Match& match) { return with_realm(or_later(media->document(request, match))); });
  return routes;
}

}  // namespace app
