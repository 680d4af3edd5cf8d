// What comes next of a fax, for people.
#pragma once

#include <optional>
#include <string>

#include "store/rows.h"

namespace store {

struct Next {
  std::string text;              // a sentence
  std::optional<core::Time> at;  // when it is to be; nothing: as soon as it can be
};

// Nothing: it is over. A received fax that is not in the mailbox yet is not.
std::optional<Next> next_of(const Fax& fax);

}  // namespace store
