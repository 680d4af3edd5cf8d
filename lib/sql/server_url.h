// The URL of a database server, as its library wants it. Inside `sql` only.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sql {

// What stands before every server's options: one that has vanished without a word is given up after a minute. The URL's own
// options count more.
inline constexpr std::string_view kServerDefaults = "connect_timeout='10' keepalives_idle='30' keepalives_interval='10' keepalives_count='3' tcp_user_timeout='60000'";

// kServerDefaults, then "host='…' port='…' user='…' password='…' dbname='…' …" of postgresql://user:password@host:port/database?option=value;
// each part may be missing, and is percent-encoded where it holds anything special
// (https://www.postgresql.org/docs/15/libpq-connect.html, 34.1.1.2). The last part of two of one name counts there.
// SOCI 4.0 would take the URL itself apart at its equals signs, and takes options apart at blanks, quoted or not. settings,
// without the password in any word: another scheme, a broken percent sign, a NUL or a blank, encoded too, an option's name
// that is not a to z and _.
core::Result<std::string> server_options(std::string_view url);

}  // namespace sql
