#include "maildir/name.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace maildir;

TEST_CASE("maildir names: composed by the rules") {
  NameParts parts{.time = core::from_ms(1764056449123), .process = 77, .counter = 5, .random = 0xabc, .device = 0x801, .inode = 0x2a, .host = "fax.example"};
  CHECK(compose_name(parts) == "1764056449.M123000P77Q5RabcV801I2a.fax.example");
  parts.inode = 0;
  CHECK(compose_name(parts) == "1764056449.M123000P77Q5Rabc.fax.example");
}

TEST_CASE("maildir names: the host is escaped (the first program did not)") {
  CHECK(escape_host("a/b:c") == "a\\057b\\072c");
  CHECK(escape_host("") == "localhost");
  CHECK(escape_host("a\nb c\xff") == "a_b_c_");
  CHECK(escape_host(std::string(500, 'x')).size() == 64);
  CHECK(escape_host(std::string(63, 'x') + "/").size() == 63);  // no half of an escape
}

TEST_CASE("maildir names: never the same twice, always fit") {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = new_name(core::from_ms(1764056449123));
    CHECK(check_name(name).has_value());
    names.insert(name);
  }
  CHECK(names.size() == 1000);
  CHECK(new_name(core::from_ms(1), 0).starts_with("0.M1000P"));
}

TEST_CASE("maildir names: what is refused") {
  for (const std::string& name : {std::string(), std::string("."), std::string("../new/x"), std::string("a/b"), std::string("a:2,S"), std::string("a b"), std::string("a\n"),
                                 std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(201, 'a')}) {
    CAPTURE(name);
    REQUIRE_FALSE(check_name(name).has_value());
    CHECK(check_name(name).error().code == core::Code::invalid);
  }
  CHECK(check_name(std::string(200, 'a')).has_value());
  CHECK(check_name("a\\057b").has_value());
}

TEST_CASE("maildir names: flags") {
  CHECK(split_name("a.b.c").name == "a.b.c");
  CHECK(split_name("a.b.c").flags.empty());
  CHECK(split_name("a:2,FS").name == "a");
  CHECK(split_name("a:2,FS").flags == "FS");
  CHECK(split_name("a:2,").flags.empty());
  CHECK(split_name("a:1,x").flags.empty());
  CHECK(split_name("a:1,x").name == "a");
}
