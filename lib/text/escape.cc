#include "text/escape.h"

#include "text/percent.h"
#include "text/utf8.h"

namespace text {

namespace {

constexpr std::size_t kStemCharacters = 120;
constexpr std::size_t kEndingCharacters = 10;

bool forbidden_in_xml(char32_t code) { return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || code == 0xfffe || code == 0xffff; }

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029; }

// With one of these "fdp.exe" can be made to read "exe.pdf" (Unicode, UAX 9).
bool turns_direction(char32_t code) {
  return code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::u32string safe_name(std::string_view rest) {
  std::u32string name;
  while (!rest.empty()) {
    const char32_t code = take_character(rest).code;
    if (is_control(code) || turns_direction(code)) continue;
    if (name.empty() && (code == '.' || code == ' ')) continue;
    name += code == '/' || code == '\\' ? U'_' : code;
  }
  const std::size_t dot = name.rfind(U'.');
  const std::size_t stem = dot != std::u32string::npos && name.size() - dot <= kEndingCharacters ? dot : name.size();
  if (stem > kStemCharacters) name.erase(kStemCharacters, stem - kStemCharacters);
  return name.empty() ? U"document" : name;
}

// "%" is left out too: some browsers decode it in the plain form (RFC 6266, appendix D).
bool plain(char32_t code) { return code >= ' ' && code < 0x7f && code != '"' && code != '%'; }

}  // namespace

std::string xml_escape(std::string_view rest) {
  std::string escaped;
  escaped.reserve(rest.size());
  while (!rest.empty()) {
    const char32_t code = take_character(rest).code;
    switch (code) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&apos;"; break;
      case '\t': escaped += "&#9;"; break;
      case '\n': escaped += "&#10;"; break;
      case '\r': escaped += "&#13;"; break;
      default:
        if (!forbidden_in_xml(code)) append_utf8(escaped, code);
    }
  }
  return escaped;
}

std::string content_disposition(Disposition disposition, std::string_view utf8_name) {
  std::string ascii;
  std::string utf8;
  bool same = true;
  for (const char32_t code : safe_name(utf8_name)) {
    same = same && plain(code);
    ascii += plain(code) ? static_cast<char>(code) : '_';
    append_utf8(utf8, code);
  }
  std::string value = disposition == Disposition::in_page ? "inline" : "attachment";
  value += "; filename=\"" + ascii + "\"";
  if (!same) value += "; filename*=UTF-8''" + percent_encode(utf8);
  return value;
}

}  // namespace text
