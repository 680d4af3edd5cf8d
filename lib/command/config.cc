// What the settings are: `faxline config …`.
#include <array>
#include <cstdlib>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "config/check.h"
#include "config/share.h"
#include "config/table.h"
#include "core/fd.h"
#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "store/people.h"

namespace command {

namespace {

constexpr int kWrongSettings = 78;
constexpr const char* kServed = "/etc/faxline/tls/current/fullchain.pem";
constexpr std::size_t kAuthoritiesBytes = std::size_t{8} << 20;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

// What an installed line still wants when its settings are right, in the order in which one would do it. As root;
// afterwards this process is another account.
void say_what_is_left(const config::Settings& settings) {
  const auto& maildir = settings.text("MAILDIR_ROOT_DIR");
  const auto served = core::read_file(kServed, kAuthoritiesBytes);
  const auto certificate = served ? crypto::read_certificate(*served, "") : core::Result<crypto::Certificate>(served.error());
  const bool is_stand_in = certificate && certificate->self_signed;
  const bool has_mailbox = ::access((maildir + "/new").c_str(), F_OK) == 0;
  const auto users = [&]() -> core::Result<std::size_t> {
    CORE_CHECK(become_owner_of(settings.state_folder("people")));
    CORE_TRY(database, sql::Database::open(settings.people_database_url(), {.mode = 0600}));
    CORE_TRY(people, store::People::open(database));
    CORE_TRY(list, people.list());
    return list.size();
  };
  if (settings.text("PUBLIC_HOSTNAME") == host_name() && !settings.is_set("PUBLIC_URL"))
    say("Still to do: PUBLIC_HOSTNAME is this machine's own name. Give the one under which the provider reaches it, such as fax.example.org.");
  if (is_stand_in) say("Still to do: the certificate is one that this machine made for itself, which a provider refuses. `sudo faxline certificate get` fetches one.");
  if (const auto count = users(); count && *count == 0) say("Still to do: nobody can log in to the page yet. `sudo faxline user add NAME --admin` makes the first user.");
  if (!has_mailbox) say("Still to do: there is no mailbox at " + maildir + ". `sudo faxline mailbox add NAME` makes one; until then received faxes wait.");
  if (settings.practice()) say("Still to do, when you have practised: a provider for real faxes, FAX_PROVIDER. README.md says how to get a number.");
}

}  // namespace

core::Result<int> config_check(const Words&) {
  const auto found = config::examine();
  if (!found.problems.empty()) {
    say("The settings are not right yet. In this order:");
    std::size_t number = 0;
    for (const auto& problem : found.problems) say("  " + std::to_string(++number) + ". " + problem.hint);
    return kWrongSettings;
  }
  const auto& settings = found.settings;
  if (settings.practice()) say("PRACTICE LINE: the provider is the built-in sandbox; nothing leaves this machine.");
  for (const auto& row : config::table()) {
    const auto name = std::string(row.name);
    if (!settings.is_set(row.name)) continue;
    print(name + "=" + (row.type == config::Type::secret ? std::string("(set)") : config::shown(row, settings.text(row.name))));
  }
  say("The settings are right.");
  for (const auto& warning : config::warnings(settings)) say("Mind: " + std::string(warning.sentence));
  if (::geteuid() == 0 && std::getenv("FAXLINE_CONF") == nullptr) say_what_is_left(settings);
  return 0;
}

core::Result<int> config_example(const Words&) {
  print(config::example("AC" + crypto::hex(crypto::random_bytes(16)), crypto::hex(crypto::random_bytes(16)), host_name()));
  return 0;
}

core::Result<int> config_share(const config::Settings& settings, const Words& words) {
  const auto& folder = words.words[0];
  ::umask(0022);
  std::map<std::string, std::string, std::less<>> instead;
  // Files of certificates may be where no program sees them: each gets a copy beside the sockets.
  for (const auto& [name, base] : {std::pair{"PROVIDER_CA_FILE", "provider-ca.pem"}, std::pair{"NOTICE_CA_FILE", "notice-ca.pem"}}) {
    if (!settings.is_set(name)) continue;
    CORE_TRY(certificates, core::read_file(settings.text(name), kAuthoritiesBytes));
    instead[name] = settings.socket(base);
    CORE_CHECK(core::replace_file(instead[name], certificates, 0644));
  }
  for (const auto program : config::programs()) {
    const auto path = folder + "/" + std::string(program) + ".conf";
    if (program == "sandbox" && !settings.practice()) (void)::unlink(path.c_str());
    else CORE_CHECK(core::replace_file(path, config::text_for(settings, program, instead), 0600));
  }
  return 0;
}

}  // namespace command
