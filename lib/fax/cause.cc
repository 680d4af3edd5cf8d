#include "fax/cause.h"

#include <algorithm>

#include "fax/failures.h"
#include "text/words.h"

namespace fax {
namespace {

constexpr std::string_view kGeneralText = "It did not work, for a reason that this version of the line does not know.";
constexpr std::string_view kGeneralAdvice = "Ask the recipient what arrived before you send it again.";

bool names(std::string_view codes, std::string_view code) {
  while (!codes.empty()) {
    const auto end = std::min(codes.find(' '), codes.size());
    if (codes.substr(0, end) == code) return true;
    codes.remove_prefix(std::min(end + 1, codes.size()));
  }
  return false;
}

const FailureRow* by_code(std::string_view code, Family family) {
  if (code.empty()) return nullptr;
  for (const FailureRow& row : failure_rows())
    if ((row.family == family || row.family == Family::any) && names(row.codes, code)) return &row;
  return nullptr;
}

const SentenceRow* by_sentence(std::string_view message) {
  const std::string lower = text::lower(message);
  for (const SentenceRow& row : sentence_rows())
    if (lower.find(row.part) != std::string::npos) return &row;
  return nullptr;
}

// The numbers below are the fax engine's own beneath a provider's; its sentence says the same, and is documented.
bool is_engine_number(std::string_view code, Family family) { return family == Family::twilio && code.size() < 3; }

}  // namespace

Cause find_cause(std::string_view code) {
  for (const CauseRow& row : cause_rows())
    if (row.code == code) return {std::string(code), row.text, row.advice, row.pages, row.next};
  return {std::string(code), kGeneralText, kGeneralAdvice, Pages::unknown, Next::ask_person};
}

Cause cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message, Family family) {
  switch (status) {
    case ProviderStatus::busy: return find_cause("busy");
    case ProviderStatus::no_answer: return find_cause("no_answer");
    case ProviderStatus::canceled: return find_cause("canceled_at_provider");
    case ProviderStatus::failed: break;
    default: return find_cause("unknown_outcome");
  }
  const auto* row = by_code(error_code, family);
  const auto* sentence = by_sentence(error_message);
  if (row == nullptr && sentence == nullptr) return find_cause(error_code.empty() && error_message.empty() ? "failed_without_reason" : "unknown_reason");
  if (row == nullptr || (sentence != nullptr && is_engine_number(error_code, family))) return find_cause(sentence->sent);
  const Cause cause = find_cause(row->sent);
  if (cause.next != Next::retry_later || sentence == nullptr) return cause;
  const Cause other = find_cause(sentence->sent);
  return other.pages == Pages::no ? cause : other;
}

Cause cause_of_refusal(std::string_view error_code, std::string_view, Family family) {
  const auto* row = by_code(error_code, family);
  return find_cause(row == nullptr || row->refused.empty() ? "refused_by_provider" : row->refused);
}

Cause cause_of_reception(std::string_view error_code, std::string_view error_message, Family family) {
  if (const auto* row = by_code(error_code, family); row != nullptr && !row->received.empty()) return find_cause(row->received);
  if (const auto* sentence = by_sentence(error_message); sentence != nullptr && !sentence->received.empty()) return find_cause(sentence->received);
  return find_cause("reception_failed");
}

std::string words_of_provider(std::string_view error_code, std::string_view message, Family family) {
  if (error_code.empty() || by_code(error_code, family) != nullptr) return std::string(message);
  return "error " + std::string(error_code) + (message.empty() ? "" : ": " + std::string(message));
}

bool was_never_fetched(const Cause& cause) { return cause.code == "media_not_fetched" || cause.code == "media_address_unusable"; }

}  // namespace fax
