#include "config/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

#include "config/check.h"
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

core::Result<Values> read_lines(std::string_view text) {
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
    if (equals == std::string_view::npos || equals == 0) return refuse("", where + " is not of the form KEY=value: write it so, or put # in front of it.");
    const std::string name(trimmed(line.substr(0, equals)));
    auto value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) value = value.substr(1, value.size() - 2);
    if (find(name) == nullptr) return refuse(name, name + " (" + where + ") is not a setting of Faxline: " + suggestion(name));
    if (!values.emplace(name, value).second) return refuse(name, name + " stands twice in the settings file: take one of the two lines away.");
  }
  return values;
}

core::Result<void> check_notices(const Settings& s) {
  for (const std::string name : {"NOTICE_FROM", "NOTICE_TO"})
    if (s.is_set("SMTP_URL") && !s.is_set(name)) return refuse(name, "SMTP_URL is set, but " + name + " is not: give the mail address " + (name == "NOTICE_TO" ? "that notices go to." : "that notices come from."));
  for (const std::string name : {"SMTP_USER", "NOTICE_TO"})
    if (s.is_set(name) && !s.is_set("SMTP_URL")) return refuse("SMTP_URL", name + " is set, but SMTP_URL is not: name the mail server, such as smtps://mail.example.org, or take " + name + " away.");
  if (s.text("NOTICE_FROM").find(',') != std::string::npos) return refuse("NOTICE_FROM", "NOTICE_FROM holds more than one address: mails have one sender.");
  if (s.is_set("NOTICE_WEBHOOK_URL") != s.is_set("NOTICE_WEBHOOK_KEY")) {
    const std::string missing = s.is_set("NOTICE_WEBHOOK_URL") ? "NOTICE_WEBHOOK_KEY" : "NOTICE_WEBHOOK_URL";
    return refuse(missing, "NOTICE_WEBHOOK_URL and NOTICE_WEBHOOK_KEY go together, but " + missing + " is not set: set both or neither.");
  }
  if (s.is_set("NOTICE_CA_FILE") && ::access(s.text("NOTICE_CA_FILE").c_str(), F_OK) != 0)
    return refuse("NOTICE_CA_FILE", "NOTICE_CA_FILE names " + s.text("NOTICE_CA_FILE") + ", which is not there: give the file with the certificates, or take the setting away to use the system's.");
  return {};
}

core::Result<void> check_together(const Settings& s) {
  const auto need = [&](std::string_view name, std::string_view why) -> core::Result<void> {
    if (s.is_set(name)) return {};
    return refuse(name, std::string(name) + " is not set: " + std::string(why));
  };
  CORE_CHECK(need("MAILDIR_ROOT_DIR", "give the folder of the Maildir that received faxes go to, such as /home/myfaxuser/Maildir."));
  if (!s.is_set("PUBLIC_URL")) CORE_CHECK(need("PUBLIC_HOSTNAME", "give the name under which the provider reaches this machine, such as fax.example.org."));
  CORE_CHECK(need("TWILIO_SID", "give the account's SID at the provider (SignalWire: the project id; sandbox: any letters and digits)."));
  CORE_CHECK(need("TWILIO_TOKEN", "give the account's secret token at the provider (sandbox: a long random word)."));
  if (s.provider() != ProviderKind::sandbox)
    CORE_CHECK(need("TWILIO_FAX_NUMBER", "give your fax number in the E.164 form, such as +12125551212."));
  if (s.provider() == ProviderKind::sandbox && s.is_set("PROVIDER_URL"))
    return refuse("PROVIDER_URL", "PROVIDER_URL is set, but FAX_PROVIDER is sandbox, which has its own address: set FAX_PROVIDER to twilio or signalwire, or take PROVIDER_URL away.");
  if (s.provider() == ProviderKind::signalwire) {
    CORE_CHECK(need("PROVIDER_URL", "SignalWire needs your space's address, such as https://example.signalwire.com."));
    CORE_CHECK(need("WEBHOOK_SIGNING_KEY", "SignalWire signs with a key of its own: copy the Signing Key from its dashboard."));
  }
  if (s.text("INBOUND_AUTH_USER").find(':') != std::string::npos)
    return refuse("INBOUND_AUTH_USER", "INBOUND_AUTH_USER holds a colon, which HTTP's Basic authentication cannot carry: choose a name without one.");
  for (const std::string family : {"INBOUND_AUTH_", "SIP_AUTH_", "SMTP_"}) {
    const std::string user = family + "USER", password = family + "PASS";
    if (s.is_set(user) == s.is_set(password)) continue;
    const std::string& missing = s.is_set(user) ? password : user;
    return refuse(missing, user + " and " + password + " go together, but " + missing + " is not set: set both or neither.");
  }
  CORE_CHECK(check_notices(s));
  if (s.is_set("SIP_AUTH_USER") && !s.is_set("SIP_HOSTS"))
    return refuse("SIP_HOSTS", "SIP_AUTH_USER is set, but SIP_HOSTS is not: name the hosts that these credentials are for, or take them away.");
  if (s.is_set("PROVIDER_CA_FILE") && ::access(s.text("PROVIDER_CA_FILE").c_str(), F_OK) != 0)
    return refuse("PROVIDER_CA_FILE", "PROVIDER_CA_FILE names " + s.text("PROVIDER_CA_FILE") + ", which is not there: give the file with the certificates, or take the setting away to use the system's.");
  const std::array ports{"LAN_PORT", "PUBLIC_PORT", "ACME_PORT"};
  for (std::size_t i = 0; i < ports.size(); ++i)
    for (std::size_t j = i + 1; j < ports.size(); ++j)
      if (s.integer(ports[i]) == s.integer(ports[j]))
        return refuse(ports[j], std::string(ports[i]) + " and " + ports[j] + " are both " + std::to_string(s.integer(ports[j])) + ": give each a port of its own.");
  return {};
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
  return text_of(name);
}

core::SecretString Settings::secret(std::string_view name) const { return core::SecretString(text_of(name)); }
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

core::Result<Settings> load(std::string_view file_text, const std::function<std::optional<std::string>(const std::string&)>& environment) {
  CORE_TRY(values, read_lines(file_text));
  for (const auto& row : table()) {
    const std::string name(row.name);
    if (auto given = environment(name)) values[name] = *given;
    auto& value = values[name];
    if (value.empty()) value = row.fallback;
    if (value.empty()) continue;
    if (const auto wrong = complaint(row, value)) return refuse(name, name + " " + *wrong + (row.type == Type::secret ? "." : ", but is \"" + value + "\"."));
  }
  Settings settings;
  settings.values_ = std::move(values);
  CORE_CHECK(check_together(settings));
  return settings;
}

core::Result<Settings> load() {
  const char* given = std::getenv("FAXLINE_CONF");
  const std::string path = given != nullptr && *given != '\0' ? given : std::string(kFileByDefault);
  auto text = core::read_file(path, kFileLimitBytes);
  if (!text) {
    if (text.error().code == core::Code::not_found && path == kFileByDefault) text = std::string();
    else return refuse("FAXLINE_CONF", "the settings file " + path + " cannot be read (" + text.error().text + "): make it readable, or name another in FAXLINE_CONF.");
  }
  return load(*text, [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

}  // namespace config
