#include "command/command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <grp.h>
#include <iostream>
#include <pwd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "command/real_paths.h"
#include "core/log.h"

namespace command {

namespace {

constexpr std::array kVerbs{
    Verb{"user add", "user add NAME [--admin]", "Adds a user; the password is the first line of standard input.", 1, user_add},
    Verb{"user passwd", "user passwd NAME", "Sets a user's password anew, from standard input; ends that user's sessions.", 1, user_passwd},
    Verb{"user list", "user list [--json]", "Lists the users: name and role.", 0, user_list},
    Verb{"user remove", "user remove NAME", "Removes a user, with sessions and keys; never the only administrator.", 1, user_remove},
    Verb{"user import", "user import FILE", "Adds the users of a web-logins.json, with their passwords hashed; users that are there are left alone.", 1, user_import},
    Verb{"key add", "key add NAME", "Makes an API key and prints it, once. Give it as 'Authorization: Bearer KEY'.", 1, key_add},
    Verb{"key list", "key list [--json]", "Lists the keys: id, name, state.", 0, key_list},
    Verb{"key revoke", "key revoke ID", "Ends a key.", 1, key_revoke},
    Verb{"send", "send FILE NUMBER [--wait]", "Sends a PDF; prints the fax's id. With --wait follows it to its end and prints that.", 2, send},
    Verb{"list", "list [--direction inbound|outbound] [--json]", "Lists the newest faxes: id, direction, number, state, pages, time.", 0, list},
    Verb{"show", "show ID [--journal] [--json]", "Shows one fax with its events; with --journal also what the provider sent about it.", 1, show},
    Verb{"replay", "replay ID [--json]", "Delivers a received fax into the mailbox again, as a new mail; one that could not be fetched is fetched again.", 1, replay},
    Verb{"receive", "receive FILE --from NUMBER", "Makes a fax arrive from outside, through the sandbox.", 1, receive},
    Verb{"config check", "config check", "Says whether the settings are right, and what they are; else what is missing, in the order in which one would do it.", 0, nullptr, nullptr, config_check},
    Verb{"config example", "config example", "Prints a settings file with every setting explained, and an account for the practice line made anew.", 0, nullptr, nullptr, config_example},
    Verb{"config share", "config share DIR", "Writes each program's part of the settings to DIR, without the secrets of others. An installed line does it at each start.", 1, config_share},
    Verb{"mailbox add", "mailbox add NAME", "Makes the mail user NAME, who cannot log in, with a Maildir that faxes are delivered to and a POP3 server reads; the password is the first line of standard input. For root, on an installed line.", 1, nullptr, nullptr, mailbox_add},
    Verb{"certificate show", "certificate show [--json]", "Says which certificate each listener really shows, POP3 too: listener, address, serial, end, days left. 0: providers accept what is shown; 1: they do not.", 0, certificate_show},
    Verb{"certificate get", "certificate get", "Fetches a certificate for PUBLIC_HOSTNAME by certbot, and serves it; says what to do at the router when the certificate authority cannot reach this machine. For root, on an installed line.", 0, certificate_get},
    Verb{"backup", "backup DIR [--with-secrets] [--json]", "Copies faxes, documents, users and settings into the new folder DIR, while the line runs. Secrets only with --with-secrets. 1: a document is damaged.", 1, backup},
    Verb{"restore", "restore DIR [--replace] [--json]", "Puts a backup in place, while the line is stopped. What is there is never deleted: with --replace it is kept beside.", 1, restore},
    Verb{"doctor", "doctor [--json]", "Goes through what the line needs, and says what is wrong and what to do. 0: nothing is wrong; 1: something is; 69: the line is down.", 0, doctor},
    Verb{"reconcile", "reconcile [--since TIME|DAYSd]", "Compares both directions with the provider's list, takes up what is missing here, and waits. 0: nothing differs now; 1: differences remain. Without --since: from the last time on.", 0, reconcile},
    Verb{"provider check", "provider check [--json]", "Says in words whether credentials, number, webhook URL and signature are right, and what to do where they are not.", 0, provider_check},
    Verb{"provider configure", "provider configure", "Tells the provider where to announce a fax that comes in to our number.", 0, provider_configure},
    Verb{"notice test", "notice test [--json]", "Sends a test notice by each way that is set (Maildir, mail server, webhook, command), and says what each answered.", 0, notice_test},
    Verb{"sandbox fault", "sandbox fault NAME [--times N] [--seconds N]", "Makes the sandbox misbehave, N times (1). It answers at once; what it does happens then.", 1, sandbox_fault, print_faults},
    Verb{"sandbox faults", "sandbox faults [--json]", "Lists what the sandbox is to do wrong: name, stage, times left, seconds.", 0, sandbox_faults},
    Verb{"sandbox clear", "sandbox clear", "Makes the sandbox behave again.", 0, sandbox_clear},
};

constexpr int kUsage = 64;

int status_of(core::Code code) {
  switch (code) {
    case core::Code::bad_request:
    case core::Code::invalid:
    case core::Code::unsupported:
    case core::Code::too_large:
    case core::Code::conflict: return 65;
    case core::Code::not_found: return 67;
    case core::Code::provider_down:
    case core::Code::provider_refused:
    case core::Code::unknown_outcome: return 69;
    case core::Code::unavailable:
    case core::Code::limited:
    case core::Code::no_space: return 75;
    case core::Code::unauthenticated:
    case core::Code::forbidden: return 77;
    case core::Code::settings: return 78;
    default: return 70;
  }
}

void print_help() {
  print("faxline VERB …   sends and shows faxes, and looks after the line. `faxline VERB --help` says more.\n");
  for (const auto& verb : kVerbs) print("  faxline " + std::string(verb.usage));
  print("\nSettings: the file that FAXLINE_CONF names (/etc/faxline/faxline.conf), and the environment, which wins.");
  print("Exit status: 0; 64 usage; 65 bad number or file; 67 no such user, key or fax; 69 provider or line not reachable; 75 try again; 77 not permitted; 78 settings.");
}

// The verb whose words the arguments begin with.
const Verb* find(std::vector<std::string>& words) {
  for (const auto& verb : kVerbs) {
    const auto blank = verb.name.find(' ');
    const auto first = verb.name.substr(0, blank);
    if (words.empty() || words[0] != first) continue;
    if (blank == std::string_view::npos) {
      words.erase(words.begin());
      return &verb;
    }
    if (words.size() > 1 && words[1] == verb.name.substr(blank + 1)) {
      words.erase(words.begin(), words.begin() + 2);
      return &verb;
    }
  }
  return nullptr;
}

bool print_family(std::string_view first) {
  bool any = false;
  for (const auto& verb : kVerbs) {
    if (verb.name.substr(0, verb.name.find(' ')) != first) continue;
    print("faxline " + std::string(verb.usage) + "\n  " + std::string(verb.help));
    any = true;
  }
  return any;
}

int usage(std::string_view sentence) {
  say("faxline: " + std::string(sentence));
  say("`faxline --help` lists the verbs.");
  return kUsage;
}

// Where the value of an option goes; null: it is none that has one.
std::string* valued(Words& words, std::string_view option) {
  if (option == "--from") return &words.from;
  if (option == "--direction") return &words.direction;
  if (option == "--times") return &words.times;
  if (option == "--seconds") return &words.seconds;
  return option == "--since" ? &words.since : nullptr;
}

// Options may stand anywhere. False, with a sentence: one is unknown, or lacks its value.
bool read_options(std::vector<std::string> arguments, Words& words, std::string& complaint) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (word == "--json") words.json = true;
    else if (word == "--help" || word == "-h") words.help = true;
    else if (word == "--admin") words.admin = true;
    else if (word == "--wait") words.wait = true;
    else if (word == "--journal") words.journal = true;
    else if (word == "--replace") words.replace = true;
    else if (word == "--with-secrets") words.with_secrets = true;
    else if (std::string* value = valued(words, word); value != nullptr) {
      if (i + 1 >= arguments.size()) return complaint = word + " wants a value after it.", false;
      *value = arguments[++i];
    } else if (word.size() > 1 && word[0] == '-' && word[1] == '-') {
      return complaint = "there is no option " + word + ".", false;
    } else {
      words.words.push_back(word);
    }
  }
  return true;
}

int finish(const core::Result<int>& done, std::string_view verb) {
  if (done) return *done;
  const auto& error = done.error();
  say("faxline " + std::string(verb) + ": " + (error.hint.empty() ? error.text : error.hint));
  return status_of(error.code);
}

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

int run(int count, const char* const* arguments) {
  core::set_program("faxline");
  Words words;
  std::string complaint;
  if (!read_options(std::vector<std::string>(arguments + 1, arguments + std::max(count, 1)), words, complaint)) return usage(complaint);
  if (words.words.empty()) {
    if (!words.help) return usage("say what to do.");
    print_help();
    return 0;
  }
  const std::string first = words.words[0];
  const auto* verb = find(words.words);
  // `faxline user --help`: what there is of that family.
  if (verb == nullptr && words.help && print_family(first)) return 0;
  if (verb == nullptr) return usage("there is no verb '" + words.words[0] + (words.words.size() > 1 ? " " + words.words[1] : "") + "'.");
  if (words.help) {
    print("faxline " + std::string(verb->usage) + "\n" + std::string(verb->help));
    if (verb->more_help != nullptr) verb->more_help();
    return 0;
  }
  if (words.words.size() != verb->words) return usage("it is: faxline " + std::string(verb->usage));
  ::umask(0007);
  if (verb->early != nullptr) return finish(verb->early(words), verb->name);
  const auto settings = config::load();
  if (!settings) return finish(settings.error(), verb->name);
  if (settings->practice()) say("PRACTICE LINE: the provider is the built-in sandbox; nothing leaves this machine.");
  return finish(verb->run(*settings, words), verb->name);
}

core::Result<void> become_owner_of(const std::string& folder) {
  struct stat about{};
  if (::stat(folder.c_str(), &about) != 0) return core::Error{core::Code::settings, "folder " + folder + " is not there", "The folder " + folder + " is not there: is this line set up? Check STATE_DIR."};
  if (::geteuid() == 0 && about.st_uid != 0) {
    const passwd* owner = ::getpwuid(about.st_uid);
    if (::setgid(about.st_gid) != 0 || (owner != nullptr && ::initgroups(owner->pw_name, about.st_gid) != 0) || ::setuid(about.st_uid) != 0)
      return core::Error{core::Code::forbidden, "cannot become the owner of " + folder};
  }
  const bool is_open = ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0;
  if (!is_open && errno == EROFS) return core::errno_error("write", folder, EROFS);
  if (!is_open)
    return core::Error{core::Code::forbidden, "folder " + folder + " is closed to this user", "This user may not do that: run it as root, or as the owner of " + folder + "."};
  return {};
}

std::string who_asks() {
  if (const char* person = std::getenv("SUDO_USER"); person != nullptr && *person != '\0') return person;
  const passwd* account = ::getpwuid(::getuid());
  return account != nullptr ? account->pw_name : "uid " + std::to_string(::getuid());
}

namespace {

void put(std::FILE* where, std::string_view line) {
  static const char* const listed = std::getenv("FAXLINE_REAL_PATHS");
  static const RealPaths paths(listed != nullptr ? listed : "");
  std::fprintf(where, "%s\n", paths.in(line).c_str());
}

}  // namespace

void print(std::string_view line) { put(stdout, line); }
void say(std::string_view line) { put(stderr, line); }

core::Result<std::string> read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return core::Error{core::Code::bad_request, "nothing on standard input", "Give the password as the first line of standard input."};
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

core::Result<std::string> read_password() {
  termios before{};
  if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &before) != 0) return read_line();
  auto silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::fputs("Password: ", stderr);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  auto password = read_line();
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fputc('\n', stderr);
  return password;
}

}  // namespace command
