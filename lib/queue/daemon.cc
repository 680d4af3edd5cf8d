#include "queue/daemon.h"

#include "http/client.h"
#include "maildir/name.h"
#include "maildir/remote.h"
#include "queue/runner.h"
#include "twilio/provider.h"

namespace queue {

namespace {

Options options_of(const config::Settings& settings) {
  Options options;
  options.own_number = settings.fax_number();
  options.provider = settings.text("FAX_PROVIDER");
  options.public_url = settings.public_url();
  options.hostname = settings.is_set("PUBLIC_HOSTNAME") ? settings.text("PUBLIC_HOSTNAME") : std::string("localhost");
  options.auth_user = settings.text("INBOUND_AUTH_USER");
  options.auth_password = settings.secret("INBOUND_AUTH_PASS");
  options.auth_media = settings.flag("INBOUND_AUTH_MEDIA");
  options.practice = settings.practice();
  options.delete_media = settings.text("PROVIDER_DELETE_AFTER") == "stored";
  options.retry_limit = settings.integer("RETRY_LIMIT");
  options.retry_wait = std::chrono::seconds(settings.integer("RETRY_SECONDS"));
  options.reconcile_interval = std::chrono::seconds(settings.integer("RECONCILE_SECONDS"));
  options.check_time = std::chrono::seconds(settings.integer("CHECK_SECONDS"));
  options.lifetime = settings.duration("FAX_DEADLINE");
  options.retention = std::chrono::hours(24 * settings.integer("RETENTION_DAYS"));
  options.blocked_senders = settings.blocked_senders();
  options.max_fax_bytes = settings.integer("MAX_FAX_BYTES");
  return options;
}

}  // namespace

core::Result<void> run_daemon(const config::Settings& settings, const std::atomic<bool>& stop) {
  const core::SystemClock clock;
  CORE_TRY(database, sql::Database::open(settings.database_url(), {.connections = 6}));
  CORE_TRY(faxes, store::Faxes::open(database));
  CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
  http::Client client({.ca_file = settings.text("PROVIDER_CA_FILE"), .user_agent = "faxline"});
  twilio::Provider provider(client, twilio::account_of(settings));
  const maildir::Remote mailbox(settings.socket("deliver.sock"));
  const auto options = options_of(settings);
  store::Watch watch(database);
  const Context context{options, clock, faxes, spool, provider, document::examine_pdf, document::join_pdfs,
                        [&](const std::string& name, int fd) { return mailbox.deliver(name, fd); }, [](core::Time now, int fd) { return maildir::new_name(now, fd); },
                        &watch, [&] { return mailbox.check(); }};
  return run(context, {3, settings.socket("wake.sock")}, stop);
}

}  // namespace queue
