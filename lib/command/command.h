// The command `faxline`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/error.h"
#include "core/result.h"

namespace command {

// The words after the verb, with their options taken out.
struct Words {
  std::vector<std::string> words;
  bool json = false;
  bool help = false;
  bool admin = false;
  bool wait = false;
  bool journal = false;
  bool replace = false;
  bool with_secrets = false;
  std::string from;
  std::string direction;
  std::string times;
  std::string seconds;
  std::string since;
};

struct Verb {
  std::string_view name;   // "user add"
  std::string_view usage;  // "user add NAME [--admin]"
  std::string_view help;   // what it does, in a sentence or two
  std::size_t words;       // how many follow the name
  core::Result<int> (*run)(const config::Settings& settings, const Words& words);  // the exit status
  void (*more_help)() = nullptr;  // prints what --help says besides
  core::Result<int> (*early)(const Words& words) = nullptr;  // in place of `run`: works before the settings are right, too
};

// All verbs, in the order of --help.
std::span<const Verb> verbs();

// The whole command: reads the verb, the settings, runs it. The exit status: 0; 64 usage; 65 bad number or file; 67 no such user or
// key; 69 provider or line not reachable; 75 try again; 77 not permitted; 78 settings; 70 anything else.
int run(int count, const char* const* arguments);

// --- the verbs, for the table ---
core::Result<int> user_add(const config::Settings& settings, const Words& words);
core::Result<int> user_passwd(const config::Settings& settings, const Words& words);
core::Result<int> user_list(const config::Settings& settings, const Words& words);
core::Result<int> user_remove(const config::Settings& settings, const Words& words);
core::Result<int> user_import(const config::Settings& settings, const Words& words);
core::Result<int> key_add(const config::Settings& settings, const Words& words);
core::Result<int> key_list(const config::Settings& settings, const Words& words);
core::Result<int> key_revoke(const config::Settings& settings, const Words& words);
core::Result<int> send(const config::Settings& settings, const Words& words);
core::Result<int> list(const config::Settings& settings, const Words& words);
core::Result<int> show(const config::Settings& settings, const Words& words);
core::Result<int> replay(const config::Settings& settings, const Words& words);
core::Result<int> backup(const config::Settings& settings, const Words& words);
core::Result<int> restore(const config::Settings& settings, const Words& words);
core::Result<int> receive(const config::Settings& settings, const Words& words);
core::Result<int> config_check(const Words& words);
core::Result<int> config_example(const Words& words);
core::Result<int> config_share(const config::Settings& settings, const Words& words);
core::Result<int> mailbox_add(const Words& words);
core::Result<int> certificate_show(const config::Settings& settings, const Words& words);
core::Result<int> certificate_get(const config::Settings& settings, const Words& words);
core::Result<int> doctor(const config::Settings& settings, const Words& words);
core::Result<int> reconcile(const config::Settings& settings, const Words& words);
core::Result<int> sandbox_fault(const config::Settings& settings, const Words& words);
core::Result<int> sandbox_faults(const config::Settings& settings, const Words& words);
core::Result<int> sandbox_clear(const config::Settings& settings, const Words& words);
void print_faults();  // those that there are
core::Result<int> provider_check(const config::Settings& settings, const Words& words);
core::Result<int> notice_test(const config::Settings& settings, const Words& words);
core::Result<int> provider_configure(const config::Settings& settings, const Words& words);

// --- what several of them need ---
// Run by root: becomes the owner of `folder` from now on. forbidden if that cannot be; unavailable: its disk is read-only.
core::Result<void> become_owner_of(const std::string& folder);
// Who runs the command: the person before sudo, or the account's name.
std::string who_asks();
// One result on standard output, with a line feed. Both show paths as people know them (command/real_paths.h).
void print(std::string_view line);
// Something for the person, on standard error.
void say(std::string_view line);
// The first line of standard input, without its end. bad_request if there is none.
core::Result<std::string> read_line();
// The same for a password: from a terminal it is asked for, and not shown.
core::Result<std::string> read_password();

}  // namespace command
