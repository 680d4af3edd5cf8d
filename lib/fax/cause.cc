#include "fax/cause.h"

#include <algorithm>
#include <array>
#include <string>

#include "text/words.h"

namespace fax {

namespace {

constexpr auto kNo = PagesMayHaveArrived::no;
constexpr auto kMaybe = PagesMayHaveArrived::maybe;

constexpr Cause kGeneral{"failed", "It failed for a reason that the provider did not make clear.", "Compare with the receiver before you send it again: pages may have arrived.", false, kMaybe};

constexpr std::array kCauses{
    Cause{"busy", "The number was busy.", "Send it again later.", true, kNo},
    Cause{"no_answer", "Nobody answered.", "Check the number, or send it again later.", true, kNo},
    Cause{"not_connected", "The call did not come through.", "Check the number, or send it again later.", true, kNo},
    Cause{"transmission_error", "The transmission broke off.", "Ask the receiver which pages arrived before you send it again.", false, kMaybe},
    Cause{"failed_without_reason", "It failed, and the provider gave no reason.", "Ask the receiver whether pages arrived before you send it again.", false, kMaybe},
    Cause{"remote_incompatible", "The receiver's machine cannot take this document.", "Save it as plain Letter or A4 pages, upright, and send it again.", false, kNo},
    Cause{"pages_missing", "Fewer pages arrived than were sent.", "Send the missing pages again.", false, kMaybe},
    Cause{"media_not_fetched", "The provider could not fetch the document from this line.", "The administrator should check that the provider reaches PUBLIC_URL, and the certificate.", false, kNo},
    Cause{"document_refused_by_provider", "The provider could not use the document.", "Save it anew as a plain PDF and send it again.", false, kNo},
    Cause{"canceled_by_user", "It was canceled here.", "", false, kNo},
    Cause{"canceled_at_provider", "It was canceled at the provider.", "Somebody canceled it there; send it again if it is still wanted.", false, kNo},
    Cause{"refused_by_provider", "The provider refused it.", "Read what it said; the administrator can put the account right.", false, kNo},
    Cause{"number_refused", "The provider does not call this number.", "Check the number.", false, kNo},
    Cause{"sender_refused", "The provider does not let this line send from its number.", "The administrator should check TWILIO_FAX_NUMBER and the account.", false, kNo},
    Cause{"not_enough_funds", "The account at the provider has no money left.", "The administrator should top it up; then send it again.", false, kNo},
    Cause{"service_ended", "The provider no longer offers fax.", "The administrator should choose another provider.", false, kNo},
    Cause{"document_encrypted", "The document is protected with a password.", "Save it without the password, then send it again.", false, kNo},
    Cause{"document_damaged", "The document is damaged, or no PDF.", "Open it, save it anew as a PDF, then send it again.", false, kNo},
    Cause{"not_a_pdf", "The document is no PDF.", "Save it as a PDF, then send it again.", false, kNo},
    Cause{"document_empty", "The document has no pages.", "Choose another document.", false, kNo},
    Cause{"document_too_complex", "The document took too long to read.", "Print it to a new PDF, then send it again.", false, kNo},
    Cause{"not_kept", "The provider received it but kept no document.", "Ask the sender to send it again.", false, kNo},
    Cause{"reception_failed", "The transmission to us failed.", "If you know the sender, ask for it again.", false, kNo},
    Cause{"too_large", "The document is larger than this line takes.", "It stays at the provider; the administrator can raise MAX_FAX_BYTES.", false, kNo},
    Cause{"deadline_passed", "It could not be done in time.", "Send it again if it is still wanted.", false, kMaybe},
    Cause{"unknown_outcome", "The provider's answer was lost.", "Ask the receiver whether it arrived before you send it again.", false, kMaybe},
    Cause{"provider_unreachable", "The provider cannot be reached.", "It is tried again by itself.", true, kNo},
    Cause{"wrong_credentials", "The provider does not accept this line's account.", "The administrator should check TWILIO_SID and TWILIO_TOKEN. It is tried again by itself.", true, kNo},
    Cause{"rate_limited", "The provider asked us to slow down.", "It goes on by itself.", true, kNo},
    kGeneral,
};

struct Row {
  std::string_view key;
  std::string_view cause;
};

// The providers' codes (their error dictionaries). Nothing here is guessed: what they do not list is general.
constexpr std::array kCodes{
    Row{"34002", "busy"}, Row{"34003", "no_answer"}, Row{"34004", "transmission_error"}, Row{"34005", "service_ended"}, Row{"34106", "reception_failed"},
    Row{"34108", "remote_incompatible"}, Row{"20003", "wrong_credentials"}, Row{"20429", "rate_limited"}, Row{"21611", "rate_limited"}, Row{"10001", "service_ended"},
    Row{"20010", "service_ended"}, Row{"4001", "not_enough_funds"}, Row{"30002", "not_enough_funds"}, Row{"21210", "sender_refused"}, Row{"21212", "sender_refused"},
    Row{"21213", "sender_refused"}, Row{"21211", "number_refused"}, Row{"21217", "number_refused"}, Row{"21219", "number_refused"}, Row{"21601", "number_refused"},
    Row{"21402", "media_not_fetched"}, Row{"21456", "media_not_fetched"}, Row{"21620", "media_not_fetched"}, Row{"21612", "document_refused_by_provider"},
    Row{"12300", "document_refused_by_provider"}, Row{"11200", "media_not_fetched"}, Row{"11205", "media_not_fetched"}, Row{"11210", "media_not_fetched"},
    Row{"11215", "media_not_fetched"}, Row{"11217", "media_not_fetched"}, Row{"11220", "media_not_fetched"}, Row{"11251", "media_not_fetched"}, Row{"11300", "media_not_fetched"},
    Row{"11750", "media_not_fetched"}, Row{"20422", "media_not_fetched"},
};

// SignalWire's words, where it gives no code; lower case. Those before the first page are safe to repeat.
constexpr std::array kWords{
    Row{"far end cannot receive at the resolution", "remote_incompatible"},
    Row{"document generation", "document_refused_by_provider"},
    Row{"document loading", "document_refused_by_provider"},
    Row{"connection failed", "not_connected"},
    Row{"timed out waiting for initial communication", "not_connected"},
    Row{"failed to train", "not_connected"},
    Row{"transmission not established", "not_connected"},
    Row{"no response to dcs", "not_connected"},
};

template <typename Rows>
const Cause* look_up(const Rows& rows, std::string_view text, bool part) {
  for (const auto& row : rows)
    if (part ? text.find(row.key) != std::string_view::npos : text == row.key) return &find_cause(row.cause);
  return nullptr;
}

}  // namespace

const Cause& find_cause(std::string_view code) {
  const auto* found = std::find_if(kCauses.begin(), kCauses.end(), [&](const Cause& cause) { return cause.code == code; });
  return found == kCauses.end() ? kCauses.back() : *found;
}

const Cause& cause_of_provider(ProviderStatus status, std::string_view error_code, std::string_view error_message) {
  if (status == ProviderStatus::busy) return find_cause("busy");
  if (status == ProviderStatus::no_answer) return find_cause("no_answer");
  if (const auto* cause = look_up(kCodes, error_code, false)) return *cause;
  if (const auto* cause = look_up(kWords, text::lower(error_message), true)) return *cause;
  return error_code.empty() && error_message.empty() ? find_cause("failed_without_reason") : find_cause("transmission_error");
}

const Cause& cause_of_refusal(std::string_view error_code, std::string_view) {
  const auto* cause = look_up(kCodes, error_code, false);
  return cause == nullptr || cause->pages == PagesMayHaveArrived::maybe ? find_cause("refused_by_provider") : *cause;
}

}  // namespace fax
