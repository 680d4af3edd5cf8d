#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "text/utf8.h"

TEST_CASE("every character that RFC 3629 allows goes there and back") {
  for (char32_t code = 0; code <= 0x10ffff; ++code) {
    if (code == 0xd800) code = 0xe000;
    std::string encoded;
    text::append_utf8(encoded, code);
    std::string_view rest = encoded;
    const auto character = text::take_character(rest);
    if (!character.valid || character.code != code || !rest.empty()) FAIL("character ", static_cast<unsigned>(code));
  }
  std::string euro;
  text::append_utf8(euro, 0x20ac);
  text::append_utf8(euro, 0x1f4e0);
  CHECK(euro == "\xe2\x82\xac\xf0\x9f\x93\xa0");
}

TEST_CASE("broken sequences are found, and each becomes one replacement character") {
  const struct {
    std::string_view label, bytes, repaired;
  } table[] = {
      {"lone following byte", "a\x80z", "a\uFFFDz"},
      {"overlong of two", "\xc0\xaf", "\uFFFD\uFFFD"},
      {"overlong of three", "\xe0\x80\xaf", "\uFFFD\uFFFD\uFFFD"},
      {"overlong of four", "\xf0\x80\x80\xaf", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"above U+10FFFF", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"never a lead", "\xf5\xfe\xff", "\uFFFD\uFFFD\uFFFD"},
      {"cut at the end", "a\xe2\x82", "a\uFFFD"},
      {"cut in four", "\xf0\x9f\x93", "\uFFFD"},
      {"cut in the middle", "\xe2\x82xyz", "\uFFFDxyz"},
      {"cut by another lead", "\xf0\x9f\xe2\x82\xac", "\uFFFD\xe2\x82\xac"},
      {"Latin-1", "M\xfcller", "M\uFFFDller"},
  };
  for (const auto& row : table) {
    CAPTURE(row.label);
    CHECK_FALSE(text::valid_utf8(row.bytes));
    CHECK(text::to_valid_utf8(row.bytes) == row.repaired);
    CHECK(text::valid_utf8(text::to_valid_utf8(row.bytes)));
  }
}

TEST_CASE("valid text stays as it is") {
  for (const std::string_view good : {std::string_view(""), std::string_view("plain"), std::string_view("Müller €\xf0\x9f\x93\xa0 \uFFFD"), std::string_view("\0", 1)}) {
    CHECK(text::valid_utf8(good));
    CHECK(text::to_valid_utf8(good) == good);
  }
}
