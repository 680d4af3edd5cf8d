#include "queue/daemon.h"

#include <malloc.h>

#include <thread>

#include "http/client.h"
#include "http/served.h"
#include "maildir/name.h"
#include "maildir/remote.h"
#include "notice/outbox.h"
#include "queue/certificates.h"
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
  if (settings.is_set("RECORD_RETENTION_DAYS")) options.record_retention = std::chrono::hours(24 * settings.integer("RECORD_RETENTION_DAYS"));
  options.blocked_senders = settings.blocked_senders();
  options.lease = std::chrono::seconds(settings.integer("LEASE_SECONDS"));
  options.max_fax_bytes = settings.integer("MAX_FAX_BYTES");
  return options;
}

}  // namespace

core::Result<void> run_daemon(const config::Settings& settings, const std::atomic<bool>& stop) {
  ::mallopt(M_ARENA_MAX, 1);  // one for each thread would keep the most that each has ever used
  const core::SystemClock clock;
  CORE_TRY(database, sql::Database::open(settings.database_url(), {.connections = 8}));
  CORE_TRY(faxes, store::Faxes::open(database));
  CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
  http::Client client({.ca_file = settings.provider_ca_file(), .user_agent = "faxline"});
  twilio::Provider provider(client, twilio::account_of(settings));
  const maildir::Remote mailbox(settings.socket("deliver.sock"));
  const auto options = options_of(settings);
  Timekeeper time(clock, faxes, options.lifetime);
  store::Watch watch(database);
  const auto machine = machine_name(settings.text("STATE_DIR"));
  const Listeners listeners{machine, options.hostname, settings.listeners(), [](const std::string& address, const std::string& host_name) { return http::served_certificate(address, host_name); }};
  const Context context{options, clock, faxes, spool, provider, document::examine_pdf, document::join_pdfs,
                        [&](const std::string& name, int fd) { return mailbox.deliver(name, fd); }, [](core::Time now, int fd) { return maildir::new_name(now, fd); }, &time, {},
                        &watch, [&] { return mailbox.check(); }, &listeners};
  const auto notice_options = notice::options_of(settings);
  http::Client notice_client({.ca_file = settings.text("NOTICE_CA_FILE"), .user_agent = "faxline"});
  auto notices = faxes.notices();
  const notice::Ways ways{notice_options, clock, notice_client, [&](const std::string& id) { return spool.open(id); }, context.deliver, context.new_mail_name,
                          [&](const store::Errand& errand, const std::string& name) { return notices.record_mail_name(errand, name); }, &stop};
  const Workers workers{3, settings.socket("wake.sock"), machine};
  notice::Outbox outbox(ways, notices, worker_name(workers, "notices"));
  // In threads of its own: a mail server that hangs delays no fax.
  std::atomic<bool> over{false};
  std::thread teller([&] { outbox.run(stop, over); });
  auto done = run(context, workers, stop);
  over = true;
  teller.join();
  return done;
}

}  // namespace queue
