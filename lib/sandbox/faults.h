// Misbehaviour on request: what a provider did at least once to somebody, to be had whenever a test, or a person who
// wants to see what the line does then, asks for it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sandbox {

// Where a fault strikes. One of `call` is used up by one call to send that is right otherwise (of several that are armed
// the first in the table); one of the other stages by one fax, which has it from its beginning to its end, over restarts
// too. Several of these are had together.
enum class Stage { call, callbacks, document, incoming };

struct Fault {
  std::string_view name;  // "answer-twice"
  Stage stage;
  std::int64_t seconds;   // if none are given; -1: has none
  std::string_view help;  // a sentence
};

std::span<const Fault> known_faults();
const Fault* find_fault(std::string_view name);  // nullptr: there is none of that name
std::string_view name(Stage stage);              // "call"

struct Armed {
  std::int64_t times = 0;  // that are left
  std::int64_t seconds = 0;
};

// What is armed: FOLDER/faults.json, replaced whole. Safe for several threads.
class Faults {
 public:
  static constexpr std::int64_t kMostTimes = 1'000'000;
  static constexpr std::int64_t kMostSeconds = 86'400;

  explicit Faults(const std::string& folder) : path_(folder + "/faults.json") {}

  // Reads the file; none: nothing is armed. One that cannot be read is logged, and counts as none.
  void open();

  // Durable when it returns; arming anew replaces. Errors as core::errno_error() gives; then nothing is changed.
  core::Result<void> arm(std::string_view name, Armed armed);
  core::Result<void> clear();
  std::map<std::string, Armed, std::less<>> armed() const;

  // Uses up one: the first of the calls' that is armed, with its seconds.
  std::optional<std::pair<std::string, std::int64_t>> take_for_call();
  // Uses up one of each that is armed for these stages: "callbacks-late=30 callbacks-twice=0", for Fax::faults.
  std::string take_for_fax(std::span<const Stage> stages);

 private:
  using Map = std::map<std::string, Armed, std::less<>>;
  core::Result<void> store(Map armed);

  std::string path_;
  mutable std::mutex mutex_;
  Map armed_;
};

// The seconds of a fault in a text of take_for_fax(); empty: it is not in there.
std::optional<std::int64_t> fault_in(std::string_view faults, std::string_view name);

}  // namespace sandbox
