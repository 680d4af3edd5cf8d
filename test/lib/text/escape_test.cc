#include <doctest/doctest.h>

#include <string>

#include "text/escape.h"

using text::Disposition;

TEST_CASE("XML: what would be markup is escaped") {
  CHECK(text::xml_escape("<a href=\"x\">'&'</a>") == "&lt;a href=&quot;x&quot;&gt;&apos;&amp;&apos;&lt;/a&gt;");
  CHECK(text::xml_escape("https://user:pass@host/?a=1&b=2") == "https://user:pass@host/?a=1&amp;b=2");
  CHECK(text::xml_escape("]]>") == "]]&gt;");
  CHECK(text::xml_escape("").empty());
}

TEST_CASE("XML: white space that a parser would change becomes references") {
  CHECK(text::xml_escape("a\tb\nc\rd e") == "a&#9;b&#10;c&#13;d e");
}

TEST_CASE("XML: forbidden characters are dropped, broken bytes replaced") {
  CHECK(text::xml_escape(std::string("a\0b\x01\x08\x0b\x0c\x0e\x1f" "c", 10)) == "abc");
  CHECK(text::xml_escape("a\uFFFE\uFFFFb") == "ab");
  CHECK(text::xml_escape("\x7f\u0085") == "\x7f\u0085");  // discouraged, yet allowed
  CHECK(text::xml_escape("M\xfcller €\xf0\x9f\x93\xa0") == "M\uFFFDller €\xf0\x9f\x93\xa0");
  CHECK(text::xml_escape("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("Content-Disposition: a plain name needs one form") {
  CHECK(text::content_disposition(Disposition::attachment, "scan.pdf") == "attachment; filename=\"scan.pdf\"");
  CHECK(text::content_disposition(Disposition::in_page, "Fax to John's (2).pdf") == "inline; filename=\"Fax to John's (2).pdf\"");
}

TEST_CASE("Content-Disposition: other names get a fallback and the real one") {
  CHECK(text::content_disposition(Disposition::attachment, "Müller €.pdf") == "attachment; filename=\"M_ller _.pdf\"; filename*=UTF-8''M%C3%BCller%20%E2%82%AC.pdf");
  CHECK(text::content_disposition(Disposition::attachment, "a\"b.pdf") == "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf");
  CHECK(text::content_disposition(Disposition::attachment, "100%41.pdf") == "attachment; filename=\"100_41.pdf\"; filename*=UTF-8''100%2541.pdf");
  CHECK(text::content_disposition(Disposition::attachment, "M\xfc.pdf") == "attachment; filename=\"M_.pdf\"; filename*=UTF-8''M%EF%BF%BD.pdf");
}

TEST_CASE("Content-Disposition: no path, no new header, no turned direction") {
  CHECK(text::content_disposition(Disposition::attachment, "../../etc/passwd") == "attachment; filename=\"_.._etc_passwd\"");
  CHECK(text::content_disposition(Disposition::attachment, "C:\\fax.pdf") == "attachment; filename=\"C:_fax.pdf\"");
  CHECK(text::content_disposition(Disposition::attachment, "a.pdf\r\nSet-Cookie: x=1\x7f") == "attachment; filename=\"a.pdfSet-Cookie: x=1\"");
  CHECK(text::content_disposition(Disposition::attachment, "a\u202Efdp.exe") == "attachment; filename=\"afdp.exe\"");
  CHECK(text::content_disposition(Disposition::attachment, std::string("a\0b", 3)) == "attachment; filename=\"ab\"");
  CHECK(text::content_disposition(Disposition::attachment, "a\";filename=\"b.exe") ==
        "attachment; filename=\"a_;filename=_b.exe\"; filename*=UTF-8''a%22%3Bfilename%3D%22b.exe");
}

TEST_CASE("Content-Disposition: a name is never empty, hidden or endless") {
  for (const char* name : {"", ".", "..", " . ", "\n", "\u200F"}) {
    CAPTURE(name);
    CHECK(text::content_disposition(Disposition::in_page, name) == "inline; filename=\"document\"");
  }
  CHECK(text::content_disposition(Disposition::in_page, ".bashrc") == "inline; filename=\"bashrc\"");
  CHECK(text::content_disposition(Disposition::in_page, std::string(500, 'a') + ".pdf") == "inline; filename=\"" + std::string(120, 'a') + ".pdf\"");
  CHECK(text::content_disposition(Disposition::in_page, "a." + std::string(500, 'b')) == "inline; filename=\"a." + std::string(118, 'b') + "\"");
}
