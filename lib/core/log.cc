#include "core/log.h"

#include <mutex>
#include <optional>
#include <unistd.h>

namespace core {

namespace {

struct Sink {
  std::mutex mutex;
  std::string program = "faxline";
  std::optional<std::string> captured;
};

Sink& sink() {
  static Sink the_sink;
  return the_sink;
}

std::string_view name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

bool plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7f') return false;
  return true;
}

void append_value(std::string& line, std::string_view value) {
  if (plain(value)) {
    line += value;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

void append(std::string& line, std::string_view key, std::string_view value) {
  line += ' ';
  line += key;
  line += '=';
  append_value(line, value);
}

void write_line(Level level, std::string_view event, std::initializer_list<LogField> fields, const Error* error) {
  Sink& out = sink();
  const std::lock_guard lock(out.mutex);
  std::string line = "level=";
  line += name(level);
  append(line, "program", out.program);
  append(line, "event", event);
  for (const auto& [key, value] : fields) append(line, key, value);
  if (error != nullptr) {
    append(line, "code", name(error->code));
    append(line, "reason", error->text);
  }
  line += '\n';
  if (out.captured) {
    *out.captured += line;
  } else if (::write(STDERR_FILENO, line.data(), line.size()) < 0) {
    return;  // nowhere left to say so
  }
}

}  // namespace

void set_program(std::string_view name) {
  const std::lock_guard lock(sink().mutex);
  sink().program = name;
}

void log(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  write_line(level, event, fields, nullptr);
}

void log(Level level, std::string_view event, const Error& error, std::initializer_list<LogField> fields) {
  write_line(level, event, fields, &error);
}

std::string masked(std::string_view number) {
  std::string text(number);
  for (std::size_t i = 3; i + 4 < text.size(); ++i)
    if (text[i] >= '0' && text[i] <= '9') text[i] = '*';
  return text;
}

LogCapture::LogCapture() {
  const std::lock_guard lock(sink().mutex);
  sink().captured.emplace();
}

LogCapture::~LogCapture() {
  const std::lock_guard lock(sink().mutex);
  sink().captured.reset();
}

std::string LogCapture::text() const {
  const std::lock_guard lock(sink().mutex);
  return sink().captured.value_or("");
}

}  // namespace core
