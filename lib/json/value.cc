#include "json/value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace json {

using core::Code;
using core::Error;

// Puts the value together from the parser's events; false from an event ends the parse. nlohmann's parser keeps its
// own stack, so that depth costs it no recursion.
class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  bool null() { return place({}); }
  bool boolean(bool truth) { return add(truth); }
  bool number_integer(std::int64_t number) { return add(number); }
  bool number_unsigned(std::uint64_t number) {
    if (std::in_range<std::int64_t>(number)) return add(static_cast<std::int64_t>(number));
    return add(static_cast<double>(number));
  }
  bool number_float(double number, const std::string&) { return add(number); }
  bool string(std::string& text) { return add(std::move(text)); }
  bool binary(std::vector<std::uint8_t>&) { return refuse("binary"); }  // CBOR and the like only

  bool start_object(std::size_t) { return open(Value::Object{}); }
  bool key(std::string& name) {
    std::get<Value::Object>(open_.back().data_).push_back({std::move(name), {}});
    return true;
  }
  bool end_object() {
    auto& members = std::get<Value::Object>(open_.back().data_);
    std::vector<std::pair<std::string_view, std::size_t>> names;
    names.reserve(members.size());
    for (const Member& member : members) names.emplace_back(member.name, names.size());
    std::sort(names.begin(), names.end());
    std::vector<std::size_t> overruled;
    for (std::size_t i = 1; i < names.size(); ++i)
      if (names[i].first == names[i - 1].first) overruled.push_back(names[i - 1].second);
    if (!overruled.empty() && !limits_.repeated_names) return refuse("a name twice in one object");
    if (!overruled.empty()) drop(members, overruled);
    return close();
  }
  bool start_array(std::size_t) { return open(Value::Array{}); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    // Not what(): it quotes the text, which may hold secrets.
    return refuse("error " + std::to_string(error.id) + " at byte " + std::to_string(position));
  }

  Value take() { return std::move(top_); }
  const std::string& reason() const { return reason_; }

 private:
  bool refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }

  static void drop(Value::Object& members, std::vector<std::size_t>& places) {
    std::sort(places.begin(), places.end());
    Value::Object kept;
    for (std::size_t i = 0; i < members.size(); ++i)
      if (!std::binary_search(places.begin(), places.end(), i)) kept.push_back(std::move(members[i]));
    members = std::move(kept);
  }

  template <typename Data>
  bool add(Data data) {
    Value value;
    value.data_ = std::move(data);
    return place(std::move(value));
  }

  bool place(Value value) {
    if (open_.empty()) {
      top_ = std::move(value);
    } else if (auto* array = std::get_if<Value::Array>(&open_.back().data_)) {
      array->push_back(std::move(value));
    } else {
      std::get<Value::Object>(open_.back().data_).back().value = std::move(value);
    }
    return true;
  }

  template <typename Data>
  bool open(Data data) {
    if (open_.size() >= limits_.max_depth) return refuse("deeper than " + std::to_string(limits_.max_depth));
    Value value;
    value.data_ = std::move(data);
    open_.push_back(std::move(value));
    return true;
  }
  bool close() {
    Value value = std::move(open_.back());
    open_.pop_back();
    return place(std::move(value));
  }

  const Limits& limits_;
  std::vector<Value> open_;  // the arrays and objects that have not ended, outermost first
  Value top_;
  std::string reason_;
};

core::Result<Value> parse(std::string_view text, Limits limits) {
  if (text.size() > limits.max_bytes)
    return Error{.code = Code::too_large,
                 .text = "JSON of " + std::to_string(text.size()) + " bytes",
                 .hint = "This JSON text is too large: at most " + std::to_string(limits.max_bytes) + " bytes are taken."};
  // nlohmann takes a NUL for the end of the text, and would pass over what follows.
  if (text.find('\0') != std::string_view::npos)
    return Error{.code = Code::bad_request, .text = "JSON: NUL in the text", .hint = "This is not valid JSON (it holds a NUL byte)."};
  Builder builder(limits);
  bool whole = false;
  try {
    whole = nlohmann::json::sax_parse(text, &builder);
  } catch (const nlohmann::json::exception& error) {
    return Error{.code = Code::bad_request, .text = "JSON: error " + std::to_string(error.id), .hint = "This is not valid JSON."};
  }
  if (!whole)
    return Error{.code = Code::bad_request,
                 .text = "JSON: " + builder.reason(),
                 .hint = "This is not JSON that can be read here (" + builder.reason() + ")."};
  return builder.take();
}

std::optional<std::string_view> Value::as_string() const {
  if (const auto* text = std::get_if<std::string>(&data_)) return *text;
  return std::nullopt;
}

std::optional<std::int64_t> Value::as_int64() const {
  if (const auto* number = std::get_if<std::int64_t>(&data_)) return *number;
  return std::nullopt;
}

std::optional<double> Value::as_double() const {
  if (const auto* number = std::get_if<double>(&data_)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*whole);
  return std::nullopt;
}

std::optional<bool> Value::as_bool() const {
  if (const auto* truth = std::get_if<bool>(&data_)) return *truth;
  return std::nullopt;
}

const Value* Value::find(std::string_view name) const {
  for (const Member& member : members())
    if (member.name == name) return &member.value;
  return nullptr;
}

const Value& Value::operator[](std::string_view name) const {
  static const Value null;
  const Value* value = find(name);
  return value == nullptr ? null : *value;
}

std::span<const Value> Value::items() const {
  if (const auto* array = std::get_if<Array>(&data_)) return *array;
  return {};
}

std::span<const Member> Value::members() const {
  if (const auto* object = std::get_if<Object>(&data_)) return *object;
  return {};
}

}  // namespace json
