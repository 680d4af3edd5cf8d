#include "sandbox/twiml.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "text/utf8.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;
constexpr std::size_t kMaxDepth = 16;
constexpr std::string_view kSpace = " \t\r\n";

core::Error wrong(std::string_view code, std::string_view why) {
  return {.code = core::Code::bad_request, .text = "read TwiML: " + std::string(why), .field = std::string(code)};
}
core::Error not_xml(std::string_view why) { return wrong("12100", why); }

struct Tag {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  bool closing = false;  // </name>
  bool empty = false;    // <name/>
};

bool is_name(char sign) {
  return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') || (sign >= '0' && sign <= '9') || sign == '_' || sign == '-' || sign == '.' || sign == ':';
}

std::string_view take(std::string_view& rest, std::size_t count) {
  const std::string_view taken = rest.substr(0, count);
  rest.remove_prefix(count);
  return taken;
}

void skip_space(std::string_view& rest) {
  const auto next = rest.find_first_not_of(kSpace);
  rest.remove_prefix(next == std::string_view::npos ? rest.size() : next);
}

std::string_view take_name(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && is_name(rest[length])) ++length;
  return take(rest, length);
}

core::Result<std::string> character(std::string_view reference) {
  for (const auto& [name, sign] : {std::pair<std::string_view, std::string_view>{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}})
    if (reference == name) return std::string(sign);
  if (!reference.starts_with('#')) return not_xml("an unknown reference");
  reference.remove_prefix(1);
  const std::uint32_t base = reference.starts_with('x') ? 16 : 10;
  if (base == 16) reference.remove_prefix(1);
  if (reference.empty() || reference.size() > 7) return not_xml("a reference without a number");
  std::uint32_t code = 0;
  for (const char sign : reference) {
    std::uint32_t digit = 99;
    if (sign >= '0' && sign <= '9') digit = static_cast<std::uint32_t>(sign - '0');
    if (sign >= 'a' && sign <= 'f') digit = static_cast<std::uint32_t>(sign - 'a') + 10;
    if (sign >= 'A' && sign <= 'F') digit = static_cast<std::uint32_t>(sign - 'A') + 10;
    if (digit >= base) return not_xml("a reference without a number");
    code = code * base + digit;
  }
  if (code < 0x20 && code != 9 && code != 10 && code != 13) return not_xml("a forbidden character");
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return not_xml("a forbidden character");
  std::string text;
  text::append_utf8(text, static_cast<char32_t>(code));
  return text;
}

core::Result<std::string> unescape(std::string_view raw) {
  std::string text;
  while (!raw.empty()) {
    const auto ampersand = raw.find('&');
    text.append(take(raw, std::min(ampersand, raw.size())));
    if (raw.empty()) break;
    const auto end = raw.find(';');
    if (end == std::string_view::npos) return not_xml("a reference without an end");
    CORE_TRY(sign, character(raw.substr(1, end - 1)));
    text += sign;
    raw.remove_prefix(end + 1);
  }
  return text;
}

// `rest` stands behind "<".
core::Result<Tag> take_tag(std::string_view& rest) {
  Tag tag;
  if (rest.starts_with('/')) {
    tag.closing = true;
    rest.remove_prefix(1);
  }
  tag.name = take_name(rest);
  if (tag.name.empty()) return not_xml("a tag without a name");
  for (;;) {
    const std::size_t before = rest.size();
    skip_space(rest);
    if (rest.starts_with('>')) {
      rest.remove_prefix(1);
      return tag;
    }
    if (rest.starts_with("/>") && !tag.closing) {
      rest.remove_prefix(2);
      tag.empty = true;
      return tag;
    }
    if (tag.closing || rest.size() == before) return not_xml("a tag without an end");
    const std::string name(take_name(rest));
    skip_space(rest);
    if (name.empty() || !rest.starts_with('=')) return not_xml("an attribute without a value");
    rest.remove_prefix(1);
    skip_space(rest);
    const char quote = rest.empty() ? '\0' : rest.front();
    const auto end = quote == '"' || quote == '\'' ? rest.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) return not_xml("an attribute without a value");
    const std::string_view raw = rest.substr(1, end - 1);
    if (raw.find('<') != std::string_view::npos) return not_xml("\"<\" in an attribute");
    CORE_TRY(value, unescape(raw));
    for (const auto& attribute : tag.attributes)
      if (attribute.first == name) return not_xml("an attribute that is there twice");
    tag.attributes.emplace_back(name, std::move(value));
    rest.remove_prefix(end + 1);
  }
}

// Comments and declarations, which say nothing to us. True if there was one.
core::Result<bool> skip_markup(std::string_view& rest) {
  for (const auto& [begin, end] : {std::pair<std::string_view, std::string_view>{"!--", "-->"}, {"?", "?>"}}) {
    if (!rest.starts_with(begin)) continue;
    const auto at = rest.find(end, begin.size());
    if (at == std::string_view::npos) return not_xml("a comment or declaration without an end");
    rest.remove_prefix(at + end.size());
    return true;
  }
  if (rest.starts_with('!')) return not_xml("a declaration that is not understood");
  return false;
}

core::Result<Receive> receive_of(const Tag& tag) {
  Receive receive;
  receive.reject = tag.name == "Reject";
  if (receive.reject && !tag.attributes.empty()) return wrong("34106", "an attribute of <Reject>, which has none");
  for (const auto& [name, value] : tag.attributes) {
    if (name == "action") receive.action = text::trim(value);
    else if (name == "method") receive.method = value;
    else if (name == "mediaType") receive.media_type = value;
    else if (name == "storeMedia" && (value == "true" || value == "false")) receive.store_media_given = true, receive.store_media = value == "true";
    else if (name != "pageSize") return wrong("34106", "an attribute of <Receive> that is not known, or its value");
  }
  if (receive.method != "POST" && receive.method != "GET") return wrong("34106", "a method that is not known");
  if (receive.media_type != "application/pdf" && receive.media_type != "image/tiff") return wrong("34106", "a mediaType that is not known");
  return receive;
}

}  // namespace

core::Result<Receive> read_twiml(std::string_view xml) {
  if (xml.size() > kMaxBytes) return not_xml("too long");
  if (!text::valid_utf8(xml)) return not_xml("not UTF-8");
  if (xml.starts_with("\xEF\xBB\xBF")) xml.remove_prefix(3);
  std::vector<std::string> open;
  std::optional<Tag> receive;
  bool seen_root = false;
  while (!xml.empty()) {
    const auto next = std::min(xml.find('<'), xml.size());
    if (open.empty() && !text::trim(xml.substr(0, next)).empty()) return not_xml("text outside the root");
    CORE_CHECK(unescape(xml.substr(0, next)));
    xml.remove_prefix(next);
    if (xml.empty()) break;
    xml.remove_prefix(1);
    CORE_TRY(skipped, skip_markup(xml));
    if (skipped) continue;
    CORE_TRY(tag, take_tag(xml));
    if (tag.closing) {
      if (open.empty() || open.back() != tag.name) return not_xml("a closing tag that does not fit");
      open.pop_back();
      continue;
    }
    if (open.empty() && std::exchange(seen_root, true)) return not_xml("two roots");
    if (open.empty() && tag.name != "Response") return not_xml("no <Response>");
    if (open.size() == 1 && (tag.name == "Receive" || tag.name == "Reject") && !receive) receive = tag;
    if (!tag.empty) open.push_back(tag.name);
    if (open.size() > kMaxDepth) return not_xml("too deep");
  }
  if (!seen_root || !open.empty()) return not_xml("cut off");
  if (!receive) return wrong("34106", "no <Receive>");
  return receive_of(*receive);
}

}  // namespace sandbox
