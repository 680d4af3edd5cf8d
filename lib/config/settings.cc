#include "config/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

#include "config/check.h"
#include "config/share.h"
#include "config/table.h"
#include "core/fd.h"

namespace config {

namespace {

constexpr std::string_view kFileByDefault = "/etc/faxline/faxline.conf";
constexpr std::size_t kFileLimitBytes = 256 * 1024;
constexpr std::string_view kSandboxNumber = "+15005550006";

core::Error refuse(std::string_view name, const std::string& sentence) {
  return core::Error{core::Code::settings, sentence, sentence, std::string(name)};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1)});
      corner = above;
    }
  }
  return row.back();
}

// The setting that was probably meant, for the sentence about an unknown one.
std::string suggestion(std::string_view name) {
  std::string_view best;
  std::size_t least = 4;
  for (const auto& row : table())
    if (const auto d = distance(name, row.name); d < least) least = d, best = row.name;
  return best.empty() ? "see the table of settings in README.md" : "did you mean " + std::string(best) + "?";
}

using Values = std::map<std::string, std::string, std::less<>>;

using Problems = std::vector<core::Error>;

Values read_lines(std::string_view text, Problems& problems) {
  Values values;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.substr(0, 7) == "export ") line = trimmed(line.substr(7));
    const auto equals = line.find('=');
    const std::string where = "line " + std::to_string(number) + " of the settings file";
    if (equals == std::string_view::npos || equals == 0) {
      problems.push_back(refuse("", where + " is not of the form KEY=value: write it so, or put # in front of it."));
      continue;
    }
    const std::string name(trimmed(line.substr(0, equals)));
    auto value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) value = value.substr(1, value.size() - 2);
    if (find(name) == nullptr) problems.push_back(refuse(name, name + " (" + where + ") is not a setting of Faxline: " + suggestion(name)));
    else if (!values.emplace(name, value).second) problems.push_back(refuse(name, name + " stands twice in the settings file: take one of the two lines away."));
  }
  return values;
}

// Adds a problem where `wrong`.
class Checks {
 public:
  Checks(const Settings& settings, Problems& problems) : settings_(settings), problems_(problems) {}
  void refuse_if(bool wrong, std::string_view name, const std::string& sentence) {
    if (wrong) problems_.push_back(refuse(name, sentence));
  }
  void need(std::string_view name, const std::string& why) { refuse_if(!settings_.is_set(name), name, std::string(name) + " is not set: " + why); }
  void both_or_neither(const std::string& one, const std::string& other) {
    if (settings_.is_set(one) == settings_.is_set(other)) return;
    const auto& missing = settings_.is_set(one) ? other : one;
    refuse_if(true, missing, one + " and " + other + " go together, but " + missing + " is not set: set both or neither.");
  }
  void exists(const std::string& name) {
    const auto& path = settings_.text(name);
    refuse_if(!path.empty() && ::access(path.c_str(), F_OK) != 0, name, name + " names " + path + ", which is not there: give the file with the certificates, or take the setting away to use the system's.");
  }

 private:
  const Settings& settings_;
  Problems& problems_;
};

void check_notices(const Settings& s, Checks& checks) {
  for (const std::string name : {"NOTICE_FROM", "NOTICE_TO"})
    checks.refuse_if(s.is_set("SMTP_URL") && !s.is_set(name), name, "SMTP_URL is set, but " + name + " is not: give the mail address " + (name == "NOTICE_TO" ? "that notices go to." : "that notices come from."));
  for (const std::string name : {"SMTP_USER", "NOTICE_TO"})
    checks.refuse_if(s.is_set(name) && !s.is_set("SMTP_URL"), "SMTP_URL", name + " is set, but SMTP_URL is not: name the mail server, such as smtps://mail.example.org, or take " + name + " away.");
  checks.refuse_if(s.text("NOTICE_FROM").find(',') != std::string::npos, "NOTICE_FROM", "NOTICE_FROM holds more than one address: mails have one sender.");
  checks.both_or_neither("NOTICE_WEBHOOK_URL", "NOTICE_WEBHOOK_KEY");
  checks.exists("NOTICE_CA_FILE");
}

void check_ports(const Settings& s, Checks& checks) {
  std::vector<std::string> ports{"LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT"};
  if (s.practice()) ports.emplace_back("SANDBOX_PORT");
  // At addresses of their own, page and provider's routes may have the same one.
  const auto &lan = s.text("LAN_LISTEN"), &outside = s.text("PUBLIC_LISTEN");
  const bool apart = !lan.empty() && !outside.empty() && lan != outside;
  for (std::size_t i = 0; i < ports.size(); ++i)
    for (std::size_t j = i + 1; j < ports.size(); ++j)
      checks.refuse_if(s.integer(ports[i]) == s.integer(ports[j]) && !(i == 0 && apart), ports[j],
                       std::string(ports[i]) + " and " + ports[j] + " are both " + std::to_string(s.integer(ports[j])) + ": give each a port of its own.");
}

void check_provider(const Settings& s, Checks& checks) {
  checks.need("TWILIO_SID", "give the account's SID at the provider (SignalWire: the project id; sandbox: any letters and digits).");
  checks.need("TWILIO_TOKEN", "give the account's secret token at the provider (sandbox: a long random word).");
  if (!s.practice()) checks.need("TWILIO_FAX_NUMBER", "give your fax number in the E.164 form, such as +12125551212.");
  checks.refuse_if(s.practice() && s.is_set("PROVIDER_URL"), "PROVIDER_URL", "PROVIDER_URL is set, but FAX_PROVIDER is sandbox, which has its own address: set FAX_PROVIDER to twilio or signalwire, or take PROVIDER_URL away.");
  if (s.provider() == ProviderKind::signalwire) {
    checks.need("PROVIDER_URL", "SignalWire needs your space's address, such as https://example.signalwire.com.");
    checks.need("WEBHOOK_SIGNING_KEY", "SignalWire signs with a key of its own: copy the Signing Key from its dashboard.");
  }
  checks.exists("PROVIDER_CA_FILE");
}

// In the order in which one would put it right.
void check_together(const Settings& s, Problems& problems) {
  Checks checks(s, problems);
  checks.need("MAILDIR_ROOT_DIR", "give the folder of the Maildir that received faxes go to, such as /home/myfaxuser/Maildir. `sudo faxline mailbox add myfaxuser` makes one, and sets it.");
  if (!s.is_set("PUBLIC_URL")) checks.need("PUBLIC_HOSTNAME", "give the name under which the provider reaches this machine, such as fax.example.org.");
  check_provider(s, checks);
  checks.refuse_if(s.text("INBOUND_AUTH_USER").find(':') != std::string::npos, "INBOUND_AUTH_USER", "INBOUND_AUTH_USER holds a colon, which HTTP's Basic authentication cannot carry: choose a name without one.");
  for (const std::string family : {"INBOUND_AUTH_", "SIP_AUTH_", "SMTP_"}) checks.both_or_neither(family + "USER", family + "PASS");
  check_notices(s, checks);
  checks.refuse_if(s.is_set("SIP_AUTH_USER") && !s.is_set("SIP_HOSTS"), "SIP_HOSTS", "SIP_AUTH_USER is set, but SIP_HOSTS is not: name the hosts that these credentials are for, or take them away.");
  check_ports(s, checks);
}

}  // namespace

const std::string& Settings::text_of(std::string_view name) const {
  if (find(name) == nullptr) std::abort();
  static const std::string none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

const std::string& Settings::text(std::string_view name) const {
  if (const auto* row = find(name); row == nullptr || row->type == Type::secret) std::abort();
  return given(name);
}

const std::string& Settings::given(std::string_view name) const {
  const auto& value = text_of(name);
  if (value == kWithheld) std::abort();
  return value;
}

core::SecretString Settings::secret(std::string_view name) const { return core::SecretString(given(name)); }
bool Settings::flag(std::string_view name) const { return read_flag(text_of(name)).value(); }
std::int64_t Settings::integer(std::string_view name) const { return read_integer(text_of(name)).value(); }
std::chrono::seconds Settings::duration(std::string_view name) const { return read_duration(text_of(name)).value(); }

ProviderKind Settings::provider() const {
  const auto& word = text("FAX_PROVIDER");
  return word == "twilio" ? ProviderKind::twilio : word == "signalwire" ? ProviderKind::signalwire : ProviderKind::sandbox;
}

std::string_view Settings::dialect() const {
  if (practice()) return text("SANDBOX_DIALECT");
  return provider() == ProviderKind::signalwire ? "signalwire" : "twilio";
}

std::string Settings::public_url() const { return is_set("PUBLIC_URL") ? text("PUBLIC_URL") : "https://" + text("PUBLIC_HOSTNAME"); }

std::string Settings::provider_url() const {
  if (is_set("PROVIDER_URL")) return text("PROVIDER_URL");
  return practice() ? "https://127.0.0.1:" + std::to_string(integer("SANDBOX_PORT")) : "https://fax.twilio.com";
}

std::string Settings::provider_ca_file() const {
  if (is_set("PROVIDER_CA_FILE") || !practice()) return text("PROVIDER_CA_FILE");
  auto made = socket(kPracticeAuthorities);
  return ::access(made.c_str(), F_OK) == 0 ? made : std::string();
}

std::string Settings::fax_number() const { return is_set("TWILIO_FAX_NUMBER") ? text("TWILIO_FAX_NUMBER") : std::string(kSandboxNumber); }
std::string Settings::state_folder(std::string_view name) const { return text("STATE_DIR") + "/" + std::string(name); }
std::string Settings::socket(std::string_view name) const { return text("SOCKET_DIR") + "/" + std::string(name); }
std::string Settings::database_url() const { return is_set("DATABASE_URL") ? text("DATABASE_URL") : "sqlite://" + state_folder("db/faxline.db"); }

std::string Settings::people_database_url() const {
  return is_set("PEOPLE_DATABASE_URL") ? text("PEOPLE_DATABASE_URL") : "sqlite://" + state_folder("people/people.db");
}

std::vector<std::string> Settings::media_hosts() const { return read_list(text("MEDIA_HOSTS")); }
std::vector<std::string> Settings::sip_hosts() const { return read_list(text("SIP_HOSTS")); }
std::optional<std::int64_t> Settings::receive_reserve() const { return is_set("RECEIVE_RESERVE_BYTES") ? std::optional(integer("RECEIVE_RESERVE_BYTES")) : std::nullopt; }
std::vector<std::string> Settings::blocked_senders() const { return read_list(text("BLOCKED_SENDERS")); }

std::vector<std::string> Settings::notice_recipients() const { return read_list(text("NOTICE_TO")); }

std::string Settings::lan_url() const {
  if (is_set("LAN_URL")) return text("LAN_URL");
  const auto port = integer("LAN_PORT");
  return "https://" + (is_set("PUBLIC_HOSTNAME") ? text("PUBLIC_HOSTNAME") : "localhost") + (port == 443 ? "" : ":" + std::to_string(port));
}

std::vector<std::pair<std::string, std::string>> Settings::listeners() const {
  const auto at = [&](std::string_view listen, std::string_view port) {
    const auto addresses = read_list(listen.empty() ? std::string() : text(listen));
    auto host = addresses.empty() || addresses[0] == "0.0.0.0" || addresses[0] == "localhost" ? std::string("127.0.0.1") : addresses[0];
    if (host == "::" || host == "[::]") host = "::1";
    if (host.find(':') != std::string::npos && host[0] != '[') host = "[" + host + "]";
    return host + ":" + std::to_string(integer(port));
  };
  return {{"lan", at("LAN_LISTEN", "LAN_PORT")}, {"public", at("PUBLIC_LISTEN", "PUBLIC_PORT")}, {"pop3", at("", "POP3_PORT")}};
}

std::vector<core::SecretString> Settings::signing_keys() const {
  std::vector<core::SecretString> keys;
  keys.push_back(secret(is_set("WEBHOOK_SIGNING_KEY") ? "WEBHOOK_SIGNING_KEY" : "TWILIO_TOKEN"));
  if (is_set("WEBHOOK_SIGNING_KEY_OLD")) keys.push_back(secret("WEBHOOK_SIGNING_KEY_OLD"));
  return keys;
}

std::vector<Warning> warnings(const Settings& settings) {
  std::vector<Warning> warnings;
  const bool signalwire = settings.dialect() == "signalwire";
  if (!settings.flag("RECEIVE_STORE_MEDIA") && !signalwire) warnings.push_back({"RECEIVE_STORE_MEDIA", "With RECEIVE_STORE_MEDIA=false a fax that comes while this line is down is gone."});
  if (signalwire && settings.is_set("INBOUND_AUTH_USER") && settings.flag("INBOUND_AUTH_MEDIA"))
    warnings.push_back({"INBOUND_AUTH_MEDIA", "It is unconfirmed whether SignalWire fetches documents from an address with user and password in it: if they are not fetched, set INBOUND_AUTH_MEDIA=false."});
  return warnings;
}

Examined examine(std::string_view file_text, const Environment& environment) {
  Examined found;
  auto values = read_lines(file_text, found.problems);
  for (const auto& row : table()) {
    const std::string name(row.name);
    if (auto given = environment(name)) values[name] = *given;
    auto& value = values[name];
    if (value.empty()) value = row.fallback;
    if (value.empty() || (value == kWithheld && !row.programs.empty())) continue;
    if (const auto wrong = complaint(row, value)) {
      found.problems.push_back(refuse(name, name + " " + *wrong + (row.type == Type::secret ? "." : ", but is \"" + shown(row, value) + "\".")));
      value = row.fallback;
    }
  }
  found.settings.values_ = std::move(values);
  if (found.problems.empty()) check_together(found.settings, found.problems);
  return found;
}

Examined examine() {
  const char* given = std::getenv("FAXLINE_CONF");
  const std::string path = given != nullptr && *given != '\0' ? given : std::string(kFileByDefault);
  auto text = core::read_file(path, kFileLimitBytes);
  if (!text) {
    if (text.error().code == core::Code::not_found && path == kFileByDefault) text = std::string();
    else return {{}, {refuse("FAXLINE_CONF", "the settings file " + path + " cannot be read (" + text.error().text + "): " +
                                                 (path == kFileByDefault ? "it is root's, so put sudo in front of the command." : "make it readable, or name another in FAXLINE_CONF."))}};
  }
  return examine(*text, [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

namespace {

core::Result<Settings> or_first_problem(Examined found) {
  if (!found.problems.empty()) return std::move(found.problems.front());
  return std::move(found.settings);
}

}  // namespace

core::Result<Settings> load(std::string_view file_text, const Environment& environment) { return or_first_problem(examine(file_text, environment)); }
core::Result<Settings> load() { return or_first_problem(examine()); }

}  // namespace config
