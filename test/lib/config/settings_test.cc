#include "config/settings.h"

#include <doctest/doctest.h>

#include <string>

#include "config/check.h"
#include "config/table.h"

namespace {

const std::string kLeast = "MAILDIR_ROOT_DIR=/mail\nPUBLIC_HOSTNAME=fax.example.org\nTWILIO_SID=AC1\nTWILIO_TOKEN=secret-token\n";

core::Result<config::Settings> load(const std::string& text, std::map<std::string, std::string> environment = {}) {
  return config::load(text, [environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

std::string sentence(const std::string& text, std::map<std::string, std::string> environment = {}) {
  const auto settings = load(text, std::move(environment));
  REQUIRE_FALSE(settings);
  CHECK(settings.error().code == core::Code::settings);
  CHECK(settings.error().hint == settings.error().text);
  return settings.error().field + "|" + settings.error().hint;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the least settings give the defaults of the table") {
  const auto s = load(kLeast);
  REQUIRE(s);
  CHECK(s->provider() == config::ProviderKind::sandbox);
  CHECK(s->practice());
  CHECK(s->fax_number() == "+15005550006");
  CHECK(s->public_url() == "https://fax.example.org");
  CHECK(s->provider_url() == "https://127.0.0.1:3299");
  CHECK(s->database_url() == "sqlite:///var/lib/faxline/db/faxline.db");
  CHECK(s->people_database_url() == "sqlite:///var/lib/faxline/people/people.db");
  CHECK(s->integer("MAX_FAX_BYTES") == 52428800);
  CHECK(s->duration("FAX_DEADLINE") == std::chrono::hours(72));
  CHECK(s->flag("RECEIVE_STORE_MEDIA"));
  CHECK(s->signing_keys().size() == 1);
  CHECK(s->signing_keys()[0].reveal() == "secret-token");
  CHECK(s->media_hosts().empty());
}

TEST_CASE("the environment wins over the file, and an empty value counts as not set") {
  const auto s = load(kLeast + "LAN_PORT=8443\nDEFAULT_COUNTRY=DE\n", {{"LAN_PORT", "9443"}, {"DEFAULT_COUNTRY", ""}});
  REQUIRE(s);
  CHECK(s->integer("LAN_PORT") == 9443);
  CHECK(s->text("DEFAULT_COUNTRY") == "US");
}

TEST_CASE("comments, blanks, quotes and the seed's export lines are read") {
  const auto s = load(kLeast + "\n# a comment\n  export INBOUND_AUTH_USER=\"fax line\"\r\nINBOUND_AUTH_PASS='p=a:s@s/'\n");
  REQUIRE(s);
  CHECK(s->text("INBOUND_AUTH_USER") == "fax line");
  CHECK(s->secret("INBOUND_AUTH_PASS").reveal() == "p=a:s@s/");
}

TEST_CASE("what stops the start names the setting and the cure") {
  CHECK(has(sentence(kLeast + "TWILIO_FAXNUMBER=+12125551212\n"), "TWILIO_FAXNUMBER|TWILIO_FAXNUMBER (line 5 of the settings file) is not a setting of Faxline: did you mean TWILIO_FAX_NUMBER?"));
  CHECK(has(sentence(kLeast + "nonsense\n"), "line 5 of the settings file is not of the form KEY=value"));
  CHECK(has(sentence(kLeast + "LAN_PORT=1\nLAN_PORT=2\n"), "LAN_PORT stands twice"));
  CHECK(has(sentence("PUBLIC_HOSTNAME=a\nTWILIO_SID=1\nTWILIO_TOKEN=2\n"), "MAILDIR_ROOT_DIR|MAILDIR_ROOT_DIR is not set"));
  CHECK(has(sentence("MAILDIR_ROOT_DIR=/a\nTWILIO_SID=1\nTWILIO_TOKEN=2\n"), "PUBLIC_HOSTNAME|"));
  CHECK(has(sentence(kLeast + "FAX_PROVIDER=twilio\n"), "TWILIO_FAX_NUMBER|"));
  CHECK(has(sentence(kLeast + "FAX_PROVIDER=telepathy\n"), "must be one of: sandbox twilio signalwire, but is \"telepathy\""));
  CHECK(has(sentence(kLeast + "PROVIDER_URL=https://example.org\n"), "PROVIDER_URL|PROVIDER_URL is set, but FAX_PROVIDER is sandbox"));
  const std::string signalwire = kLeast + "FAX_PROVIDER=signalwire\nTWILIO_FAX_NUMBER=+12125551212\n";
  CHECK(has(sentence(signalwire), "PROVIDER_URL|"));
  CHECK(has(sentence(signalwire + "PROVIDER_URL=https://x.example.org\n"), "WEBHOOK_SIGNING_KEY|"));
  CHECK(load(signalwire + "PROVIDER_URL=https://x.example.org\nWEBHOOK_SIGNING_KEY=k\n"));
  CHECK(has(sentence(kLeast + "INBOUND_AUTH_USER=a:b\nINBOUND_AUTH_PASS=c\n"), "INBOUND_AUTH_USER|INBOUND_AUTH_USER holds a colon"));
  CHECK(has(sentence(kLeast + "INBOUND_AUTH_USER=a\n"), "INBOUND_AUTH_PASS|"));
  CHECK(has(sentence(kLeast + "LAN_PORT=3297\n"), "LAN_PORT and PUBLIC_PORT are both 3297"));
  for (const std::string one : {"LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT"}) CHECK_MESSAGE(has(sentence(kLeast + one + "=4711\nSANDBOX_PORT=4711\n"), one + " and SANDBOX_PORT are both 4711"), one);
  for (const std::string one : {"LAN_PORT", "PUBLIC_PORT", "ACME_PORT"}) CHECK_MESSAGE(has(sentence(kLeast + one + "=995\n"), one + " and POP3_PORT are both 995"), one);
  CHECK_MESSAGE(load(kLeast + "FAX_PROVIDER=twilio\nTWILIO_FAX_NUMBER=+12125551212\nLAN_PORT=3299\n"), "nobody listens for a sandbox that is not used");
}

TEST_CASE("what is shown of a setting holds no password, right or wrong") {
  const auto shown = [](const char* name, std::string_view value) { return config::shown(*config::find(name), value); };
  CHECK(shown("DATABASE_URL", "postgresql://faxline:secret@db.example.org:5432/faxline?sslmode=require") == "postgresql://faxline:…@db.example.org:5432/faxline?sslmode=require");
  CHECK(shown("DATABASE_URL", "postgresql://faxline:se@cret@/faxline") == "postgresql://faxline:…@/faxline");
  CHECK(shown("DATABASE_URL", "postgresql://h/f?user=u&password=secret&sslpassword=other") == "postgresql://h/f?user=u&password=…&sslpassword=…");
  CHECK(shown("DATABASE_URL", "postgresql://faxline@/faxline") == "postgresql://faxline@/faxline");
  CHECK(shown("DATABASE_URL", "sqlite:///var/lib/faxline/db/faxline.db") == "sqlite:///var/lib/faxline/db/faxline.db");
  CHECK(shown("NOTICE_WEBHOOK_URL", "https://hooks.example.org/services/secret") == "https://hooks.example.org/…");
  CHECK(shown("NOTICE_WEBHOOK_URL", "https://hooks.example.org?key=secret") == "https://hooks.example.org/…");
  CHECK(shown("PROVIDER_URL", "https://secret@example.org") == "https://…@example.org");
  CHECK(shown("TWILIO_TOKEN", "secret") == "(set)");
  CHECK(shown("NOTICE_TO", "a@example.org") == "a@example.org");
  for (const auto& [name, value] : {std::pair{"DATABASE_URL", "postgres://faxline:secret@h/f"}, {"PEOPLE_DATABASE_URL", "faxline:secret@h/f"}, {"NOTICE_WEBHOOK_URL", "hooks.example.org/secret"}, {"PROVIDER_URL", "https://u:secret@h"}, {"SMTP_URL", "smtp://u:secret@h"}}) {
    const auto said = sentence(kLeast, {{name, value}});
    CHECK_MESSAGE((has(said, "but is \"") && !has(said, "secret")), said);
  }
}

TEST_CASE("malformed values are refused, each in its own words") {
  CHECK(has(sentence(kLeast, {{"LAN_PORT", "70000"}}), "must be a whole number from 1 to 65535, but is \"70000\""));
  CHECK(has(sentence(kLeast, {{"LAN_PORT", "12x"}}), "whole number"));
  CHECK(has(sentence(kLeast, {{"RECEIVE_STORE_MEDIA", "maybe"}}), "true or false"));
  CHECK(has(sentence(kLeast, {{"FAX_DEADLINE", "soon"}}), "such as 72h"));
  CHECK(has(sentence(kLeast, {{"FAX_DEADLINE", "72"}}), "such as 72h"));
  CHECK(has(sentence(kLeast, {{"PROVIDER_CA_FILE", "/nowhere/ca.pem"}}), "which is not there"));
  CHECK(has(sentence(kLeast, {{"STATE_DIR", "state"}}), "absolute path"));
  CHECK(has(sentence(kLeast, {{"PUBLIC_HOSTNAME", "https://x"}}), "host name alone"));
  CHECK(has(sentence(kLeast, {{"PUBLIC_URL", "https://x/path"}}), "scheme, host and port alone"));
  CHECK(has(sentence(kLeast, {{"PUBLIC_URL", "https://u:p@x"}}), "must not hold a user name"));
  CHECK(has(sentence(kLeast, {{"PUBLIC_URL", "http://fax.example.org"}}), "must begin with https://"));
  CHECK(has(sentence(kLeast, {{"PUBLIC_URL", "ftp://x"}}), "must begin with https://"));
  CHECK(has(sentence(kLeast, {{"TWILIO_FAX_NUMBER", "2125551212"}}), "E.164"));
  CHECK(has(sentence(kLeast, {{"BLOCKED_SENDERS", "+12125551212,2125551213"}}), "E.164"));
  CHECK(has(sentence(kLeast, {{"SANDBOX_DIALECT", "telnyx"}}), "twilio signalwire"));
  CHECK(has(sentence(kLeast, {{"FAX_TTL_MINUTES", "4"}}), "5 to 300"));
  CHECK(has(sentence(kLeast, {{"SIP_HOSTS", "sip.example.org"}, {"SIP_AUTH_USER", "us"}}), "SIP_AUTH_PASS is not set"));
  CHECK(has(sentence(kLeast, {{"SIP_AUTH_USER", "us"}, {"SIP_AUTH_PASS", "word"}}), "SIP_HOSTS"));
  CHECK(has(sentence(kLeast, {{"MEDIA_HOSTS", "a.example.org,b c"}}), "host:port"));
  for (const auto* country : {"usa", "XX", "us", "U", "D ", " D", "AA", "DA"}) CHECK_MESSAGE(has(sentence(kLeast, {{"DEFAULT_COUNTRY", country}}), "two capital letters"), country);
  CHECK(load(kLeast, {{"DEFAULT_COUNTRY", "ZW"}})->text("DEFAULT_COUNTRY") == "ZW");
  for (const auto* url : {"mysql://x", "sqlite:///", "sqlite://x", "postgresql://"}) CHECK(has(sentence(kLeast, {{"DATABASE_URL", url}}), "sqlite:///"));
  CHECK(load(kLeast, {{"PUBLIC_URL", "http://127.0.0.1:8080"}}));
  CHECK(load(kLeast, {{"PUBLIC_URL", "https://[::1]:8443"}}));
  CHECK(load(kLeast, {{"BLOCKED_SENDERS", "+12125551212, +12125551213"}})->blocked_senders() == std::vector<std::string>{"+12125551212", "+12125551213"});
  CHECK(load(kLeast, {})->dialect() == "twilio");
  CHECK(load(kLeast, {{"SANDBOX_DIALECT", "signalwire"}})->dialect() == "signalwire");
  CHECK(load(kLeast, {{"MEDIA_HOSTS", "a.example.org, b.example.org:8443"}})->media_hosts() == std::vector<std::string>{"a.example.org", "b.example.org:8443"});
}

TEST_CASE("a secret is never part of a sentence") {
  const auto text = sentence(kLeast + "TWILIO_FAX_NUMBER=1\n", {{"TWILIO_TOKEN", "tell\tnobody"}});
  CHECK_FALSE(has(text, "nobody"));
  CHECK(has(text, "TWILIO_TOKEN holds a control character"));
}

TEST_CASE("every default of the table is fit for its own row") {
  for (const auto& row : config::table()) {
    CAPTURE(row.name);
    if (!row.fallback.empty()) CHECK(load(kLeast, {{std::string(row.name), std::string(row.fallback)}}));
    CHECK_FALSE(row.meaning.empty());
  }
}

TEST_CASE("what is allowed, and may surprise, is said") {
  const auto about = [](std::map<std::string, std::string> environment) {
    std::string names;
    for (const auto& warning : config::warnings(load(kLeast, std::move(environment)).value())) names += std::string(warning.setting) + " ";
    return names;
  };
  const std::map<std::string, std::string> signalwire{{"SANDBOX_DIALECT", "signalwire"}, {"INBOUND_AUTH_USER", "us"}, {"INBOUND_AUTH_PASS", "word"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    auto settings = signalwire;
    settings[name] = value;
    return settings;
  };
  CHECK(about({}) == "");
  CHECK(about({{"RECEIVE_STORE_MEDIA", "false"}}) == "RECEIVE_STORE_MEDIA ");
  CHECK(about({{"RECEIVE_STORE_MEDIA", "false"}, {"SANDBOX_DIALECT", "signalwire"}}) == "");  // there it has no effect
  CHECK(about(signalwire) == "INBOUND_AUTH_MEDIA ");
  CHECK(about(with("INBOUND_AUTH_MEDIA", "false")) == "");
  CHECK(about(with("SANDBOX_DIALECT", "twilio")) == "");
  CHECK(about({{"SANDBOX_DIALECT", "signalwire"}}) == "");
}

TEST_CASE("notices: what goes together, and where the page is") {
  const std::string mail = "SMTP_URL=smtps://mail.example.org\nNOTICE_FROM=fax@example.org\nNOTICE_TO=anna@example.org, bob@example.org\n";
  const auto s = load(kLeast + mail + "NOTICE_WEBHOOK_URL=https://example.org/a/b?c=d\nNOTICE_WEBHOOK_KEY=k\nLAN_PORT=8443\n");
  REQUIRE(s);
  CHECK(s->notice_recipients() == std::vector<std::string>{"anna@example.org", "bob@example.org"});
  CHECK(s->text("NOTICE_CONTENT") == "link");
  CHECK(s->lan_url() == "https://fax.example.org:8443");
  CHECK(load(kLeast)->lan_url() == "https://fax.example.org");
  CHECK(load(kLeast + "LAN_URL=https://fax.lan\n")->lan_url() == "https://fax.lan");
  CHECK(has(sentence(kLeast + "SMTP_URL=smtp://mail.example.org\n"), "NOTICE_FROM|SMTP_URL is set, but NOTICE_FROM is not"));
  CHECK(has(sentence(kLeast + "NOTICE_TO=anna@example.org\n"), "SMTP_URL|NOTICE_TO is set, but SMTP_URL is not"));
  CHECK(has(sentence(kLeast + mail + "SMTP_USER=post\n"), "SMTP_PASS|SMTP_USER and SMTP_PASS go together"));
  CHECK(has(sentence(kLeast + mail, {{"NOTICE_FROM", "a@example.org,b@example.org"}}), "more than one address"));
  CHECK(has(sentence(kLeast + "NOTICE_WEBHOOK_KEY=k\n"), "NOTICE_WEBHOOK_URL|"));
  CHECK(has(sentence(kLeast + "NOTICE_CA_FILE=/not/there\n"), "which is not there"));
  for (const std::string bad : {"mail.example.org", "smtp://user@mail.example.org", "smtp://mail.example.org/x", "smtp://"}) CHECK(has(sentence(kLeast + "SMTP_URL=" + bad + "\n"), "SMTP_URL must "));
  for (const std::string bad : {"anna", "anna@", "@example.org", "anna <a@example.org>", "a@b@c"}) CHECK(has(sentence(kLeast + "NOTICE_TO=" + bad + "\n"), "NOTICE_TO must be mail addresses"));
  for (const std::string bad : {"http://example.org/x", "example.org", "https://u:p@example.org/", "https://example.org/#x"}) CHECK(has(sentence(kLeast + "NOTICE_WEBHOOK_URL=" + bad + "\n"), "NOTICE_WEBHOOK_URL must "));
  CHECK(load(kLeast + "NOTICE_WEBHOOK_URL=http://127.0.0.1:8080/x\nNOTICE_WEBHOOK_KEY=k\n"));
}
