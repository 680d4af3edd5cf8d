#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/words.h"

TEST_CASE("trim takes white space from both ends only") {
  CHECK(text::trim(" \t\r\n\v\fa b \n") == "a b");
  CHECK(text::trim("ab") == "ab");
  CHECK(text::trim(" \n ").empty());
  CHECK(text::trim("").empty());
  CHECK(text::trim("\xa0x") == "\xa0x");
  CHECK(text::trim(std::string_view("\0 ", 2)) == std::string_view("\0", 1));
}

TEST_CASE("lower and equal_ignoring_case know A to Z alone") {
  CHECK(text::lower("AZ[@`az{É") == "az[@`az{É");
  CHECK(text::equal_ignoring_case("Content-Type", "content-TYPE"));
  CHECK(text::equal_ignoring_case("", ""));
  CHECK_FALSE(text::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(text::equal_ignoring_case("ab", "a"));
  CHECK_FALSE(text::equal_ignoring_case("@", "`"));
  CHECK_FALSE(text::equal_ignoring_case("É", "é"));
}

TEST_CASE("split keeps empty parts") {
  using Parts = std::vector<std::string_view>;
  CHECK(text::split("a,b,c", ',') == Parts{"a", "b", "c"});
  CHECK(text::split("", ',') == Parts{""});
  CHECK(text::split(",", ',') == Parts{"", ""});
  CHECK(text::split("a,,b,", ',') == Parts{"a", "", "b", ""});
  CHECK(text::split("a b", ',') == Parts{"a b"});
}

TEST_CASE("parse_int64 reads the whole text or nothing") {
  CHECK(text::parse_int64("0") == 0);
  CHECK(text::parse_int64("-1") == -1);
  CHECK(text::parse_int64("007") == 7);
  CHECK(text::parse_int64("3000000000") == 3000000000);
  CHECK(text::parse_int64("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(text::parse_int64("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  for (const char* bad : {"", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "1e3", "--1", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "१"}) {
    CAPTURE(bad);
    CHECK_FALSE(text::parse_int64(bad));
  }
  CHECK_FALSE(text::parse_int64(std::string_view("1\0", 2)));
}

TEST_CASE("visible ASCII has no space, no control character, no high byte") {
  CHECK(text::is_visible_ascii("!~aZ09"));
  for (const char* bad : {"", " ", "a b", "a\n", "\x7f", "\x80", "é", "\t"}) {
    CAPTURE(bad);
    CHECK_FALSE(text::is_visible_ascii(bad));
  }
  CHECK_FALSE(text::is_visible_ascii(std::string_view("\0", 1)));
}
