// The table of settings, as data: what README.md prints and load() checks.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace config {

enum class Type {
  text,      // one line
  secret,    // one line, never shown
  flag,      // true or false
  integer,   // decimal, within minimum and maximum
  duration,  // decimal with s, m, h or d after it; limits in seconds
  path,      // absolute
  host,      // a name or address, without port
  url,       // https://host[:port] with nothing after it; http to loopback only
  link,      // https://host[:port]/path; http to this machine only
  mail_server,  // smtp://host[:port] or smtps://host[:port]
  addresses, // of mail: local@domain,…
  number,    // E.164
  numbers,   // E.164,…
  hosts,     // host[:port],…
  country,   // two capital letters
  choice,    // one of `choices`, separated by blanks
  database,  // sqlite:///absolute/path or postgresql://…
};

struct Setting {
  std::string_view name;
  Type type;
  std::string_view fallback;  // empty: none; load() derives some others
  std::int64_t minimum = 0;   // of integers and durations
  std::int64_t maximum = 0;
  std::string_view choices = {};
  std::string_view meaning = {};  // a short sentence, for `faxline config check`
  std::string_view programs = {};  // of what holds a secret: the programs that it is for, separated by blanks (share.h)
};

std::span<const Setting> table();

// Null if there is no such setting.
const Setting* find(std::string_view name);

}  // namespace config
