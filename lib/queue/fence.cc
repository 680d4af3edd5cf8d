#include "queue/fence.h"

#include "core/fail_point.h"
#include "core/log.h"

#include "crypto/random.h"
#include "text/percent.h"

namespace queue {

namespace {

std::string with_authentication(const Options& options, bool wanted) {
  if (options.auth_user.empty() || !wanted) return options.public_url;
  const auto after_scheme = options.public_url.find("://") + 3;
  return options.public_url.substr(0, after_scheme) + text::percent_encode(options.auth_user) + ":" + text::percent_encode(options.auth_password.reveal()) + "@" +
         options.public_url.substr(after_scheme);
}

// A copy that stays is harmless: its URL answers 404, and the purge takes it.
void take_back(const Context& context, const std::string& attempt_id) {
  if (const auto done = context.spool.take_back(attempt_id); !done) core::log(core::Level::warning, "copy not taken back", done.error(), {{"attempt", attempt_id}});
}

}  // namespace

Urls new_urls(const Options& options) {
  const auto media = crypto::new_token();
  const auto callback = crypto::new_token();
  return {with_authentication(options, options.auth_media) + "/fax/sending/" + media, with_authentication(options, true) + "/fax/callback/" + callback,
          crypto::token_hash(media), crypto::token_hash(callback)};
}

core::Result<Past> close_last_attempt(const Context& context, const std::string& fax_id) {
  CORE_TRY(last, context.faxes.last_attempt(fax_id));
  if (!last || last->voided) return Past::over;
  if (last->ended) {
    // Cut off after the attempt's end and before the fax's: the provider's word is still to be written down.
    CORE_TRY(fax, context.faxes.fax(fax_id));
    return last->provider_id.empty() || fax.status == fax::Status::waiting ? Past::over : Past::known;
  }
  if (!last->provider_id.empty()) return Past::known;
  CORE_TRY(voided, context.faxes.void_attempt(last->id, context.clock.now()));
  if (!voided) return Past::handed_out;
  FAIL_POINT("queue.fence.voided");
  core::log(core::Level::info, "attempt void", {{"fax", fax_id}, {"attempt", last->id}});
  take_back(context, last->id);
  FAIL_POINT("queue.fence.taken_back");
  return Past::over;
}

core::Result<void> end_attempt(const Context& context, const std::string& attempt_id, bool refused) {
  CORE_CHECK(context.faxes.end_attempt(attempt_id, refused, context.clock.now()));
  FAIL_POINT("queue.end_attempt.ended");
  take_back(context, attempt_id);
  FAIL_POINT("queue.end_attempt.taken_back");
  return {};
}

}  // namespace queue
