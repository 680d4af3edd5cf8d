#include "fax/cause.h"

#include "text/words.h"

namespace fax {
namespace {

using enum PagesMayHaveArrived;

struct Row {
  std::string_view code, text, advice;
  bool retry;
  PagesMayHaveArrived pages;
};

// A row that is retried says that no page can have arrived.
constexpr Row kRows[] = {
    // what happened on the telephone
    {"busy", "The line was busy.", "Try again later.", true, no},
    {"no_answer", "Nobody answered the call.", "Check that the number has a fax machine that is switched on, or try again later.", true, no},
    {"no_connection", "The call was answered, but not by a fax machine that could be understood.", "Check the number; it may be a telephone. Or try again later.", true, no},
    {"transmission_error", "The transmission broke off. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", false, maybe},
    {"failed_without_reason", "The provider says that it failed, and not why. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", false, maybe},
    {"remote_incompatible", "The other machine does not take faxes of this kind.", "Send it on Letter or A4 pages, all of them upright, or ask the recipient for another number.", false, maybe},
    {"pages_missing", "Fewer pages arrived than were sent.", "Ask the recipient which pages are missing, and send those.", false, maybe},
    // what the provider did not want or could not do
    {"media_not_fetched", "The provider could not fetch the document from this line.", "Check that this line can be reached from the internet: 'faxline provider check' tells more.", true, no},
    {"provider_trouble", "The provider had trouble of its own before the call was made.", "Try again later.", true, no},
    {"number_refused", "The provider does not take this number.", "Check the number.", false, no},
    {"sender_refused", "The provider does not accept this line's own number as the sender.", "The administrator has to check the number in the settings against the provider's account.", false, no},
    {"not_enabled", "The provider's account is not allowed to do this.", "The administrator has to enable it with the provider.", false, no},
    {"not_enough_funds", "The provider's account has not enough money.", "The administrator has to top it up; then send it again.", false, no},
    {"service_ended", "The provider does not offer faxing any more.", "The administrator has to choose another provider.", false, no},
    {"refused_by_provider", "The provider refused to send it.", "Check number and document; the administrator finds the provider's words in the history.", false, no},
    {"wrong_credentials", "The provider does not accept this line's account or token.", "The administrator has to correct it; the fax waits until then.", true, no},
    {"rate_limited", "The provider asks for fewer calls at a time.", "Nothing is to be done; it is tried again.", true, no},
    {"provider_unreachable", "The provider could not be reached.", "Nothing is to be done; it is tried again. If it lasts, check the internet connection.", true, no},
    {"unknown_outcome", "The provider did not say whether it took the fax, and it could not be found out.", "Ask the recipient whether it arrived, then mark it as delivered or failed, or send it again.", false, maybe},
    {"canceled_by_user", "It was canceled.", "Send it again if it is still wanted.", false, no},
    {"canceled_at_provider", "It was canceled at the provider, not here.", "Ask whoever has access to the provider's account. Some pages may have arrived.", false, maybe},
    {"deadline_passed", "It did not end in time.", "Ask the recipient whether it arrived before you send it again.", false, maybe},
    {"restored_from_backup", "It was under way when the backup was made that this line was restored from.", "Ask the recipient whether it arrived before you send it again.", false, maybe},
    // documents
    {"document_encrypted", "The document is protected by a password.", "Save it without the password and send it again.", false, no},
    {"document_damaged", "The document is damaged and cannot be read.", "Open it on your computer, save or print it as a PDF, and send that.", false, no},
    {"document_empty", "The document has no pages.", "Choose the right file.", false, no},
    {"document_too_complex", "The document takes too long or too much memory to be made into fax pages.", "Print it as a plain PDF, or send it in parts.", false, no},
    {"document_too_long", "The document has too many pages.", "Send it in parts.", false, no},
    {"document_unsupported", "This kind of file cannot be faxed.", "Save or print it as a PDF and send that.", false, no},
    {"document_gone", "The document is not here any more.", "Choose the file again.", false, no},
    // receptions
    {"reception_failed", "Somebody tried to send a fax, and it did not come through.", "If you know the number, ask the sender to send it again.", false, maybe},
    {"line_unreachable", "A fax came in, but the provider could not reach this line.", "Check that this line can be reached from the internet; ask the sender to send it again.", false, maybe},
    {"answer_refused", "A fax came in, but the provider did not understand this line's answer.", "The administrator has to look into the log; ask the sender to send it again.", false, maybe},
    {"not_kept", "A fax came in, but neither this line nor the provider has the document.", "Ask the sender to send it again.", false, no},
    {"too_large", "The document is larger than this line accepts.", "The administrator can raise MAX_FAX_BYTES; it is fetched then, if the provider still has it.", false, no},
    {"document_unreadable", "The document that the provider has cannot be read.", "It stays at the provider. Ask the sender to send it again.", false, no},
};

constexpr std::string_view kGeneralText = "It failed.";
constexpr std::string_view kGeneralAdvice = "Ask the recipient what arrived before you send it again.";

// Error codes of the providers' documentation: six of Twilio's fax, the general ones, SignalWire's.
struct ByCode {
  std::string_view provider_code, cause;
};
constexpr ByCode kByCode[] = {
    {"34002", "busy"},
    {"34003", "no_answer"},
    {"34004", "transmission_error"},
    {"34005", "service_ended"},
    {"34108", "remote_incompatible"},
    {"4001", "not_enough_funds"},
    {"30002", "not_enough_funds"},
    {"10001", "not_enabled"},
    {"20010", "not_enabled"},
    {"21219", "not_enabled"},
    {"20003", "wrong_credentials"},
    {"20429", "rate_limited"},
    {"21611", "rate_limited"},
    {"21210", "sender_refused"},
    {"21212", "sender_refused"},
    {"21213", "sender_refused"},
    {"21601", "sender_refused"},
    {"21211", "number_refused"},
    {"21217", "number_refused"},
    // our URLs: not found, not answering, not accepted, not a PDF
    {"11200", "media_not_fetched"},
    {"11205", "media_not_fetched"},
    {"11210", "media_not_fetched"},
    {"11215", "media_not_fetched"},
    {"11217", "media_not_fetched"},
    {"11220", "media_not_fetched"},
    {"11251", "media_not_fetched"},
    {"11300", "media_not_fetched"},
    {"11750", "media_not_fetched"},
    {"12300", "media_not_fetched"},
    {"20422", "media_not_fetched"},
    {"21402", "media_not_fetched"},
    {"21456", "media_not_fetched"},
    {"21612", "media_not_fetched"},
    {"21620", "media_not_fetched"},
};

// SignalWire's sentences, in lower case and in part; the first that is found counts. Those that can come before a page
// only are retried. ("Failed to train" can come between two pages.)
constexpr ByCode kByText[] = {
    {"cannot receive at the resolution", "remote_incompatible"},
    {"connection failed", "no_connection"},
    {"transmission not established", "no_connection"},
    {"waiting for initial communication", "no_connection"},
    {"document generation", "provider_trouble"},
    {"document loading", "provider_trouble"},
    {"disconnected after permitted retries", "transmission_error"},
    {"failed to train", "transmission_error"},
    {"invalid ecm response", "transmission_error"},
    {"log entry lost", "transmission_error"},
    {"after sending a page", "transmission_error"},
    {"no response to dcs", "transmission_error"},
    {"dropped prematurely", "transmission_error"},
    {"hdlc carrier", "transmission_error"},
    {"unexpected dcn", "transmission_error"},
    {"unexpected message received", "transmission_error"},
};

std::string_view by_code(std::string_view provider_code) {
  for (const ByCode& row : kByCode)
    if (row.provider_code == provider_code) return row.cause;
  return {};
}

std::string_view by_text(std::string_view message) {
  const std::string lower = text::lower(message);
  for (const ByCode& row : kByText)
    if (lower.find(row.provider_code) != std::string::npos) return row.cause;
  return {};
}

}  // namespace

Cause find_cause(std::string_view code) {
  for (const Row& row : kRows)
    if (row.code == code) return {std::string(code), row.text, row.advice, row.retry, row.pages};
  return {std::string(code), kGeneralText, kGeneralAdvice, false, maybe};
}

Cause cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message) {
  switch (status) {
    case ProviderStatus::busy: return find_cause("busy");
    case ProviderStatus::no_answer: return find_cause("no_answer");
    case ProviderStatus::canceled: return find_cause("canceled_at_provider");
    case ProviderStatus::failed: break;
    default: return find_cause("unknown_outcome");
  }
  if (const auto cause = by_code(error_code); !cause.empty()) return find_cause(cause);
  if (const auto cause = by_text(error_message); !cause.empty()) return find_cause(cause);
  return find_cause(error_code.empty() && error_message.empty() ? "failed_without_reason" : "transmission_error");
}

Cause cause_of_refusal(std::string_view error_code, std::string_view) {
  const Cause cause = find_cause(by_code(error_code));
  // A document's address that is refused now is refused again, and a call that was refused rang nowhere.
  if (cause.pages == maybe || cause.code == "media_not_fetched" || (cause.retry && cause.code != "rate_limited"))
    return find_cause("refused_by_provider");
  return cause;
}

Cause cause_of_reception(std::string_view error_code, std::string_view) {
  if (error_code == "34106" || error_code == "12100") return find_cause("answer_refused");  // no <Receive>; not XML
  if (by_code(error_code) == "media_not_fetched") return find_cause("line_unreachable");
  return find_cause("reception_failed");
}

}  // namespace fax
