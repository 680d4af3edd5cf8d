// The data behind cause.h, for this module and its tests: what the line says of a failure, and the providers' codes and
// sentences. failures.cc is the only place to add either.
#pragma once

#include <span>
#include <string_view>

#include "fax/cause.h"

namespace fax {

struct CauseRow {
  std::string_view code, text, advice;  // as in Cause
  Pages pages;
  Next next;
};

// What a provider says, and the causes that it stands for. An empty `refused` is "refused_by_provider", an empty
// `received` is "reception_failed".
struct FailureRow {
  Family family;
  std::string_view codes;                                    // separated by one blank
  std::string_view sent = {}, refused = {}, received = {};   // ends of sent faxes; refusals of calls; failed receptions
};

// A part of a provider's sentence, in lower case; the first row that is found in it counts.
struct SentenceRow {
  std::string_view part;
  std::string_view sent, received = {};
};

std::span<const CauseRow> cause_rows();
std::span<const FailureRow> failure_rows();
std::span<const SentenceRow> sentence_rows();

}  // namespace fax
