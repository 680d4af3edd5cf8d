#include "mime/safe.h"

#include <doctest/doctest.h>

#include <string>

using namespace mime;

TEST_CASE("mime: a line is one line") {
  CHECK(safe_line("+15005550006") == "+15005550006");
  CHECK(safe_line("a\r\nBcc: b") == "a  Bcc: b");
  CHECK(safe_line(std::string("a\0b\x7f", 4)) == "a b");
  CHECK(safe_line("a\u2028b\u0085c") == "a b c");
  CHECK(safe_line("a\u202Efdp.exe") == "a fdp.exe");
  CHECK(safe_line("  Gr\u00fc\u00dfe \U0001F4E0 ") == "Gr\u00fc\u00dfe \U0001F4E0");
  CHECK(safe_line("=?utf-8?B?Cg==?=") == "= ?utf-8?B?Cg== ?=");
  CHECK(safe_line("") == "");
  CHECK(safe_line("\n\n") == "");
  CHECK(safe_line(std::string(300, 'x')).size() == 200);
}

TEST_CASE("mime: broken UTF-8 is mended") {
  for (const char* text : {"\xff", "\x80", "\xc0", "\xc1", "\xe2\x82", "\xf0\x9f"}) {
    CAPTURE(text);
    CHECK(safe_line(text).starts_with("\uFFFD"));
  }
  CHECK(safe_line("\xc0\x8a") == "\uFFFD\uFFFD");          // a line feed, overlong
  CHECK(safe_line("\xed\xa0\x80").starts_with("\uFFFD"));  // a surrogate
  CHECK(safe_line("\xf4\x90\x80\x80").starts_with("\uFFFD"));
  CHECK(safe_line("\xe0\x80\x8a").starts_with("\uFFFD"));
}

TEST_CASE("mime: text keeps its lines") {
  CHECK(safe_text("a\r\nb\rc\nd") == "a\nb\nc\nd\n");
  CHECK(safe_text("a\tb\x1b[0m\n") == "a\tb [0m\n");
  CHECK(safe_text("") == "\n");
}

TEST_CASE("mime: tokens and addresses") {
  CHECK(safe_token("FX0123") == "FX0123");
  CHECK(safe_token("FX\r\nBcc: x") == "FX__Bcc:_x");
  CHECK(safe_token(std::string(300, 'x')).size() == 128);
  CHECK(safe_address("+15005550006@fax.example") == "+15005550006@fax.example");
  CHECK(safe_address("a\r\nBcc: b@c") == "a__Bcc__b@c");
  CHECK(safe_address("a@b@c\n.d") == "a_b@c_.d");
  CHECK(safe_address("fax") == "fax@localhost");
  CHECK(safe_address("@") == "_@localhost");
  CHECK(safe_address("..a..b.@.x") == "_.a._b_@_x");
  CHECK(safe_address("a,b <c>@d") == "a_b__c_@d");
  CHECK(safe_address("") == "");
}

TEST_CASE("mime: file names") {
  CHECK(safe_file_name("Fax von +1500.pdf") == "Fax von +1500.pdf");
  CHECK(safe_file_name("../../etc/passwd") == "_.._etc_passwd");
  CHECK(safe_file_name("C:\\x\r\n.pdf") == "C__x__.pdf");
  CHECK(safe_file_name("") == "fax.pdf");
  CHECK(safe_file_name(" .. ") == "fax.pdf");
  CHECK(safe_file_name("Gr\u00fc\u00dfe.pdf") == "Gr\u00fc\u00dfe.pdf");
  CHECK(safe_file_name(std::string(500, 'x') + ".pdf") == std::string(116, 'x') + ".pdf");
}
