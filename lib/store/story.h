// The story of a fax, for people: what happened, and what comes next.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/faxes.h"
#include "store/rows.h"

namespace store {

struct Next {
  std::string text;              // a sentence
  std::optional<core::Time> at;  // when it is to be; nothing: as soon as it can be
};

// The fax's events, oldest first, and between them what its attempts tell: when the provider fetched the document. Errors of
// the book.
core::Result<std::vector<Event>> read_story(Faxes& faxes, const Fax& fax);

// Nothing: it is over. A received fax that is not in the mailbox yet is not.
std::optional<Next> next_of(const Fax& fax);

}  // namespace store
