#include "config/table.h"

#include <algorithm>
#include <array>

namespace config {

namespace {

constexpr std::int64_t kDay = 86400;

constexpr auto kTable = std::to_array<Setting>({
    {"MAILDIR_ROOT_DIR", Type::path, "", 0, 0, {}, "the Maildir that received faxes are delivered to"},
    {"PUBLIC_HOSTNAME", Type::host, "", 0, 0, {}, "the name under which the provider reaches this machine"},
    {"TWILIO_SID", Type::text, "", 0, 0, {}, "the account at the provider (SignalWire: project id)"},
    {"TWILIO_TOKEN", Type::secret, "", 0, 0, {}, "the account's secret (SignalWire: API token)", "inbound sandbox faxline-queue"},
    {"TWILIO_FAX_NUMBER", Type::number, "", 0, 0, {}, "our own fax number"},
    {"INBOUND_AUTH_USER", Type::text, "", 0, 0, {}, "user name that the provider must give on our four routes"},
    {"INBOUND_AUTH_PASS", Type::secret, "", 0, 0, {}, "password that goes with INBOUND_AUTH_USER", "inbound media sandbox faxline-queue"},
    {"INBOUND_AUTH_MEDIA", Type::flag, "true", 0, 0, {}, "whether the media URL asks for that password too"},
    {"FAX_PROVIDER", Type::choice, "sandbox", 0, 0, "sandbox twilio signalwire", "who does the telephony"},
    {"SANDBOX_DIALECT", Type::choice, "twilio", 0, 0, "twilio signalwire", "whose dialect the sandbox speaks"},
    {"PROVIDER_URL", Type::url, "", 0, 0, {}, "where the provider's API is, if not at its usual address"},
    {"PROVIDER_CA_FILE", Type::path, "", 0, 0, {}, "certificates that the provider's is checked against"},
    {"MEDIA_HOSTS", Type::hosts, "", 0, 0, {}, "further hosts that received documents may be fetched from"},
    {"FAX_QUALITY", Type::choice, "", 0, 0, "standard fine superfine", "the resolution that is asked of the provider"},
    {"FAX_TTL_MINUTES", Type::integer, "", 5, 300, {}, "how long the provider itself may try to send a fax"},
    {"SIP_HOSTS", Type::hosts, "", 0, 0, {}, "hosts that faxes may be sent to as sip:name@host"},
    {"SIP_AUTH_USER", Type::text, "", 0, 0, {}, "user name for those hosts"},
    {"SIP_AUTH_PASS", Type::secret, "", 0, 0, {}, "password that goes with SIP_AUTH_USER", "faxline-queue"},
    {"WEBHOOK_SIGNING_KEY", Type::secret, "", 0, 0, {}, "key of the provider's signatures", "inbound sandbox"},
    {"WEBHOOK_SIGNING_KEY_OLD", Type::secret, "", 0, 0, {}, "the key before, which counts besides", "inbound sandbox"},
    {"WEBHOOK_SIGNATURE", Type::choice, "required", 0, 0, "required optional", "whether first webhooks must be signed"},
    {"PUBLIC_URL", Type::url, "", 0, 0, {}, "what the provider calls"},
    {"RECEIVE_STORE_MEDIA", Type::flag, "true", 0, 0, {}, "whether the provider keeps a received document until we have it"},
    {"RECEIVE_PAGE_SIZE", Type::choice, "letter", 0, 0, "letter legal a4", "the paper that received faxes are laid out for"},
    {"BLOCKED_SENDERS", Type::numbers, "", 0, 0, {}, "numbers whose faxes are not taken"},
    {"PROVIDER_DELETE_AFTER", Type::choice, "stored", 0, 0, "stored never", "when a received document is deleted at the provider"},
    {"SMTP_URL", Type::mail_server, "", 0, 0, {}, "the mail server that notices go out by"},
    {"SMTP_USER", Type::text, "", 0, 0, {}, "user name at that server"},
    {"SMTP_PASS", Type::secret, "", 0, 0, {}, "password that goes with SMTP_USER", "faxline-queue"},
    {"NOTICE_FROM", Type::addresses, "", 0, 0, {}, "the sender of notices by mail server"},
    {"NOTICE_TO", Type::addresses, "", 0, 0, {}, "who gets notices by mail server"},
    {"NOTICE_WEBHOOK_URL", Type::link, "", 0, 0, {}, "where notices are posted to"},
    {"NOTICE_WEBHOOK_KEY", Type::secret, "", 0, 0, {}, "the key that these posts are signed with", "faxline-queue"},
    {"NOTICE_COMMAND", Type::path, "", 0, 0, {}, "a program that is run for each notice"},
    {"NOTICE_CONTENT", Type::choice, "link", 0, 0, "none link document", "how much of a fax a notice holds"},
    {"NOTICE_CA_FILE", Type::path, "", 0, 0, {}, "certificates that the mail server's and the webhook's are checked against"},
    {"LAN_URL", Type::url, "", 0, 0, {}, "the address of the page, as notices give it"},
    {"DATABASE_URL", Type::database, "", 0, 0, {}, "where the faxes are kept", "send status inbox inbound media faxline-queue"},
    {"PEOPLE_DATABASE_URL", Type::database, "", 0, 0, {}, "where users, sessions and keys are kept", "session"},
    {"STATE_DIR", Type::path, "/var/lib/faxline", 0, 0, {}, "the folder of all that Faxline keeps"},
    {"SOCKET_DIR", Type::path, "/run/faxline", 0, 0, {}, "the folder of the sockets between the programs"},
    {"LAN_PORT", Type::integer, "443", 1, 65535, {}, "port of the page and the API"},
    {"PUBLIC_PORT", Type::integer, "3297", 1, 65535, {}, "port of the provider's four routes"},
    {"ACME_PORT", Type::integer, "3298", 1, 65535, {}, "port of the certificate challenges"},
    {"SANDBOX_PORT", Type::integer, "3299", 1, 65535, {}, "loopback port of the sandbox"},
    {"POP3_PORT", Type::integer, "995", 1, 65535, {}, "port of the POP3 server; make run starts one, at 9995"},
    {"CERTIFICATE_KEY", Type::choice, "ecdsa", 0, 0, "ecdsa rsa", "what kind of key a new certificate gets"},
    {"ACME_SERVER", Type::link, "", 0, 0, {}, "the certificate authority's directory, if not Let's Encrypt's"},
    {"LAN_LISTEN", Type::text, "", 0, 0, {}, "address that the page and the API listen at"},
    {"PUBLIC_LISTEN", Type::text, "", 0, 0, {}, "address that the provider's routes listen at"},
    {"RUN_USER", Type::text, "fax", 0, 0, {}, "first user and POP3 log-in of make run"},
    {"RUN_PASSWORD", Type::secret, "", 0, 0, {}, "that user's password"},
    {"DEFAULT_COUNTRY", Type::country, "US", 0, 0, {}, "country of numbers without a plus sign"},
    {"MAX_FAX_BYTES", Type::integer, "52428800", 1024, std::int64_t{1} << 40, {}, "largest document, in bytes"},
    {"RECEIVE_RESERVE_BYTES", Type::integer, "", 0, std::int64_t{1} << 50, {}, "how much of the disk is kept free for faxes that come in"},
    {"RETENTION_DAYS", Type::integer, "90", 0, 36500, {}, "how long documents are kept; 0: until they are delivered"},
    {"RECORD_RETENTION_DAYS", Type::integer, "", 1, 36500, {}, "how long the record of a fax is kept"},
    {"RETRY_LIMIT", Type::integer, "4", 0, 100, {}, "further attempts where the cause allows"},
    {"RETRY_SECONDS", Type::integer, "300", 1, kDay, {}, "the first wait between attempts"},
    {"RECONCILE_SECONDS", Type::integer, "300", 1, kDay, {}, "how often our book is compared with the provider's list"},
    {"CHECK_SECONDS", Type::integer, "1800", 1, 7 * kDay, {}, "how long an unknown outcome is looked for"},
    {"LEASE_SECONDS", Type::integer, "300", 1, kDay, {}, "after how long another worker takes over what one began"},
    {"FAX_DEADLINE", Type::duration, "72h", 1, 365 * kDay, {}, "no fax is unfinished after it"},
});

}  // namespace

std::span<const Setting> table() { return kTable; }

const Setting* find(std::string_view name) {
  const auto* row = std::find_if(kTable.begin(), kTable.end(), [&](const Setting& setting) { return setting.name == name; });
  return row == kTable.end() ? nullptr : &*row;
}

}  // namespace config
