// The log: one line an event, key=value, to the journal's standard error.
//
//   core::log(core::Level::info, "fax queued", {{"fax", id}, {"request", request_id}});
//   -> level=info program=send event="fax queued" fax=… request=…
//
// Callers give no secret, no whole token and no query string; line feeds and
// quotes in values are escaped here, so that a fax cannot write log lines.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace core {

enum class Level { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string_view>;

// The name that stands in each line; set once, by the program's main.
void set_program(std::string_view name);

// Writes one line to standard error in one write(2), or to the sink below.
void log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

// The same, with the error's code and text after the fields.
void log(Level level, std::string_view event, const Error& error, std::initializer_list<LogField> fields = {});

// Digits of a telephone number but the last four hidden: "+1500•••0006" reads
// "+15*****0006". For log lines; pages and mails show numbers whole.
std::string masked(std::string_view number);

// Tests: while one lives, lines are kept here in place of standard error.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::string text() const;
};

}  // namespace core
