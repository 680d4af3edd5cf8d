// The settings of one line, checked as a whole before anything starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/secret.h"

namespace config {

enum class ProviderKind { sandbox, twilio, signalwire };

using Environment = std::function<std::optional<std::string>(const std::string&)>;
struct Examined;

// Values as they count: file, then environment, then default. Asking for a
// name that the table does not have, by the wrong type, or for a secret that
// was withheld from this program (share.h), ends the process.
class Settings {
 public:
  const std::string& text(std::string_view name) const;  // also paths, hosts, choices; empty: not set
  core::SecretString secret(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  std::chrono::seconds duration(std::string_view name) const;
  bool is_set(std::string_view name) const { return !text_of(name).empty(); }

  // What is derived from more than one setting.
  ProviderKind provider() const;
  std::string_view dialect() const;     // "twilio", "signalwire": the provider's, or the one that the sandbox is to speak
  std::string public_url() const;       // PUBLIC_URL, else https://PUBLIC_HOSTNAME; no slash at the end
  std::string provider_url() const;     // PROVIDER_URL, else by provider; no slash at the end
  // PROVIDER_CA_FILE; else, with the sandbox, the file that an installed line makes for it, if it is there; empty: the system's.
  std::string provider_ca_file() const;
  std::string fax_number() const;       // TWILIO_FAX_NUMBER, the sandbox's own if not set
  std::string database_url() const;     // DATABASE_URL, else in STATE_DIR/db
  std::string people_database_url() const;  // PEOPLE_DATABASE_URL, else in STATE_DIR/people
  std::string state_folder(std::string_view name) const;  // STATE_DIR/name
  std::string socket(std::string_view name) const;        // SOCKET_DIR/name
  std::vector<std::string> media_hosts() const;           // MEDIA_HOSTS, in order
  std::vector<std::string> sip_hosts() const;             // SIP_HOSTS
  std::optional<std::int64_t> receive_reserve() const;    // RECEIVE_RESERVE_BYTES; nothing: spool/space.h says how much
  std::vector<std::string> blocked_senders() const;       // BLOCKED_SENDERS, E.164
  std::vector<std::string> notice_recipients() const;     // NOTICE_TO, in order
  std::string lan_url() const;                            // LAN_URL, else https://PUBLIC_HOSTNAME and LAN_PORT; no slash at the end
  // Where this machine itself reaches its listeners that speak TLS: "lan", "public" and "pop3", and host:port.
  std::vector<std::pair<std::string, std::string>> listeners() const;
  // Keys that a signature may be made with: the current one first, then the old one.
  std::vector<core::SecretString> signing_keys() const;
  bool practice() const { return provider() == ProviderKind::sandbox; }

 private:
  friend Examined examine(std::string_view, const Environment&);
  const std::string& text_of(std::string_view name) const;
  const std::string& given(std::string_view name) const;  // of what was not withheld
  std::map<std::string, std::string, std::less<>> values_;
};

// What is allowed, and may surprise: a sentence for people, and the setting that it is about.
struct Warning {
  std::string_view setting;
  std::string_view sentence;
};
std::vector<Warning> warnings(const Settings& settings);

// Reads the file at FAXLINE_CONF (default /etc/faxline/faxline.conf; a missing
// file counts as empty if FAXLINE_CONF is not set) and the environment.
// Error `settings`, with `field` the setting and a hint that says the cure, for
// an unknown setting in the file, a malformed value, a missing or a
// contradictory one; settings too if the file cannot be read.
core::Result<Settings> load();

// The same from a file's text and a look-up of environment variables.
core::Result<Settings> load(std::string_view file_text, const Environment& environment);

// All that is wrong, in the order in which one would put it right; load() gives the first. Settings that are themselves
// malformed are left out of `settings`, and then nothing is said about what contradicts them.
struct Examined {
  Settings settings;
  std::vector<core::Error> problems;
};
Examined examine(std::string_view file_text, const Environment& environment);
// As load() reads them.
Examined examine();

}  // namespace config
