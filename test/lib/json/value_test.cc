#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "json/value.h"

using core::Code;

TEST_CASE("every kind of value answers to its own question only") {
  const auto parsed = json::parse(R"( {"text":"a\u20ac\n","number":7,"half":0.5,"yes":true,"no":false,"none":null,"list":[1,[2]],"sub":{"id":"x"}} )");
  REQUIRE(parsed);
  const json::Value& value = *parsed;
  CHECK(value.is_object());
  CHECK(value.members().size() == 8);
  CHECK(value.members()[0].name == "text");
  CHECK(value["text"].as_string() == "a\xe2\x82\xac\n");
  CHECK(value["text"].is_string());
  CHECK(value["number"].as_int64() == 7);
  CHECK(value["number"].as_double() == 7.0);
  CHECK(value["half"].as_double() == 0.5);
  CHECK(value["yes"].as_bool() == true);
  CHECK(value["no"].as_bool() == false);
  CHECK(value["none"].is_null());
  REQUIRE(value["list"].items().size() == 2);
  CHECK(value["list"].is_array());
  CHECK(value["list"].items()[1].items()[0].as_int64() == 2);
  CHECK(value["sub"]["id"].as_string() == "x");

  CHECK_FALSE(value["number"].as_string());
  CHECK_FALSE(value["number"].as_bool());
  CHECK_FALSE(value["text"].as_int64());
  CHECK_FALSE(value["text"].as_double());
  CHECK_FALSE(value["yes"].as_int64());
  CHECK_FALSE(value["half"].as_int64());
  CHECK(value["text"].items().empty());
  CHECK(value["list"].members().empty());
}

TEST_CASE("what is not there reads as null, however deep") {
  const auto value = json::parse(R"({"data":null})");
  REQUIRE(value);
  CHECK(value->find("data") != nullptr);
  CHECK(value->find("Data") == nullptr);
  CHECK((*value)["data"]["fax"]["id"].is_null());
  CHECK(json::Value().is_null());
  CHECK(json::parse("3")->find("a") == nullptr);
}

TEST_CASE("a whole number is exact or no int64") {
  CHECK(json::parse("9223372036854775807")->as_int64() == std::numeric_limits<std::int64_t>::max());
  CHECK(json::parse("-9223372036854775808")->as_int64() == std::numeric_limits<std::int64_t>::min());
  CHECK(json::parse("9007199254740993")->as_int64() == 9007199254740993);
  CHECK(json::parse("3000000000")->as_int64() == 3000000000);
  CHECK(json::parse("-0")->as_int64() == 0);
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1.0", "1e3"}) {
    CAPTURE(text);
    const auto value = json::parse(text);
    REQUIRE(value);
    CHECK_FALSE(value->as_int64());
    CHECK(value->as_double());
  }
}

TEST_CASE("what is not JSON is refused, with a hint that does not repeat it") {
  const std::string_view table[] = {
      "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:2}", "nul", "NaN", "Infinity", "01", "+1", "1.", ".5", "1e",
      "\"a", "\"\\x\"", "\"\\u12\"", "\"\n\"", "1 2", "{} x", "// c\n1", "1e999", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
      "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\xff", "[\"hunter2\"",
      "{\"a\":1,\"a\":1}", "[{\"b\":{\"a\":1,\"\\u0061\":2}}]",
  };
  for (const auto text : table) {
    CAPTURE(text);
    const auto value = json::parse(text);
    REQUIRE_FALSE(value);
    CHECK(value.error().code == Code::bad_request);
    CHECK_FALSE(value.error().hint.empty());
    CHECK((value.error().text + value.error().hint).find("hunter2") == std::string::npos);
  }
  CHECK_FALSE(json::parse(std::string_view("1\0", 2)));
}

TEST_CASE("limits") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(json::parse(nested(32)));
  CHECK(json::parse(nested(33)).error().code == Code::bad_request);
  CHECK(json::parse(std::string(500000, '[')).error().code == Code::bad_request);
  CHECK(json::parse(R"({"a":{"a":1}})", {.max_depth = 2}));
  CHECK_FALSE(json::parse(R"({"a":{"a":[]}})", {.max_depth = 2}));
  CHECK(json::parse("[1]", {.max_bytes = 3}));
  const auto large = json::parse("[11]", {.max_bytes = 3});
  REQUIRE_FALSE(large);
  CHECK(large.error().code == Code::too_large);
  CHECK(large.error().hint.find("3 bytes") != std::string::npos);
}

TEST_CASE("many members, and NUL in a string") {
  std::string text = "{";
  for (int i = 0; i < 50000; ++i) text += "\"" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text += "\"last\":\"a\\u0000b\"}";
  const auto value = json::parse(text);
  REQUIRE(value);
  CHECK((*value)["49999"].as_int64() == 49999);
  CHECK((*value)["last"].as_string() == std::string_view("a\0b", 3));
  CHECK(json::parse("\xef\xbb\xbf{}"));
}

TEST_CASE("a name twice, where that is taken: the last one counts, at every depth") {
  constexpr std::string_view kText = R"({"b":1,"a":{"x":1,"y":2,"x":3},"b":2,"c":4,"b":"last"})";
  CHECK_FALSE(json::parse(kText));
  const auto value = json::parse(kText, {.repeated_names = true});
  REQUIRE(value);
  REQUIRE(value->members().size() == 3);
  CHECK(value->members()[0].name == "a");
  CHECK(value->members()[1].name == "c");
  CHECK((*value)["b"].as_string() == "last");
  CHECK((*value)["a"]["x"].as_int64() == 3);
  CHECK((*value)["a"]["y"].as_int64() == 2);
}
