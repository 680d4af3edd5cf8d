// `faxline certificate show`, `faxline certificate get`.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include "command/command.h"
#include "core/clock.h"
#include "core/fd.h"
#include "crypto/certificate.h"
#include "http/served.h"
#include "json/writer.h"
#include "process/run.h"
#include "text/words.h"

namespace command {

namespace {

constexpr const char* kCertbot = "/usr/bin/certbot";
constexpr const char* kLineages = "/etc/letsencrypt/live/";
constexpr int kNotWell = 1;

core::Error refuse(core::Code code, std::string sentence) { return {code, sentence, sentence}; }

struct Shown {
  std::string listener, address;
  core::Result<crypto::Certificate> certificate;
};

std::vector<Shown> look(const config::Settings& settings) {
  const auto name = settings.is_set("PUBLIC_HOSTNAME") ? settings.text("PUBLIC_HOSTNAME") : std::string("localhost");
  std::vector<Shown> all;
  for (const auto& [listener, address] : settings.listeners()) {
    const auto pem = http::served_certificate(address, name);
    all.push_back({listener, address, pem ? crypto::read_certificate(*pem, name) : core::Result<crypto::Certificate>(pem.error())});
  }
  return all;
}

std::int64_t days_left(const crypto::Certificate& it, core::Time now) { return std::chrono::floor<std::chrono::days>(it.not_after - now).count(); }

bool is_well(const crypto::Certificate& it, core::Time now) { return it.not_after > now && it.fits && !it.self_signed; }

std::string verdict(const crypto::Certificate& it, core::Time now) {
  if (it.not_after <= now) return "ENDED";
  std::string text = std::to_string(days_left(it, now)) + " days left";
  if (it.self_signed) return text + "; made by this machine for itself, so providers refuse it";
  return text + "; by " + it.issuer + (it.fits ? "" : "; NOT for PUBLIC_HOSTNAME");
}

void print_json(const std::vector<Shown>& all, core::Time now) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& it : all) {
    writer.begin_object().member("listener", it.listener).member("address", it.address);
    if (!it.certificate) writer.member("error", it.certificate.error().text);
    else
      writer.member("serial", it.certificate->serial).member("not_after", core::rfc3339(it.certificate->not_after)).member("days_left", days_left(*it.certificate, now))
          .member("issuer", it.certificate->issuer).member("self_signed", it.certificate->self_signed).member("fits", it.certificate->fits);
    writer.end_object();
  }
  writer.end_array();
  print(writer.text());
}

// --- get ---

bool says_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// What certbot names as the reason; all that it said where it names none.
std::string reason_in(const std::string& said) {
  std::string details;
  for (const auto& line : text::split(said, '\n'))
    if (const auto at = line.find("Detail: "); at != std::string::npos) details += "\n  " + std::string(line.substr(at + 8));
  return details.empty() ? "\n" + said.substr(said.size() > 1500 ? said.size() - 1500 : 0) : details;
}

std::string advice(const config::Settings& settings, const std::string& said) {
  const auto& name = settings.text("PUBLIC_HOSTNAME");
  const auto port = settings.text("ACME_PORT");
  if (says_any(said, {"DNS problem", "NXDOMAIN", "no valid A records", "no such host", "resolv"}))
    return "The name " + name + " cannot be looked up, or leads nowhere. It must have an address record that is your router's address as the internet sees it. After a change of the name wait a few minutes.";
  if (says_any(said, {"Timeout", "Connection refused", "connection refused", "Connection reset", "No route to host", "Fetching http", "Invalid response", "unauthorized"}))
    return "The certificate authority asks http://" + name + "/ from outside, and did not come through to this machine. At the router, forward TCP port 80 from outside to TCP port " + port +
           " of this machine; see that " + name + " is the router's address from outside, and that no other program or firewall answers there.";
  if (says_any(said, {"rateLimited", "too many certificates", "too many failed"})) return "The certificate authority has been asked too often. Wait as long as it says, then try again.";
  return "Put right what it says, and try again.";
}

std::vector<std::string> request(const config::Settings& settings) {
  const auto& name = settings.text("PUBLIC_HOSTNAME");
  std::vector<std::string> words{kCertbot, "certonly", "--non-interactive", "--agree-tos", "--webroot", "-w", settings.state_folder("acme"), "-d", name, "--cert-name", name};
  // One that is there stays, unless it has another kind of key than is wanted.
  const auto there = core::read_file(kLineages + name + "/fullchain.pem", 256 * 1024);
  const auto old = there ? crypto::read_certificate(*there, name) : core::Result<crypto::Certificate>(there.error());
  words.emplace_back(old && old->is_rsa != (settings.text("CERTIFICATE_KEY") == "rsa") ? "--force-renewal" : "--keep-until-expiring");
  if (settings.text("CERTIFICATE_KEY") == "rsa") words.insert(words.end(), {"--key-type", "rsa", "--rsa-key-size", "3072"});
  else words.insert(words.end(), {"--key-type", "ecdsa", "--elliptic-curve", "secp256r1"});
  if (settings.is_set("ACME_SERVER")) words.insert(words.end(), {"--server", settings.text("ACME_SERVER")});
  const auto people = settings.notice_recipients();
  if (people.empty()) words.emplace_back("--register-unsafely-without-email");
  else words.insert(words.end(), {"--email", people[0]});
  return words;
}

core::Result<process::Outcome> run(std::vector<std::string> words, std::vector<std::string> environment, std::chrono::minutes longest) {
  process::Program program;
  program.arguments = std::move(words);
  program.environment = std::move(environment);
  program.environment.insert(program.environment.end(), {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"});
  program.limits.wall = longest;
  program.limits.cpu_seconds = 300;  // a small computer
  return process::run(program);
}

// Beside the command, wherever that was installed.
std::string hook() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "lib/faxline/certbot-hooks/deploy").string();
}

core::Result<void> check_ready(const config::Settings& settings) {
  if (::geteuid() != 0) return refuse(core::Code::forbidden, "certbot keeps its keys as root: put sudo in front of the command.");
  if (!settings.is_set("PUBLIC_HOSTNAME") || settings.text("PUBLIC_HOSTNAME").find('.') == std::string::npos)
    return refuse(core::Code::settings, "Set PUBLIC_HOSTNAME to the name under which this machine is reached from outside, such as fax.example.org: the certificate is for that name.");
  if (::access(kCertbot, X_OK) != 0) return refuse(core::Code::settings, "certbot is missing: sudo apt-get install certbot");
  if (::access(hook().c_str(), X_OK) != 0) return refuse(core::Code::settings, hook() + " is missing: this is for an installed line (sudo make install). `make run` makes certificates of its own.");
  return {};
}

}  // namespace

core::Result<int> certificate_show(const config::Settings& settings, const Words& words) {
  const auto all = look(settings);
  const auto now = core::SystemClock().now();
  bool well = true;
  for (const auto& it : all) {
    if (it.listener != "pop3") well &= it.certificate && is_well(*it.certificate, now);
    if (words.json) continue;
    print(it.listener + "\t" + it.address + "\t" + (it.certificate ? it.certificate->serial + "\t" + core::rfc3339(it.certificate->not_after) + "\t" + verdict(*it.certificate, now) : "nothing is shown: " + it.certificate.error().text));
  }
  if (words.json) print_json(all, now);
  return well ? 0 : kNotWell;
}

core::Result<int> certificate_get(const config::Settings& settings, const Words& words) {
  CORE_CHECK(check_ready(settings));
  const auto& name = settings.text("PUBLIC_HOSTNAME");
  say("Asking for a certificate for " + name + " (by this you agree to the terms of the certificate authority) …");
  CORE_TRY(asked, run(request(settings), {}, std::chrono::minutes(10)));
  const auto said = asked.output + asked.error_output;
  if (asked.exit_status != 0)
    return refuse(core::Code::provider_refused, "No certificate was given. " + advice(settings, said) + "\ncertbot said:" + reason_in(said));
  std::vector<std::string> environment{"RENEWED_LINEAGE=" + (kLineages + name), "RENEWED_DOMAINS=" + name, "PUBLIC_HOSTNAME=" + name};
  if (const char* file = std::getenv("FAXLINE_CONF")) environment.push_back(std::string("FAXLINE_CONF=") + file);
  CORE_TRY(installed, run({hook()}, std::move(environment), std::chrono::minutes(2)));
  if (!installed.error_output.empty()) say(installed.error_output.substr(0, installed.error_output.find_last_not_of('\n') + 1));
  if (installed.exit_status != 0) return core::Error{core::Code::internal, "the deploy hook ended with " + std::to_string(installed.exit_status), "The certificate is there, but it is not served: what was served before still is. See above."};
  say("It is served, and certbot renews it by itself.");
  return certificate_show(settings, words);
}

}  // namespace command
