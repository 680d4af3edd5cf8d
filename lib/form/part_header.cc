#include "form/part_header.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "form/bytes.h"
#include "form/header_value.h"

namespace form {

using core::Code;
using core::Error;

namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxExtensionBytes = 16;

Error damaged(std::string_view what) {
  return bad_request("multipart: " + std::string(what), "The form was sent in a way that cannot be read (" + std::string(what) + ").");
}

struct Line {
  std::string name;  // lower case
  std::string value;
};

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    return byte > ' ' && byte < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(byte) == std::string_view::npos;
  });
}

core::Result<std::vector<Line>> split_lines(std::string_view lines) {
  std::vector<Line> result;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    if (line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos) return damaged("a part's header holds a CR or NUL character");
    if (line.starts_with(' ') || line.starts_with('\t')) {
      if (result.empty()) return damaged("a part's header begins with a blank");
      result.back().value.append(" ").append(without_blanks(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return damaged("a part's header line without name and colon");
    result.push_back({lower(line.substr(0, colon)), std::string(without_blanks(line.substr(colon + 1)))});
  }
  return result;
}

// Browsers write these three, and no others, as percent-encoding (HTML standard, "multipart/form-data encoding
// algorithm"); a "%" of the name itself is left as it is, so nothing else may be decoded.
std::string without_browser_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = text.substr(i, 3);
    const char byte = escape == "%22" ? '"' : escape == "%0D" || escape == "%0d" ? '\r' : escape == "%0A" || escape == "%0a" ? '\n' : '\0';
    plain += byte == '\0' ? text[i] : byte;
    if (byte != '\0') i += 2;
  }
  return plain;
}

// charset'language'percent-encoded (RFC 8187 section 3.2.1). Nothing, if it is not that: then it counts as absent.
std::optional<std::string> extended_value(std::string_view text) {
  const std::size_t first = text.find('\'');
  const std::size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string charset = lower(text.substr(0, first));
  auto bytes = decode_percent(text.substr(second + 1), Plus::itself);
  if (!bytes || charset == "utf-8") return bytes;
  if (charset != "iso-8859-1") return std::nullopt;
  std::string utf8;
  for (const char byte : *bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      utf8 += byte;
    } else {
      utf8 += {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
    }
  }
  return utf8;
}

// C1, and the marks that change the direction of text: "fax\u202Efdp.exe" would read "faxexe.pdf".
bool is_unseen(std::string_view character) {
  if (character.size() == 2) return character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const auto low = static_cast<unsigned char>(character[2]);
  if (character[1] == '\x80') return low == 0x8e || low == 0x8f || (low >= 0xa8 && low <= 0xae);
  return character[1] == '\x81' && low >= 0xa6 && low <= 0xa9;
}

bool is_text(std::string_view content_type) {
  const std::string kind = lower(without_blanks(content_type.substr(0, content_type.find(';'))));
  return kind.starts_with("text/") || kind == "application/json";
}

}  // namespace

std::string shown_file_name(std::string_view name) {
  const std::size_t separator = name.find_last_of("/\\");
  std::string_view rest = separator == std::string_view::npos ? name : name.substr(separator + 1);
  std::string shown;
  while (!rest.empty()) {
    const std::size_t length = character_length(rest);
    const std::string_view character = length == 0 ? std::string_view("\xef\xbf\xbd") : rest.substr(0, length);
    if (!is_control(character.front()) && !is_unseen(character)) shown += character;
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (shown == "." || shown == "..") return {};
  if (shown.size() <= kMaxNameBytes) return shown;
  // Cut before the extension, which tells a person most.
  const std::size_t dot = shown.rfind('.');
  const std::string extension = dot != std::string::npos && shown.size() - dot <= kMaxExtensionBytes ? shown.substr(dot) : std::string();
  std::size_t end = kMaxNameBytes - extension.size();
  while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xc0U) == 0x80) --end;
  return shown.substr(0, end) + extension;
}

core::Result<PartHeader> parse_part_header(std::string_view lines) {
  CORE_TRY(split, split_lines(lines));
  const Line* disposition = nullptr;
  const Line* type = nullptr;
  for (const Line& line : split) {
    if (line.name == "content-disposition") {
      if (disposition != nullptr) return damaged("a part with two Content-Disposition headers");
      disposition = &line;
    } else if (line.name == "content-type") {
      if (type != nullptr) return damaged("a part with two Content-Type headers");
      type = &line;
    } else if (line.name == "content-transfer-encoding") {
      const std::string encoding = lower(line.value);
      // RFC 7578 section 4.7: nobody is to send another one. Storing the encoded bytes would be storing a broken file.
      if (encoding != "binary" && encoding != "8bit" && encoding != "7bit")
        return Error{.code = Code::unsupported,
                     .text = "multipart: a part with a Content-Transfer-Encoding",
                     .hint = "A part of the form has a Content-Transfer-Encoding other than binary, which is not handled."};
    }
  }
  if (disposition == nullptr) return damaged("a part without Content-Disposition");
  CORE_TRY(parsed, parse_header_value(disposition->value));
  if (parsed.kind != "form-data") return damaged("a part whose Content-Disposition is not form-data");
  const Parameter* name = parsed.find("name");
  if (name == nullptr) return damaged("a part without a name");

  PartHeader header;
  header.name = name->quoted ? without_browser_escapes(name->value) : name->value;
  if (header.name.empty()) return damaged("a part without a name");
  if (std::any_of(header.name.begin(), header.name.end(), is_control)) return damaged("a part whose name holds control characters");
  const Parameter* plain = parsed.find("filename");
  const Parameter* extended = parsed.find("filename*");
  if (plain != nullptr) header.file_name = shown_file_name(plain->quoted ? without_browser_escapes(plain->value) : plain->value);
  if (extended != nullptr) {
    if (const auto value = extended_value(extended->value)) header.file_name = shown_file_name(*value);
    if (!header.file_name) header.file_name.emplace();
  }
  header.content_type = type == nullptr || type->value.empty() ? "text/plain" : type->value;
  header.is_file = header.file_name || !is_text(header.content_type);
  return header;
}

}  // namespace form
