#include "mime/words.h"

#include <algorithm>
#include <memory>

#include <glib.h>

namespace mime {

namespace {

constexpr std::size_t kBytes = 39;  // of a word, before base64
constexpr std::size_t kPlain = 60;  // characters in front of the first encoded word

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::string base64(std::string_view bytes) {
  const std::unique_ptr<gchar, decltype(&g_free)> text(g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size()), &g_free);
  return text.get();
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string encoded_words(std::string_view text) {
  std::string words;
  while (!text.empty()) {
    auto length = std::min(kBytes, text.size());
    while (length > 1 && length < text.size() && continues(text[length])) --length;
    words += (words.empty() ? "=?utf-8?B?" : "\n =?utf-8?B?") + base64(text.substr(0, length)) + "?=";
    text.remove_prefix(length);
  }
  return words;
}

std::string encoded_text(std::string_view text) {
  const auto first = std::find_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  const auto space = text.substr(0, static_cast<std::size_t>(first - text.begin())).rfind(' ');
  if (space == std::string_view::npos || space == 0 || space > kPlain) return encoded_words(text);
  return std::string(text.substr(0, space)) + "\n " + encoded_words(text.substr(space + 1));
}

}  // namespace mime
