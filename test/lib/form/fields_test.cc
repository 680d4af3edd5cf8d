#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "form/fields.h"

using core::Code;
using Pairs = std::vector<std::pair<std::string, std::string>>;

static Pairs pairs(const form::Fields& fields) {
  Pairs list;
  for (const form::Field& field : fields) list.emplace_back(field.name, field.value);
  return list;
}

TEST_CASE("urlencoded: order, repetition, case and bytes are kept") {
  const struct {
    std::string_view text;
    Pairs want;
  } table[] = {
      {"", {}},
      {"a=1", {{"a", "1"}}},
      {"b=2&a=1&b=3", {{"b", "2"}, {"a", "1"}, {"b", "3"}}},
      {"To=1&to=2", {{"To", "1"}, {"to", "2"}}},
      {"a=x=y%3d", {{"a", "x=y="}}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=1", {{"", "1"}}},
      {"&&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"From=%2B15005550006&Body=a+b%20c", {{"From", "+15005550006"}, {"Body", "a b c"}}},
      {"a+b=%26", {{"a b", "&"}}},
      {"a;b=1;2", {{"a;b", "1;2"}}},
      {"n=M%C3%BCller&l=M%FCller", {{"n", "M\xc3\xbcller"}, {"l", "M\xfcller"}}},
      {"a=%0d%0aX", {{"a", "\r\nX"}}},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    const auto fields = form::parse_urlencoded(row.text);
    REQUIRE(fields);
    CHECK(pairs(*fields) == row.want);
  }
}

TEST_CASE("urlencoded: what is malformed is refused, with a hint") {
  for (const std::string_view text : {"a=%", "a=%4", "a=%zz", "a=%4g", "%=1", "a=1&b=%-1", "a=%00", "a%00=1", "a=%+1"}) {
    CAPTURE(text);
    const auto fields = form::parse_urlencoded(text);
    REQUIRE_FALSE(fields);
    CHECK(fields.error().code == Code::bad_request);
    CHECK_FALSE(fields.error().hint.empty());
  }
  CHECK_FALSE(form::parse_urlencoded(std::string_view("a=\0", 3)));
  const auto kept = form::parse_urlencoded("a=x%00y", {.nul = form::Nul::keep});
  REQUIRE(kept);
  CHECK(kept->first("a") == std::string_view("x\0y", 3));
}

TEST_CASE("urlencoded: limits") {
  const std::string most = "a=" + std::string(65534, 'x');
  CHECK(form::parse_urlencoded(most));
  const auto large = form::parse_urlencoded(most + "x");
  REQUIRE_FALSE(large);
  CHECK(large.error().code == Code::too_large);
  CHECK(large.error().hint.find("64 KB") != std::string::npos);
  CHECK(form::parse_urlencoded("a&b", {.max_fields = 2}));
  CHECK(form::parse_urlencoded("a&b&c", {.max_fields = 2}).error().code == Code::too_large);
  std::string many;
  for (int i = 0; i < 201; ++i) many += "a&";
  CHECK(form::parse_urlencoded(many).error().code == Code::too_large);
}

TEST_CASE("fields answer by name, and say whether they are UTF-8") {
  form::Fields fields;
  CHECK(fields.empty());
  CHECK(fields.valid_utf8());
  fields.add("a", "1");
  fields.add("a", "2");
  CHECK(fields.size() == 2);
  CHECK(fields.first("a") == "1");
  CHECK_FALSE(fields.first("A"));
  CHECK(fields.all("a") == std::vector<std::string_view>{"1", "2"});
  CHECK(fields.all("b").empty());
  const struct {
    std::string_view bytes;
    bool valid;
  } table[] = {
      {"\xc3\xbc", true},          {"\xe2\x82\xac", true},     {"\xf0\x9f\x93\xa0", true}, {"\xf4\x8f\xbf\xbf", true}, {"\xee\x80\x80", true},
      {"\x80", false},             {"\xc0\xaf", false},        {"\xe0\x9f\xbf", false},    {"\xed\xa0\x80", false},    {"\xf0\x8f\xbf\xbf", false},
      {"\xf4\x90\x80\x80", false}, {"\xf5\x80\x80\x80", false}, {"\xe2\x82", false},        {"\xf0\x9f\x93", false},    {"\xc3z", false},
  };
  for (const auto& row : table) {
    CAPTURE(row.bytes);
    form::Fields one;
    one.add("n", std::string(row.bytes));
    CHECK(one.valid_utf8() == row.valid);
    form::Fields other;
    other.add(std::string(row.bytes), "v");
    CHECK(other.valid_utf8() == row.valid);
  }
}
