// The text module on bytes from outside: what it promises holds whatever they are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "text/escape.h"
#include "text/percent.h"
#include "text/utf8.h"
#include "text/words.h"

namespace {
void require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto plus : {text::PlusMeans::plus, text::PlusMeans::space}) {
    require(text::percent_decode(text::percent_encode(bytes), plus).value() == bytes);
    if (const auto decoded = text::percent_decode(bytes, plus)) require(decoded.value().size() <= size);
  }
  const std::string repaired = text::to_valid_utf8(bytes);
  require(text::valid_utf8(repaired) && (repaired == bytes || !text::valid_utf8(bytes)));
  const std::string xml = text::xml_escape(bytes);
  require(text::valid_utf8(xml) && xml.find_first_of("<>\"'\t\n\r") == std::string::npos);
  const std::string header = text::content_disposition(text::Disposition::attachment, bytes);
  for (const char byte : header) require(byte >= ' ' && byte < '\x7f');
  require(header.find_first_of("/\\") == std::string::npos);
  if (const auto number = text::parse_int64(bytes)) require(text::parse_int64(std::to_string(*number)) == number);
  return 0;
}
