#include "sandbox/dialect.h"

#include "sandbox/fax.h"

namespace sandbox {
namespace {

constexpr Parameter kTwilioSend[] = {
    {"To", Kind::target, 21211, 21201},
    {"From", Kind::sender, 21212, 21603},
    {"MediaUrl", Kind::url, 21620, 21620},
    {"Quality", Kind::quality, 20001},
    {"StatusCallback", Kind::url, 21609},
    {"StoreMedia", Kind::truth, 20001},
    {"Ttl", Kind::minutes, 20001},
    {"SipAuthUsername", Kind::text, 20001},
    {"SipAuthPassword", Kind::text, 20001},
};

constexpr Parameter kSignalWireSend[] = {
    {"To", Kind::target, 21211, 21217},
    {"From", Kind::sender, 21212, 21213},
    {"MediaUrl", Kind::url, 21620, 21620},
    {"Quality", Kind::quality, 10000},
    {"StatusCallback", Kind::url, 21456},
    {"StatusCallbackMethod", Kind::method, 10000},
    {"StatusCallbackEvent", Kind::event, 10000},
    {"StoreMedia", Kind::truth, 10000},
    {"Ttl", Kind::minutes, 10000},
    {"SipAuthUsername", Kind::text, 10000},
    {"SipAuthPassword", Kind::text, 10000},
};

// Page and PageToken are in no reference of Twilio's, but its client libraries follow next_page_url, which has them.
constexpr Parameter kList[] = {
    {"From", Kind::filter, 0},
    {"To", Kind::filter, 0},
    {"DateCreatedAfter", Kind::moment, 0},
    {"DateCreatedOnOrBefore", Kind::moment, 0},
    {"PageSize", Kind::page_size, 0},
    {"Page", Kind::page_number, 0},
    {"PageToken", Kind::page_token, 0},
};

constexpr Parameter kMediaList[] = {
    {"PageSize", Kind::page_size, 0},
    {"Page", Kind::page_number, 0},
    {"PageToken", Kind::page_token, 0},
};

constexpr Parameter kCancel[] = {{"Status", Kind::canceled, 0, -1}};

// The last one is Twilio's alone: at SignalWire the dashboard decides between voice and fax.
constexpr Parameter kNumber[] = {
    {"FriendlyName", Kind::text, 0},
    {"VoiceUrl", Kind::url, 21402},
    {"VoiceMethod", Kind::method, 0},
    {"VoiceReceiveMode", Kind::voice_or_fax, 0},
};

constexpr Parameter kNumberList[] = {
    {"PhoneNumber", Kind::filter, 0},
    {"FriendlyName", Kind::filter, 0},
    {"Beta", Kind::truth, 0},
    {"Origin", Kind::filter, 0},
    {"PageSize", Kind::page_size, 0},
    {"Page", Kind::page_number, 0},
    {"PageToken", Kind::page_token, 0},
};

constexpr Dialect kTwilio{
    .name = "twilio",
    .authority = "Twilio",
    .error_url = "https://www.twilio.com/docs/errors/{code}",
    .signature_header = "X-Twilio-Signature",
    .account_path = "/2010-04-01/Accounts/{sid}",
    .faxes_path = "/v1/Faxes",
    .uuids = false,
    .host_relative = false,
    .sorted_signature = true,
    .errors_in_fax = false,
    .store_media_attribute = true,
    .reject_verb = false,
    .receive_mode = true,
    .media_in_callbacks = false,
    .cancel_while_processing = true,
    .delete_while_queued = false,
    .callback_events = false,
    .page_needs_token = false,
    .created = 201,
    .wrong_code = 20001,
    .foreign_sender_code = 21212,
    .too_late_status = 400,
    .shortest_ttl = 1,  // its documentation names no limits
    .longest_ttl = 525'600,
    .send = kTwilioSend,
    .list = kList,
    .media_list = kMediaList,
    .number = kNumber,
};

constexpr Dialect kSignalWire{
    .name = "signalwire",
    .authority = "SignalWire",
    .error_url = "https://developer.signalwire.com/rest/compatibility-api/error-codes",
    .signature_header = "X-SignalWire-Signature",
    .account_path = "/api/laml/2010-04-01/Accounts/{sid}",
    .faxes_path = "/api/laml/2010-04-01/Accounts/{sid}/Faxes",
    .uuids = true,
    .host_relative = true,
    .sorted_signature = false,
    .errors_in_fax = true,
    .store_media_attribute = false,
    .reject_verb = true,
    .receive_mode = false,
    .media_in_callbacks = true,
    .cancel_while_processing = false,
    .delete_while_queued = true,
    .callback_events = true,
    .page_needs_token = true,
    .created = 200,
    .wrong_code = 10000,
    .foreign_sender_code = 21210,
    .too_late_status = 422,
    .shortest_ttl = 5,
    .longest_ttl = 300,
    .send = kSignalWireSend,
    .list = kList,
    .media_list = kMediaList,
    .number = std::span(kNumber).first(3),
};

}  // namespace

bool Dialect::is_id(std::string_view text, std::string_view letters) const { return uuids ? is_uuid(text) : is_sid(text, letters); }
std::string Dialect::new_id(std::string_view letters) const { return uuids ? new_uuid() : new_sid(letters); }

const Dialect& dialect_of(std::string_view name) { return name == kSignalWire.name ? kSignalWire : kTwilio; }

std::span<const Parameter> cancel_parameters() { return kCancel; }
std::span<const Parameter> number_list_parameters() { return kNumberList; }

}  // namespace sandbox
