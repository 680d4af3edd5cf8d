#include <doctest/doctest.h>

#include <string>

#include "text/percent.h"

using text::PlusMeans;

TEST_CASE("all but the unreserved characters is encoded") {
  CHECK(text::percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(text::percent_encode(" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}") == "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
  CHECK(text::percent_encode("é") == "%C3%A9");
  CHECK(text::percent_encode(std::string("\0\xff", 2)) == "%00%FF");
  CHECK(text::percent_encode("").empty());
}

TEST_CASE("a password with colon, at and slash survives in a URL") {
  CHECK(text::percent_encode("a:b@c/d") == "a%3Ab%40c%2Fd");
}

TEST_CASE("every byte comes back") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(text::percent_decode(text::percent_encode(all), PlusMeans::plus).value() == all);
  CHECK(text::percent_decode(text::percent_encode(all), PlusMeans::space).value() == all);
}

TEST_CASE("a plus is what the place says") {
  CHECK(text::percent_decode("a+b%2B", PlusMeans::plus).value() == "a+b+");
  CHECK(text::percent_decode("a+b%2B", PlusMeans::space).value() == "a b+");
}

TEST_CASE("decoding takes either case and leaves the rest alone") {
  CHECK(text::percent_decode("%c3%A9 &=é", PlusMeans::plus).value() == "é &=é");
  CHECK(text::percent_decode("", PlusMeans::plus).value().empty());
  CHECK(text::percent_decode("%00", PlusMeans::plus).value() == std::string(1, '\0'));
  CHECK(text::percent_decode("%2541", PlusMeans::plus).value() == "%41");
}

TEST_CASE("a malformed percent sign is refused") {
  for (const char* broken : {"%", "a%", "%4", "%4g", "%g4", "%%41", "% 1", "%+1", "%1+", "%-1", "%0x"}) {
    CAPTURE(broken);
    const auto decoded = text::percent_decode(broken, PlusMeans::space);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == core::Code::bad_request);
  }
}
