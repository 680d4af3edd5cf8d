#include "config/share.h"

#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <regex>
#include <sys/wait.h>
#include <unistd.h>

#include "config/table.h"

namespace {

const std::string kLeast = "MAILDIR_ROOT_DIR=/mail\nPUBLIC_HOSTNAME=fax.example.org\nTWILIO_SID=AC1\nTWILIO_TOKEN=secret-token\n";
const std::string kAll = kLeast + "FAX_PROVIDER=signalwire\nPROVIDER_URL=https://x.example.org\nTWILIO_FAX_NUMBER=+12125551212\nWEBHOOK_SIGNING_KEY='signing key'\nINBOUND_AUTH_USER=us\nINBOUND_AUTH_PASS=\"a\"b\"\n"
                                  "SMTP_URL=smtps://mail.example.org\nSMTP_USER=u\nSMTP_PASS=p\nNOTICE_FROM=a@example.org\nNOTICE_TO=b@example.org\nDATABASE_URL=postgresql://f:one@/f\nPEOPLE_DATABASE_URL=postgresql://p:two@/p\n";

std::optional<std::string> nothing(const std::string&) { return std::nullopt; }

std::map<std::string_view, config::Settings> shared() {
  const auto settings = config::load(kAll, nothing).value();
  std::map<std::string_view, config::Settings> found;
  for (const auto program : config::programs()) {
    auto own = config::load(config::text_for(settings, program), nothing);
    REQUIRE_MESSAGE(own, program << ": " << own.error().text);
    found.emplace(program, std::move(*own));
  }
  return found;
}

// Whether asking for it ends the process.
bool is_closed(const config::Settings& settings, std::string_view name) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    if (config::find(name)->type == config::Type::secret) (void)settings.secret(name);
    else (void)settings.text(name);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("each program gets its own secrets and no others") {
  const auto programs = shared();
  CHECK(programs.size() == 9);
  CHECK(programs.at("inbound").signing_keys()[0].reveal() == "signing key");
  CHECK(programs.at("media").secret("INBOUND_AUTH_PASS").reveal() == "a\"b");
  CHECK(programs.at("faxline-queue").secret("TWILIO_TOKEN").reveal() == "secret-token");
  CHECK(programs.at("session").people_database_url() == "postgresql://p:two@/p");
  CHECK(programs.at("send").database_url() == "postgresql://f:one@/f");
  for (const auto& [program, settings] : programs) {
    CAPTURE(program);
    CHECK(is_closed(settings, "TWILIO_TOKEN") == (program != "inbound" && program != "sandbox" && program != "faxline-queue"));
    CHECK(is_closed(settings, "PEOPLE_DATABASE_URL") == (program != "session"));
    CHECK(is_closed(settings, "SMTP_PASS") == (program != "faxline-queue"));
    CHECK(settings.text("SMTP_USER") == "u");
  }
}

TEST_CASE("a text for nobody we know holds no secret at all") {
  const auto text = config::text_for(config::load(kAll, nothing).value(), "stranger");
  for (const auto* secret : {"secret-token", "signing key", "a\"b", "one@", "two@", "\"p\""}) CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("ports that are apart are so for each program") {
  CHECK(config::load(config::text_for(config::load(kLeast + "LAN_PORT=995\nPOP3_PORT=9995\n", nothing).value(), "send"), nothing));
}

TEST_CASE("of some settings a program gets another value") {
  const auto text = config::text_for(config::load(kLeast, nothing).value(), "send", {{"STATE_DIR", "/elsewhere"}});
  CHECK(config::load(text, nothing)->text("STATE_DIR") == "/elsewhere");
}

TEST_CASE("the file that a line begins with starts a practice line, and explains every setting") {
  const auto text = config::example("AC0123", "0123", "faxbox");
  const auto settings = config::load(text, nothing);
  REQUIRE(settings);
  CHECK(settings->practice());
  CHECK(settings->text("PUBLIC_HOSTNAME") == "faxbox");
  CHECK(settings->secret("TWILIO_TOKEN").reveal() == "0123");
  // With every comment taken away, too, but for settings that have no default.
  CHECK(config::load(std::regex_replace(text, std::regex("(^|\n)#([A-Z][A-Z0-9_]*=[^\n]+)"), "$1$2"), nothing));
  for (const auto& row : config::table()) {
    CAPTURE(row.name);
    const bool is_of_make_run = row.name == "RUN_USER" || row.name == "RUN_PASSWORD" || row.name == "POP3_PORT";
    CHECK(std::regex_search(text, std::regex("# [^\n]+\\.\n#?" + std::string(row.name) + "=")) == !(is_of_make_run || row.name == "TWILIO_TOKEN"));
  }
}

TEST_CASE("all that is wrong is told, in the order in which one would put it right") {
  const auto found = config::examine("FAX_PROVIDER=twilio\nINBOUND_AUTH_USER=a\nSIP_AUTH_USER=b\n", nothing);
  std::vector<std::string> fields;
  for (const auto& problem : found.problems) fields.push_back(problem.field);
  CHECK(fields == std::vector<std::string>{"MAILDIR_ROOT_DIR", "PUBLIC_HOSTNAME", "TWILIO_SID", "TWILIO_TOKEN", "TWILIO_FAX_NUMBER", "INBOUND_AUTH_PASS", "SIP_AUTH_PASS", "SIP_HOSTS"});
  CHECK(config::examine("nonsense\nLAN_PORTS=1\nLAN_PORT=x\n", nothing).problems.size() == 3);
  CHECK(config::examine(kLeast, nothing).problems.empty());
}

TEST_CASE("page and provider's routes may share a port at addresses of their own") {
  const std::string same = kLeast + "LAN_PORT=443\nPUBLIC_PORT=443\n";
  CHECK(config::load(same + "LAN_LISTEN=192.0.2.1\nPUBLIC_LISTEN=198.51.100.1\n", nothing));
  for (const auto* listens : {"", "LAN_LISTEN=192.0.2.1\n", "LAN_LISTEN=192.0.2.1\nPUBLIC_LISTEN=192.0.2.1\n"}) CHECK_FALSE(config::load(same + listens, nothing));
  CHECK_FALSE(config::load(kLeast + "LAN_LISTEN=192.0.2.1\nPUBLIC_LISTEN=198.51.100.1\nACME_PORT=443\nPUBLIC_PORT=443\n", nothing));
}

TEST_CASE("a practice line trusts what was made for it") {
  char name[] = "/tmp/share-test-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  const auto text = kLeast + "SOCKET_DIR=" + folder + "\n";
  CHECK(config::load(text, nothing)->provider_ca_file().empty());
  std::ofstream(folder + "/practice-ca.pem") << "certificates";
  CHECK(config::load(text, nothing)->provider_ca_file() == folder + "/practice-ca.pem");
  CHECK(config::load(text + "FAX_PROVIDER=twilio\nTWILIO_FAX_NUMBER=+12125551212\n", nothing)->provider_ca_file().empty());
  CHECK(config::load(text + "PROVIDER_CA_FILE=/dev/null\n", nothing)->provider_ca_file() == "/dev/null");
  ::unlink((folder + "/practice-ca.pem").c_str());
  ::rmdir(folder.c_str());
}
