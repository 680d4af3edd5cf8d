#include "command/command.h"
#include "core/fd.h"
#include "json/value.h"
#include "json/writer.h"
#include "store/people.h"
#include "text/words.h"

namespace command {

namespace {

constexpr std::size_t kImportBytes = 1 << 20;

core::Result<store::People> open(const config::Settings& settings) {
  CORE_CHECK(become_owner_of(settings.state_folder("people")));
  CORE_TRY(database, sql::Database::open(settings.people_database_url(), {.mode = 0600}));
  return store::People::open(database);
}

core::Time now() { return core::SystemClock().now(); }

// The seed's file: an object of name → password, or a list of {username, password}.
core::Result<std::vector<std::pair<std::string, std::string>>> read_logins(const std::string& path) {
  const auto text = core::read_file(path, kImportBytes);
  if (!text) return core::Error{core::Code::invalid, "file not readable", "The file " + path + " cannot be read: " + text.error().text};
  CORE_TRY(root, json::parse(*text));
  std::vector<std::pair<std::string, std::string>> logins;
  const auto& listed = root["users"].is_array() ? root["users"] : root["logins"].is_array() ? root["logins"] : root;
  for (const auto& item : listed.items()) {
    const auto name = item["username"].as_string() ? item["username"].as_string() : item["user"].as_string() ? item["user"].as_string() : item["name"].as_string();
    const auto password = item["password"].as_string() ? item["password"].as_string() : item["pass"].as_string();
    if (name && password) logins.emplace_back(*name, *password);
  }
  for (const auto& member : root.members())
    if (const auto password = member.value.as_string()) logins.emplace_back(member.name, *password);
    else if (const auto inner = member.value["password"].as_string()) logins.emplace_back(member.name, *inner);
  if (logins.empty()) return core::Error{core::Code::invalid, "no log-ins in the file", "There are no users in " + path + ": a web-logins.json holds names and passwords."};
  return logins;
}

}  // namespace

core::Result<int> user_add(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_TRY(password, read_password());
  CORE_TRY(user, people.add(words.words[0], core::SecretString(std::move(password)), words.admin ? store::Role::admin : store::Role::user, now()));
  print(user.name);
  return 0;
}

core::Result<int> user_passwd(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_TRY(user, people.find(words.words[0]));
  CORE_TRY(password, read_password());
  const core::SecretString secret(std::move(password));
  CORE_TRY(same, people.has_password(user.name, secret));
  // The password that it is already: nothing to set, and nobody to log out.
  if (same) say("This is the password already; nothing was changed.");
  else CORE_CHECK(people.set_password(user.name, secret));
  print(user.name);
  return 0;
}

core::Result<int> user_list(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_TRY(users, people.list());
  json::Writer writer;
  writer.begin_array();
  for (const auto& user : users) {
    if (!words.json) print(user.name + "\t" + std::string(store::name(user.role)) + (user.disabled ? "\tdisabled" : ""));
    writer.begin_object().member("username", user.name).member("role", store::name(user.role)).member("created", core::rfc3339(user.created)).member("disabled", user.disabled).end_object();
  }
  writer.end_array();
  if (words.json) print(writer.text());
  return 0;
}

core::Result<int> user_remove(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_CHECK(people.remove(words.words[0], now()));
  print(words.words[0]);
  return 0;
}

core::Result<int> user_import(const config::Settings& settings, const Words& words) {
  // Read before the account is changed: the file is the caller's.
  CORE_TRY(logins, read_logins(words.words[0]));
  CORE_TRY(people, open(settings));
  int failed = 0;
  for (auto& [name, password] : logins) {
    const auto added = people.add(name, core::SecretString(std::move(password)), store::Role::user, now());
    if (added) print(added->name);
    else if (added.error().code == core::Code::conflict) say(name + " is there already and was left alone.");
    else say(name + ": " + (added.error().hint.empty() ? added.error().text : added.error().hint)), ++failed;
  }
  say("The file still holds the passwords in clear: delete it.");
  return failed == 0 ? 0 : 65;
}

core::Result<int> key_add(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_TRY(made, people.create_key(words.words[0], std::nullopt, store::Role::admin, now()));
  print(made.key.reveal());
  say("This is the only time it is shown. Its id is " + made.id + ".");
  return 0;
}

core::Result<int> key_list(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_TRY(keys, people.list_keys());
  json::Writer writer;
  writer.begin_array();
  for (const auto& key : keys) {
    const auto used = key.last_used ? std::optional(core::rfc3339(*key.last_used)) : std::nullopt;
    if (!words.json) print(key.id + "\t" + key.name + "\t" + (key.revoked ? "revoked" : "valid") + "\t" + used.value_or("never used"));
    writer.begin_object().member("id", key.id).member("name", key.name).member("role", store::name(key.role)).member("created", core::rfc3339(key.created));
    writer.member("last_used", used).member("revoked", key.revoked ? std::optional(core::rfc3339(*key.revoked)) : std::nullopt).end_object();
  }
  writer.end_array();
  if (words.json) print(writer.text());
  return 0;
}

core::Result<int> key_revoke(const config::Settings& settings, const Words& words) {
  CORE_TRY(people, open(settings));
  CORE_CHECK(people.revoke_key(words.words[0], now()));
  print(words.words[0]);
  return 0;
}

}  // namespace command
