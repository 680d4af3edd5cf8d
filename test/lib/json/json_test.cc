#include "json/json.h"

#include <doctest/doctest.h>

TEST_CASE("reading: what is there, and nothing else") {
  const auto v = json::parse(R"({"a":{"b":[1,"x",null,true]},"n":9223372036854775807,"big":9223372036854775808,"f":1.5,"s":"ü\n"})").value();
  CHECK(v["a"]["b"].items().size() == 4);
  CHECK(v["a"]["b"].items()[0].int64() == 1);
  CHECK(v["a"]["b"].items()[3].flag() == true);
  CHECK(v["n"].int64() == INT64_MAX);
  CHECK_FALSE(v["big"].int64());
  CHECK_FALSE(v["f"].int64());
  CHECK(v["s"].text() == "ü\n");
  CHECK_FALSE(v["nothing"]["at"]["all"].text());
  CHECK_FALSE(v["n"].text());
  CHECK(v["n"].text_or_number() == "9223372036854775807");
  CHECK(v.members().size() == 5);
}

TEST_CASE("what is no JSON is a bad request") {
  for (const auto* text : {"", "{", "{\"a\":}", "[1,]", "nul", "\"\xff\"", "{} x", "'a'"}) CHECK(json::parse(text).error().code == core::Code::bad_request);
  CHECK_FALSE(json::parse(std::string(100, '[') + std::string(100, ']')));
  CHECK_FALSE(json::parse(std::string(2'000'000, '[')));
  CHECK_FALSE(json::parse("[1,2,3]", 3));
  CHECK(json::parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""));
}

TEST_CASE("writing: commas, escapes, UTF-8 whatever comes") {
  json::Writer w;
  w.begin_object().key("id").value("a\"b\n").key("n").value(std::int64_t{3'000'000'000}).key("none").value(std::optional<std::int64_t>()).key("list").begin_array().value(1).value(true).begin_object().end_object().end_array();
  w.key("bad").value("\xff").key("empty").text_or_null("").end_object();
  CHECK(w.text() == "{\"id\":\"a\\\"b\\n\",\"n\":3000000000,\"none\":null,\"list\":[1,true,{}],\"bad\":\"\xef\xbf\xbd\",\"empty\":null}");
  CHECK(json::parse(w.text()));
}
