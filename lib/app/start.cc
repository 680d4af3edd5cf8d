#include "app/start.h"

#include <cstdio>
#include <sys/stat.h>

#include "core/log.h"
#include "spool/spool.h"
#include "wake/wake.h"

namespace app {

Line line_of(const config::Settings& settings, const core::Clock& clock) {
  Line line;
  line.number = settings.fax_number();
  line.provider = settings.text("FAX_PROVIDER");
  line.practice = settings.practice();
  line.default_country = settings.text("DEFAULT_COUNTRY");
  line.always_legal = legal_numbers(line.number, line.practice);
  line.sip_hosts = settings.sip_hosts();
  line.max_fax_bytes = settings.integer("MAX_FAX_BYTES");
  line.lifetime = settings.duration("FAX_DEADLINE");
  line.clock = &clock;
  line.wake = [sender = wake::Sender(settings.socket("wake.sock"))] { sender.send(); };
  return line;
}

ProviderSide gate_of(const config::Settings& settings) {
  ProviderSide side;
  side.auth_user = settings.text("INBOUND_AUTH_USER");
  side.auth_password = settings.secret("INBOUND_AUTH_PASS");
  side.auth_media = settings.flag("INBOUND_AUTH_MEDIA");
  return side;
}

ProviderSide provider_side_of(const config::Settings& settings) {
  auto side = gate_of(settings);
  side.dialect = &twilio::dialect_of(settings.dialect());
  side.public_url = settings.public_url();
  side.account = settings.text("TWILIO_SID");
  side.account_token = settings.secret("TWILIO_TOKEN");
  side.signing_keys = settings.signing_keys();
  side.signature_required = settings.text("WEBHOOK_SIGNATURE") == "required";
  // Who does not know the attribute keeps every document.
  side.store_media = settings.flag("RECEIVE_STORE_MEDIA") || !side.dialect->store_media_attribute;
  side.page_size = settings.text("RECEIVE_PAGE_SIZE");
  side.blocked_senders = settings.blocked_senders();
  side.hint = [sender = wake::Sender(settings.socket("wake.sock"))](std::string_view text) { sender.send(text); };
  return side;
}

void warn_of(const config::Settings& settings, std::string_view setting) {
  for (const auto& warning : config::warnings(settings))
    if (warning.setting == setting) core::log(core::Level::warning, warning.sentence, {{"setting", setting}});
}

int start(std::string_view program, const std::function<core::Result<int>(const config::Settings&)>& wiring, const std::function<void(const core::Error&)>& turn_away) {
  core::set_program(program);
  ::umask(0007);
  const auto run = [&]() -> core::Result<int> {
    CORE_TRY(settings, config::load());
    CORE_CHECK(spool::check_no_restore(settings.text("STATE_DIR")));
    return wiring(settings);
  };
  const auto done = run();
  if (done) return *done;
  const auto& error = done.error();
  core::log(core::Level::error, "no start", error);
  if (!error.hint.empty()) std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(), error.hint.c_str());
  if (turn_away) turn_away(error);
  if (error.code == core::Code::settings) return 78;
  return error.code == core::Code::unavailable || error.code == core::Code::no_space ? 75 : 70;
}

}  // namespace app
