#include "sql/server_url.h"

#include <doctest/doctest.h>

TEST_CASE("a server's URL becomes its options") {
  struct { std::string_view url, want; } cases[] = {
      {"postgresql://", ""},
      {"postgresql:///faxline", "dbname='faxline'"},
      {"postgresql://db.example/faxline", "host='db.example' dbname='faxline'"},
      {"postgresql://anna:se%27c%5Cr%3Det@db:5433/fax?sslmode=require&connect_timeout=5", "host='db' port='5433' user='anna' password='se\\'c\\\\r=et' dbname='fax' sslmode='require' connect_timeout='5'"},
      {"postgresql://a:b@c@[2001:db8::1]:5432/x", "host='2001:db8::1' port='5432' user='a' password='b@c' dbname='x'"},
      {"postgresql://[::1]/x", "host='::1' dbname='x'"},
      {"postgresql://a@/x?host=%2Frun%2Fpostgresql", "user='a' dbname='x' host='/run/postgresql'"},
  };
  for (const auto& [url, want] : cases) {
    CAPTURE(url);
    CHECK(sql::server_options(url).value() == std::string(sql::kServerDefaults) + (want.empty() ? "" : " ") + std::string(want));
  }
}

TEST_CASE("a URL that is none: settings, without the password in any word") {
  for (const auto* url : {"", "mysql://topsecret", "postgresql:topsecret", "postgresql://a:topsecret%@b", "postgresql://a:topsecret%0", "postgresql://a:topsecret%zz@b", "postgresql://a:topsecret%00@b",
                          "postgresql://a:topsecret@[::1]5432/b", "postgresql://a:topsecret@b/c?x y=1", "postgresql://a:topsecret@b/c?=1", "postgresql://a:topsecret%+1@b", "postgresql://a:topsecret%20x@b", "postgresql://a:topsecret\tx@b"}) {
    CAPTURE(url);
    const auto read = sql::server_options(url);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == core::Code::settings);
    CHECK((read.error().text + read.error().hint).find("topsecret") == std::string::npos);
  }
}
