#include "document/kind.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/fd.h"

using namespace document;
using namespace std::string_literals;

namespace {

Kind whole(std::string_view bytes) { return kind_of(bytes, Extent::whole); }

core::UniqueFd file(std::string_view content) {
  core::UniqueFd fd(::memfd_create("document", MFD_CLOEXEC));
  REQUIRE(core::write_all(fd.get(), content, "document").has_value());
  return fd;
}

}  // namespace

TEST_CASE("each kind by its first bytes") {
  const struct { std::string label; std::string bytes; Kind want; } rows[] = {
      {"PDF", "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", Kind::pdf},
      {"PDF after junk", std::string(1019, '\0') + "%PDF-1.4", Kind::pdf},
      {"PDF header too late", std::string(1020, '\0') + "%PDF-1.4", Kind::unknown},
      {"header cut", "%PDF", Kind::text},
      {"JPEG", "\xFF\xD8\xFF\xE0\0\x10JFIF"s, Kind::jpeg},
      {"PNG", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s, Kind::png},
      {"PNG broken by a transfer as text", "\x89PNG\n\x1A\n", Kind::unknown},
      {"TIFF, little", "II*\0\x08\0\0\0"s, Kind::tiff},
      {"TIFF, big", "MM\0*\0\0\0\x08"s, Kind::tiff},
      {"BigTIFF", "II+\0\x08\0\0\0"s, Kind::unknown},
      {"docx", "PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0............[Content_Types].xml"s, Kind::office},
      {"odt", "PK\x03\x04\x14\0\0\x08..................mimetypeapplication/vnd.oasis.opendocument.textPK"s, Kind::office},
      {"any ZIP", "PK\x03\x04\x14\0\0\x08..................holiday.jpg"s, Kind::unknown},
      {"doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0"s, Kind::office},
      {"RTF", "{\\rtf1\\ansi Dear}", Kind::office},
      {"text", "Dear Sir,\r\n\tthe fee is 5 \xE2\x82\xAC.\f\n", Kind::text},
      {"text with a mark", "\xEF\xBB\xBFtext", Kind::text},
      {"HTML", "<!doctype html><script>", Kind::text},
      {"Latin-1", "fa\xE7" "ade", Kind::unknown},
      {"escape sequences", "\x1B[31mred", Kind::unknown},
      {"a NUL", "text\0text"s, Kind::unknown},
      {"PostScript", "%!PS-Adobe-3.0\nshowpage", Kind::unknown},
      {"program", "\x7F" "ELF\x02\x01\x01"s, Kind::unknown},
      {"nothing", "", Kind::empty},
  };
  for (const auto& row : rows) {
    CAPTURE(row.label);
    CHECK(name(whole(row.bytes)) == name(row.want));
    CHECK(kind_of(file(row.bytes).get()).value() == row.want);
  }
}

TEST_CASE("a polyglot is what it begins as") {
  CHECK(whole("\xFF\xD8\xFF\xE0\0\x10JFIF%PDF-1.4"s) == Kind::jpeg);
  CHECK(whole("%PDF-1.4\nPK\x03\x04word/document.xml"s) == Kind::pdf);
  CHECK(whole("<html>%PDF-1.4") == Kind::pdf);
  CHECK(whole("PK\x03\x04 [Content_Types].xml %PDF-1.4") == Kind::office);
}

TEST_CASE("a character that the beginning cuts in two is no reason to doubt the text") {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'x');
    while (text.size() < 8000) text += "\xF0\x9F\x93\xA0";
    CAPTURE(shift);
    CHECK(kind_of(file(text).get()).value() == Kind::text);
    CHECK(kind_of(std::string_view(text).substr(0, 4096), Extent::beginning) == Kind::text);
  }
  CHECK(kind_of("abc\xE2\x82", Extent::beginning) == Kind::text);
  CHECK(kind_of("abc\xE2\x82", Extent::whole) == Kind::unknown);
  CHECK(kind_of("\x80\x80\x80\x80", Extent::beginning) == Kind::unknown);
}

TEST_CASE("reading does not move the descriptor; what is no file is refused at once") {
  const auto fd = file("%PDF-1.4");
  REQUIRE(::lseek(fd.get(), 3, SEEK_SET) == 3);
  CHECK(kind_of(fd.get()).value() == Kind::pdf);
  CHECK(::lseek(fd.get(), 0, SEEK_CUR) == 3);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const core::UniqueFd reading(ends[0]), writing(ends[1]);
  CHECK(kind_of(reading.get()).error().code == core::Code::bad_request);
  const core::UniqueFd folder(::open("/", O_RDONLY | O_DIRECTORY));
  CHECK(kind_of(folder.get()).error().code == core::Code::bad_request);
  CHECK_FALSE(kind_of(-1).has_value());
}

TEST_CASE("every kind has its name") {
  CHECK(name(Kind::pdf) == "pdf");
  CHECK(name(Kind::jpeg) == "jpeg");
  CHECK(name(Kind::png) == "png");
  CHECK(name(Kind::tiff) == "tiff");
  CHECK(name(Kind::text) == "text");
  CHECK(name(Kind::office) == "office");
  CHECK(name(Kind::empty) == "empty");
  CHECK(name(Kind::unknown) == "unknown");
}
