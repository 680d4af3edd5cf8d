#include "fax/failures.h"

namespace fax {
namespace {

using enum Pages;
using enum Next;

constexpr CauseRow kCauses[] = {
    // what happened on the telephone
    {"busy", "The line was busy.", "Try again later.", no, retry_later},
    {"no_answer", "Nobody answered the call.", "Check that the number has a fax machine that is switched on, or try again later.", no, retry_later},
    {"no_connection", "The call was answered, but not by a fax machine that could be understood.", "Check the number; it may be a telephone. Or try again later.", no, retry_later},
    {"network_busy", "The telephone network had no way to the number at that time.", "Try again later.", no, retry_later},
    {"lines_in_use", "All telephone lines of the provider's account were in use.", "Try again later. If it happens often, the administrator can order more lines.", no, retry_later},
    {"resolution_too_high", "The other machine cannot take faxes of this resolution.",
     "The next attempt asks for the standard resolution by itself. If none follows, ask the administrator for FAX_QUALITY=standard and send it again.", no, retry_later},
    {"page_too_large", "The other machine cannot take pages of this size.", "Send it on Letter or A4 pages, all of them upright.", no, fix_first},
    {"remote_incompatible", "The other machine does not take faxes of this kind.", "Send it on Letter or A4 pages, all of them upright, or ask the recipient for another number.", unknown, fix_first},
    {"not_a_fax_number", "This number does not take faxes.", "Ask the recipient for the number of their fax machine.", no, give_up},
    {"number_not_in_service", "This number is not in service, or has changed.", "Ask the recipient for the right number.", no, give_up},
    {"call_rejected", "The other side rejected the call.", "Ask the recipient whether their machine blocks calls from this line's number.", no, give_up},
    {"transmission_error", "The transmission broke off. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", unknown, ask_person},
    {"failed_without_reason", "The provider says that it failed, and not why. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", unknown, ask_person},
    {"unknown_reason", "It failed for a reason of the provider's that this line does not know. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", unknown, ask_person},
    {"provider_error", "The provider ended it with an error of its own. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", unknown, ask_person},
    {"provider_gave_up", "The provider's time for sending it was over. Some pages may have arrived.", "Ask the recipient what arrived before you send it again.", unknown, ask_person},
    {"pages_missing", "Fewer pages arrived than were sent.", "Ask the recipient which pages are missing, and send those.", yes, ask_person},
    {"simulated", "The provider only simulated a failure; nothing was sent.", "Nothing is to be done: it was a test.", no, give_up},
    // what the provider did not want or could not do
    {"media_not_fetched", "The provider could not fetch the document from this line.", "Check that this line can be reached from the internet: 'faxline provider check' tells more.", no, retry_later},
    {"media_address_unusable", "The provider could not use the address of the document on this line.",
     "The administrator has to check PUBLIC_URL and the certificate: 'faxline provider check' tells more. Then send it again.", no, fix_first},
    {"document_not_accepted", "The provider cannot make fax pages of the document.", "Save or print it as a plain PDF and send that.", no, fix_first},
    {"document_too_large", "The document is larger than the provider takes.", "Send it in parts, or scan it in a lower resolution.", no, fix_first},
    {"provider_trouble", "The provider had trouble of its own before the call was made.", "Try again later.", no, retry_later},
    {"number_refused", "The provider does not take this number.", "Check the number.", no, fix_first},
    {"number_not_verified", "The provider's account is on trial: it sends only to numbers that were verified there.", "The administrator has to verify this number with the provider, or leave the trial; then send it again.", no, fix_first},
    {"destination_not_allowed", "The provider's account does not send to this number's country or network.", "The administrator has to allow it with the provider; then send it again.", no, fix_first},
    {"sender_refused", "The provider does not accept this line's own number as the sender.", "The administrator has to check the number in the settings against the provider's account.", no, fix_first},
    {"not_enabled", "The provider's account is not allowed to do this.", "The administrator has to enable it with the provider.", no, fix_first},
    {"account_refused", "The provider does not accept this line's account or token.", "The administrator has to correct it in the settings; then send it again.", no, fix_first},
    {"account_unknown", "The provider knows no such account or address.", "The administrator has to check the account and PROVIDER_URL in the settings; then send it again.", no, fix_first},
    {"account_disabled", "The provider has closed or blocked this line's account.", "The administrator has to settle it with the provider; then send it again.", no, fix_first},
    {"not_enough_funds", "The provider's account has not enough money.", "The administrator has to top it up; then send it again.", no, fix_first},
    {"spending_limit_reached", "The provider's account has reached its limit of spending.", "The administrator can raise it with the provider; or send it again tomorrow.", no, fix_first},
    {"service_ended", "The provider does not offer faxing any more.", "The administrator has to choose another provider.", no, give_up},
    {"refused_by_provider", "The provider refused to send it.", "Check number and document; the administrator finds the provider's words in the history.", no, fix_first},
    {"certificate_ends", "The certificate of this line ends soon, and was not renewed by itself.", "The administrator finds out why by `sudo certbot renew`. When it has ended, no fax goes out or comes in.", no, fix_first},
    {"certificate_ended", "The certificate of this line has ended, and providers refuse it: no fax goes out or comes in.", "The administrator renews it by `sudo certbot renew`, which says what is in the way.", no, fix_first},
    {"wrong_credentials", "The provider does not accept this line's account or token.", "The administrator has to correct it; the fax waits until then.", no, retry_later},
    {"rate_limited", "The provider asks for fewer calls at a time.", "Nothing is to be done; it is tried again.", no, retry_later},
    {"provider_unreachable", "The provider could not be reached.", "Nothing is to be done; it is tried again. If it lasts, check the internet connection.", no, retry_later},
    {"behind_another_fax", "Another fax to this number is still being handed over to the provider, or looked for there; this one follows.", "Nothing is to be done; it goes on by itself.", no, retry_later},
    {"being_looked_for", "The provider did not say whether it took the fax, so it is being looked for there.", "Nothing is to be done; it goes on by itself. Do not send it again meanwhile.", unknown, ask_person},
    {"never_fetched", "The provider never fetched the document, so nothing was sent.", "Nothing is to be done; it is tried again.", no, retry_later},
    {"disk_full", "The disk of the fax line is nearly full.", "The administrator has to make room; it goes on by itself then.", no, retry_later},
    {"unknown_outcome", "The provider did not say whether it took the fax, and it could not be found out.", "Ask the recipient whether it arrived, then mark it as delivered or failed, or send it again.", unknown, ask_person},
    {"restored", "This line was restored from a backup, in which the fax had not ended. Whether it was sent since is not known here.", "Ask the recipient whether it arrived, then mark it as delivered or failed, or send it again.", unknown, ask_person},
    {"settled_by_person", "Somebody here said how it ended, since nobody else could.", "What the provider says later corrects it.", unknown, ask_person},
    {"canceled_by_user", "It was canceled.", "Send it again if it is still wanted.", no, give_up},
    {"canceled_at_provider", "It was canceled at the provider, not here.", "Ask whoever has access to the provider's account. Some pages may have arrived.", unknown, ask_person},
    {"deadline_passed", "It did not end in time.", "Ask the recipient whether it arrived before you send it again.", unknown, ask_person},
    {"never_submitted", "It could not be handed to the provider in time, so nothing was sent.", "Send it again if it is still wanted.", no, fix_first},
    {"practice_over", "It was made on the practice line, which is over: nothing of it goes by telephone.", "Send it again if it is to be a real fax.", no, fix_first},
    {"other_provider", "It was begun with another provider than the line has now, and waits.", "The administrator can set that provider again until it has ended. Where it was not sent yet, cancel it and send it again.", unknown, ask_person},
    {"restored_from_backup", "It was under way when the backup was made that this line was restored from.", "Ask the recipient whether it arrived before you send it again.", unknown, ask_person},
    // documents
    {"document_encrypted", "The document is protected by a password.", "Save it without the password and send it again.", no, fix_first},
    {"document_damaged", "The document is damaged and cannot be read.", "Open it on your computer, save or print it as a PDF, and send that.", no, fix_first},
    {"document_empty", "The document has no pages.", "Choose the right file.", no, fix_first},
    {"document_too_complex", "The document takes too long or too much memory to be made into fax pages.", "Print it as a plain PDF, or send it in parts.", no, fix_first},
    {"document_too_long", "The document has too many pages.", "Send it in parts.", no, fix_first},
    {"document_unsupported", "This kind of file cannot be faxed.", "Save or print it as a PDF and send that.", no, fix_first},
    {"document_gone", "The document is not here any more.", "Choose the file again.", no, fix_first},
    // receptions
    {"reception_failed", "Somebody tried to send a fax, and it did not come through.", "If you know the number, ask the sender to send it again.", unknown, ask_person},
    {"sender_hung_up", "Somebody called to send a fax, and the call ended before it was through.", "If you know the number, ask the sender to send it again.", unknown, ask_person},
    {"line_unreachable", "A fax came in, but the provider could not reach this line.", "Check that this line can be reached from the internet; ask the sender to send it again.", unknown, ask_person},
    {"answer_refused", "A fax came in, but the provider did not understand this line's answer.", "The administrator has to look into the log; ask the sender to send it again.", unknown, ask_person},
    {"no_document", "The provider's address for the document gives something else.", "It is tried again. If it lasts, look for the fax at the provider.", no, retry_later},
    {"not_kept", "A fax came in, but neither this line nor the provider has the document.", "Ask the sender to send it again.", no, ask_person},
    {"media_host_not_allowed", "The provider keeps the document at a host that this line may not fetch from.",
     "The administrator has to name that host in MEDIA_HOSTS; it is fetched then, if the provider still has it.", no, fix_first},
    {"too_large", "The document is larger than this line accepts.", "The administrator can raise MAX_FAX_BYTES; it is fetched then, if the provider still has it.", no, fix_first},
    {"document_unreadable", "The document that the provider has cannot be read.", "It stays at the provider. Ask the sender to send it again.", no, ask_person},
    // the provider's webhooks, refused although they name our account and number
    {"webhook_unsigned", "The provider's message came without a signature.",
     "The administrator has to look for a proxy that takes it away; or it was not the provider. WEBHOOK_SIGNATURE=optional takes such messages.", no, fix_first},
    {"webhook_other_url", "The provider signed its message for another address than PUBLIC_URL.", "The administrator has to set PUBLIC_URL to the address that the provider calls.", no, fix_first},
    {"webhook_other_key", "The provider signed its message with the account's token, and WEBHOOK_SIGNING_KEY is another.",
     "The administrator has to copy the signing key from the provider's dashboard into WEBHOOK_SIGNING_KEY; if there is none, the account's token.", no, fix_first},
    {"webhook_signature_wrong", "The signature of the provider's message does not match.",
     "The administrator has to compare WEBHOOK_SIGNING_KEY with the signing key on the provider's dashboard, and PUBLIC_URL with the number's address there.", no, fix_first},
    {"webhook_too_late", "The provider brought a document, and its permission to do so had expired.", "The administrator has to check this machine's clock; or it came more than a day late.", no, fix_first},
};

constexpr auto twilio = Family::twilio, telnyx = Family::telnyx, sinch = Family::sinch, any = Family::any;

constexpr FailureRow kFailures[] = {
    // Twilio: "Error and Warning Dictionary", fax (34xxx) and general.
    {twilio, "34002", "busy"},
    {twilio, "34003", "no_answer"},
    {twilio, "34004", "transmission_error"},
    {twilio, "34005", "service_ended", "service_ended", "service_ended"},
    {twilio, "34106 12100", "provider_error", "", "answer_refused"},  // no <Receive>; not XML
    {twilio, "34108", "remote_incompatible"},
    // Twilio's dictionary and SignalWire: "Compatibility API, Error codes".
    {twilio, "10000 20009", "provider_error"},  // invalid argument, or a cancel too late; not finished yet
    {twilio, "10001 20010", "not_enabled", "not_enabled"},
    {twilio, "4001 30002", "not_enough_funds", "not_enough_funds"},
    {twilio, "20003", "account_refused", "account_refused"},
    {twilio, "20404", "provider_error", "account_unknown"},
    {twilio, "20429 21611", "rate_limited", "rate_limited"},  // never processed
    {twilio, "20001 20504", "provider_error"},
    {twilio, "21210 21212 21213 21601", "sender_refused", "sender_refused"},
    {twilio, "21211 21217", "number_refused", "number_refused"},
    {twilio, "21219", "number_not_verified", "number_not_verified"},
    // Our URLs: no answer, no connection, no such name, 4xx or 5xx. A line that was away for a minute is tried again.
    {twilio, "11200 11205 11210 11217", "media_not_fetched", "media_address_unusable", "line_unreachable"},
    // Redirects, TLS, against the protocol; trying the same again is of no use.
    {twilio, "11215 11220 11251 11300", "media_address_unusable", "media_address_unusable", "line_unreachable"},
    {twilio, "20422 21402 21456 21620", "media_address_unusable", "media_address_unusable", "answer_refused"},
    {twilio, "11750", "document_too_large", "document_too_large", "answer_refused"},
    {twilio, "12300 21612", "document_not_accepted", "document_not_accepted", "answer_refused"},
    // The fax engine beneath SignalWire (FreeSWITCH: "fax_result_code"), should its number come without its sentence. Nobody
    // documents that it does, so that none of them is proof enough for another attempt.
    {twilio, "0", "failed_without_reason"},
    {twilio, "2 6 15 21", "transmission_error"},
    {twilio, "11", "remote_incompatible"},

    // Telnyx: failure_reason of "Programmable Fax, Receiving webhooks" and "Fax API - Error List".
    {telnyx, "user_busy", "busy"},
    {telnyx, "receiver_no_answer receiver_no_response", "no_answer"},
    {telnyx, "fax_initial_communication_timeout", "no_connection"},
    {telnyx, "receiver_call_dropped carrier_lost fax_signaling_error invalid_ecm_response_from_receiver receiver_communication_error "
             "sender_communication_error receiver_recovery_on_timer_expire", "transmission_error"},
    {telnyx, "sender_call_dropped", "transmission_error", "", "sender_hung_up"},
    {telnyx, "sender_canceled", "canceled_at_provider", "", "sender_hung_up"},
    {telnyx, "service_unavailable media_processing_exception", "provider_trouble"},
    {telnyx, "user_channel_limit_exceeded connection_channel_limit_exceeded outbound_profile_channel_limit_exceeded", "lines_in_use"},
    {telnyx, "file_download_failed", "media_address_unusable", "media_address_unusable"},
    {telnyx, "file_format_invalid", "document_not_accepted", "document_not_accepted"},
    {telnyx, "file_size_limit_exceeded", "document_too_large", "document_too_large"},
    {telnyx, "page_count_limit_exceeded", "document_too_long", "document_too_long"},
    {telnyx, "receiver_invalid_number_format destination_invalid", "number_refused", "number_refused"},
    {telnyx, "receiver_unallocated_number destination_unreachable", "number_not_in_service", "number_not_in_service"},
    {telnyx, "receiver_decline", "call_rejected"},
    {telnyx, "receiver_incompatible_destination", "not_a_fax_number"},
    {telnyx, "destination_not_in_countries_whitelist destination_not_in_service_plan", "destination_not_allowed", "destination_not_allowed"},
    {telnyx, "unverified_destination_not_allowed", "number_not_verified", "number_not_verified"},
    {telnyx, "unverified_origination_number", "sender_refused", "sender_refused"},
    {telnyx, "no_outbound_profile", "not_enabled", "not_enabled"},
    {telnyx, "account_disabled", "account_disabled", "account_disabled"},
    {telnyx, "outbound_profile_daily_spend_limit_exceeded", "spending_limit_reached", "spending_limit_reached"},

    // Sinch: "Fax API, Error Messages"; Phaxio: "Error Messages". Calls and lines.
    {sinch, "11", "transmission_error", "", "sender_hung_up"},
    {sinch, "15", "network_busy"},
    {sinch, "16 30", "no_answer"},
    {sinch, "17", "busy"},
    {sinch, "19 38 43", "no_connection", "", "sender_hung_up"},  // hung up at once, or before the fax; no connection
    {sinch, "88 100 110", "transmission_error"},
    {sinch, "32 132", "not_a_fax_number"},
    {sinch, "34 49 52 73 115", "number_not_in_service", "number_not_in_service"},
    {sinch, "50", "call_rejected"},
    // Faxes: the first message never came; then all that can come after a page.
    {sinch, "13 14", "no_connection"},
    {sinch, "6 8 10 12 18 20 21 22 26 28 29 40 41 44 48 53 60 63 77 80 82 84 117 131", "transmission_error"},
    {sinch, "25", "resolution_too_high"},
    {sinch, "7", "page_too_large"},
    {sinch, "31 68", "remote_incompatible"},
    {sinch, "75", "canceled_at_provider"},
    {sinch, "76", "provider_gave_up"},
    {sinch, "79", "provider_error"},
    {sinch, "119 121 122", "simulated", "simulated"},
    {sinch, "46", "not_enough_funds", "not_enough_funds"},
    // Documents. 133 is a PDF that cannot be read, and a number that is not permitted, too.
    {sinch, "54 113", "media_address_unusable", "media_address_unusable"},
    {sinch, "4 55 57 69 128 129 130", "document_not_accepted", "document_not_accepted"},
    {sinch, "133", "refused_by_provider"},

    // HTTP's own numbers, where an error's body repeats them. (Sinch's 800: a callback did not get through.)
    {any, "400 405 409 422 500 502 503 504 800", "provider_error"},
    {any, "401 403", "provider_error", "account_refused"},
    {any, "402", "not_enough_funds", "not_enough_funds"},
    {any, "404", "provider_error", "account_unknown"},
    {any, "413", "document_too_large", "document_too_large"},
    {any, "415", "document_not_accepted", "document_not_accepted"},
    {any, "429", "provider_error", "rate_limited"},
};

// SignalWire: "Common fax errors". It advises to try again after all but the last two; here those alone are that can
// only come before a page. ("Failed to train" can come between two pages.)
constexpr SentenceRow kSentences[] = {
    {"cannot receive at the resolution", "resolution_too_high"},
    {"cannot receive at the size", "page_too_large"},
    {"connection failed", "no_connection"},
    {"transmission not established", "no_connection"},
    {"waiting for initial communication", "no_connection"},
    {"document generation", "provider_trouble"},
    {"document loading", "provider_trouble"},
    {"dropped prematurely", "transmission_error", "sender_hung_up"},
    {"disconnected after permitted retries", "transmission_error"},
    {"failed to train", "transmission_error"},
    {"invalid ecm response", "transmission_error"},
    {"log entry lost", "transmission_error"},
    {"after sending a page", "transmission_error"},
    {"no response to dcs", "transmission_error"},
    {"hdlc carrier", "transmission_error"},
    {"after eom or mps", "transmission_error"},
    {"unexpected dcn", "transmission_error"},
    {"unexpected dcm", "transmission_error"},
    {"unexpected message received", "transmission_error"},
};

}  // namespace

std::span<const CauseRow> cause_rows() { return kCauses; }
std::span<const FailureRow> failure_rows() { return kFailures; }
std::span<const SentenceRow> sentence_rows() { return kSentences; }

}  // namespace fax
