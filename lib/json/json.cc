#include "json/json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "text/utf8.h"

namespace json {

namespace {

using Library = nlohmann::json;
constexpr int kMaxDepth = 32;

const Library& node_of(const void* node) { return *static_cast<const Library*>(node); }

// Depth without building anything: nested text must not cost memory.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      else if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

core::Result<Value> parse(std::string_view text, std::size_t max_bytes) {
  const auto broken = [](const char* why) { return core::Error{core::Code::bad_request, std::string("JSON: ") + why, "The request is malformed: its body is not valid JSON."}; };
  if (text.size() > max_bytes) return broken("too long");
  if (!text::valid_utf8(text)) return broken("not UTF-8");
  if (is_too_deep(text)) return broken("too deep");
  auto whole = std::make_shared<Library>(Library::parse(text, nullptr, false));
  if (whole->is_discarded()) return broken("does not parse");
  return Value(whole, whole.get());
}

Value::operator bool() const { return node_ != nullptr && !node_of(node_).is_null(); }
bool Value::is_object() const { return node_ != nullptr && node_of(node_).is_object(); }
bool Value::is_array() const { return node_ != nullptr && node_of(node_).is_array(); }

Value Value::operator[](std::string_view name) const {
  if (!is_object()) return {};
  const auto found = node_of(node_).find(std::string(name));
  return found == node_of(node_).end() ? Value() : Value(owner_, &*found);
}

std::vector<Value> Value::items() const {
  std::vector<Value> list;
  if (is_array())
    for (const auto& item : node_of(node_)) list.push_back(Value(owner_, &item));
  return list;
}

std::vector<std::pair<std::string, Value>> Value::members() const {
  std::vector<std::pair<std::string, Value>> list;
  if (is_object())
    for (const auto& [name, item] : node_of(node_).items()) list.emplace_back(name, Value(owner_, &item));
  return list;
}

std::optional<std::string> Value::text() const {
  if (node_ == nullptr || !node_of(node_).is_string()) return std::nullopt;
  return node_of(node_).get_ref<const std::string&>();
}

std::optional<std::int64_t> Value::int64() const {
  if (node_ == nullptr || !node_of(node_).is_number_integer()) return std::nullopt;
  const auto& number = node_of(node_);
  if (number.is_number_unsigned() && number.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return number.get<std::int64_t>();
}

std::optional<bool> Value::flag() const {
  if (node_ == nullptr || !node_of(node_).is_boolean()) return std::nullopt;
  return node_of(node_).get<bool>();
}

std::optional<std::string> Value::text_or_number() const {
  if (const auto number = int64()) return std::to_string(*number);
  return text();
}

void Writer::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

Writer& Writer::begin_object() {
  separate();
  text_ += '{';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::end_object() {
  text_ += '}';
  needs_comma_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  text_ += '[';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::end_array() {
  text_ += ']';
  needs_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  value(name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  text_ += Library(std::string(text)).dump(-1, ' ', false, Library::error_handler_t::replace);
  return *this;
}

Writer& Writer::value(std::int64_t number) {
  separate();
  text_ += std::to_string(number);
  return *this;
}

Writer& Writer::value(bool flag) {
  separate();
  text_ += flag ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  separate();
  text_ += "null";
  return *this;
}

}  // namespace json
