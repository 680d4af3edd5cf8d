#include "config/share.h"

#include <algorithm>
#include <array>

#include "config/table.h"

namespace config {

namespace {

constexpr std::array<std::string_view, 9> kPrograms{"session", "send", "status", "inbox", "inbound", "media", "sandbox", "faxline-queue", "faxline-deliver"};
// Those that one has to set; they stand first in the file.
constexpr std::array<std::string_view, 5> kFirst{"MAILDIR_ROOT_DIR", "PUBLIC_HOSTNAME", "FAX_PROVIDER", "TWILIO_SID", "TWILIO_TOKEN"};
// `make run` and its POP3 server alone.
constexpr std::array<std::string_view, 3> kOfOneDesk{"RUN_USER", "RUN_PASSWORD", "POP3_PORT"};

template <typename List>
bool holds(const List& list, std::string_view name) { return std::find(list.begin(), list.end(), name) != list.end(); }

bool names(std::string_view programs, std::string_view program) { return (" " + std::string(programs) + " ").find(" " + std::string(program) + " ") != std::string::npos; }

bool is_withheld(const Setting& row, std::string_view program) {
  return (row.type == Type::secret || row.type == Type::database) && !names(row.programs, program);
}

std::string line(std::string_view name, std::string_view value) { return std::string(name) + "=\"" + std::string(value) + "\"\n"; }

std::string explained(const Setting& row) {
  std::string text = "# " + std::string(row.meaning);
  text[2] = static_cast<char>(text[2] >= 'a' && text[2] <= 'z' ? text[2] - 'a' + 'A' : text[2]);
  if (!row.choices.empty()) text += " (one of: " + std::string(row.choices) + ")";
  if (row.type == Type::flag) text += " (true or false)";
  if (row.type == Type::integer) text += " (" + std::to_string(row.minimum) + " to " + std::to_string(row.maximum) + ")";
  if (row.type == Type::duration) text += " (a number with s, m, h or d after it)";
  return text + ".\n#" + std::string(row.name) + "=" + std::string(row.fallback) + "\n\n";
}

}  // namespace

std::span<const std::string_view> programs() { return kPrograms; }

std::string text_for(const Settings& settings, std::string_view program, const std::map<std::string, std::string, std::less<>>& instead) {
  std::string text;
  for (const auto& row : table()) {
    // The port is checked against the others.
    if (!settings.is_set(row.name) || (holds(kOfOneDesk, row.name) && row.name != "POP3_PORT")) continue;
    if (is_withheld(row, program)) text += line(row.name, kWithheld);
    else if (const auto other = instead.find(row.name); other != instead.end()) text += line(row.name, other->second);
    else text += line(row.name, row.type == Type::secret ? settings.secret(row.name).reveal() : settings.text(row.name));
  }
  return text;
}

std::string example(std::string_view account, std::string_view token, std::string_view host) {
  std::string text =
      "# The settings of this fax line: KEY=value. `sudo faxline config check` says whether they are right, and what is still\n"
      "# missing. They count from the next `sudo systemctl restart faxline.target` on. README.md says more about each.\n\n"
      "# ---- what has to be set; as it is, it makes a line to practise with\n\n"
      "# The Maildir that received faxes are delivered to; `sudo faxline mailbox add NAME` makes one, and sets this.\n"
      "MAILDIR_ROOT_DIR=/home/myfaxuser/Maildir\n\n"
      "# The name under which the provider reaches this machine, such as fax.example.org. Here is the machine's own.\n";
  text += "PUBLIC_HOSTNAME=" + std::string(host) + "\n\n";
  text +=
      "# Who does the telephony: twilio (or who speaks its API), signalwire; sandbox is built in, to practise with.\n"
      "FAX_PROVIDER=sandbox\n\n"
      "# Account and secret at the provider (SignalWire: project id and API token). These two were made for the practice line.\n";
  text += "TWILIO_SID=" + std::string(account) + "\nTWILIO_TOKEN=" + std::string(token) + "\n\n# ---- what may be set; as it is when nothing is\n\n";
  for (const auto& row : table())
    if (!holds(kFirst, row.name) && !holds(kOfOneDesk, row.name)) text += explained(row);
  text.pop_back();
  return text;
}

}  // namespace config
