#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"
#include "json/writer.h"

TEST_CASE("a document of every kind") {
  json::Writer writer;
  const std::string owned = "owned";
  writer.begin_object()
      .member("text", "a\"b\\c/")
      .member("owned", owned)
      .member("view", std::string_view("v"))
      .member("yes", true)
      .member("int", -1)
      .member("size", std::size_t{3})
      .member("none", nullptr)
      .member("maybe", std::optional<std::string_view>())
      .member("surely", std::optional<int>(4))
      .key("list").begin_array().value(1).value("x").begin_object().end_object().begin_array().end_array().end_array()
      .key("raw").raw(R"({"a":[1,2]})")
      .end_object();
  CHECK(writer.text() ==
        R"({"text":"a\"b\\c/","owned":"owned","view":"v","yes":true,"int":-1,"size":3,"none":null,"maybe":null,"surely":4,)"
        R"("list":[1,"x",{},[]],"raw":{"a":[1,2]}})");
}

TEST_CASE("numbers: whole ones to the last digit, the others shortest") {
  const auto text = [](auto number) {
    json::Writer writer;
    return writer.value(number).text();
  };
  CHECK(text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(text(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
  CHECK(text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(text(0.1) == "0.1");
  CHECK(text(5.0) == "5.0");
  CHECK(text(-0.0) == "-0.0");
  CHECK(text(1e300) == "1e+300");
  CHECK(text(std::numeric_limits<double>::infinity()) == "null");
  CHECK(text(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("whatever the bytes, the text is valid UTF-8 without control characters") {
  const struct {
    std::string_view bytes, want;
  } table[] = {
      {"", R"("")"},
      {"M\xc3\xbcller", "\"M\xc3\xbcller\""},
      {"a\tb\nc\r\x01\x1f", R"("a\tb\nc\r\u0001\u001f")"},
      {std::string_view("\0", 1), R"("\u0000")"},
      {"\x7f\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u007f\\u0080\\u009f\xc2\xa0\""},
      {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\"\\u2028\\u2029\xe2\x80\xaa\""},
      {"M\xfcller", "\"M\xef\xbf\xbdller\""},
      {"cut \xe2\x82", "\"cut \xef\xbf\xbd\""},
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xf0\x9f\x93\xa0", "\"\xf0\x9f\x93\xa0\""},
  };
  for (const auto& row : table) {
    CAPTURE(row.want);
    std::string text;
    json::append_quoted(text, row.bytes);
    CHECK(text == row.want);
    CHECK(json::parse(text));
  }
  json::Writer writer;
  writer.begin_object().key("a\n\xff").value(1).end_object();
  CHECK(writer.text() == "{\"a\\n\xef\xbf\xbd\":1}");
}

TEST_CASE("raw text that is no JSON becomes a string") {
  for (const std::string_view text : std::initializer_list<std::string_view>{"{", "", "1 2", "\xef\xbb\xbf{}", "\"\xff\"", {"1\0", 2}}) {
    CAPTURE(text);
    json::Writer writer;
    writer.begin_array().raw(text).raw("[ 1 ]").end_array();
    const auto value = json::parse(writer.text());
    REQUIRE(value);
    CHECK(value->items()[0].is_string());
    CHECK(value->items()[1].items()[0].as_int64() == 1);
  }
}
