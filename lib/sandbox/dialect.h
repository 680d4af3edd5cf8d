// What the practice provider's two dialects differ in, as data. (Its own: lib/twilio has another, and neither knows the
// other's.) Sources: Twilio's "Fax API" reference and the last OpenAPI document that had it; SignalWire's "Compatibility
// API" reference, faxes and incoming phone numbers, and its cXML pages on fax.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sandbox {

// What a parameter's value has to be.
enum class Kind {
  target,   // a number in E.164, or a SIP URI
  sender,   // our own number; to a SIP URI: letters, digits, "+_.-"
  url,      // http or https
  quality,  // standard fine superfine
  truth,    // true false
  minutes,  // Dialect::shortest_ttl to longest_ttl
  method,   // GET POST
  event,    // of StatusCallbackEvent; may come several times
  canceled, // the word "canceled"
  voice_or_fax,
  text,     // 1 to 512 bytes without control characters
  filter,   // text, or nothing: as if it were not there
  moment,   // ISO 8601, or a day
  page_size,   // 1 to 1000
  page_number, // 0 and more
  page_token,
};

struct Parameter {
  std::string_view name;
  Kind kind;
  int wrong_code;        // of the error, if its value is wrong
  int missing_code = 0;  // if it has to be there and is not; 0: it need not
};

struct Dialect {
  std::string_view name;
  std::string_view authority;         // who speaks, in errors: "Twilio"
  std::string_view error_url;         // "{code}" stands for the code
  std::string_view signature_header;
  std::string_view account_path;      // before the resources of the 2010 API, as answers write it; "{sid}": the account
  std::string_view faxes_path;        // as answers write it
  bool uuids;                         // ids are UUIDs; else two letters and 32 hexadecimal digits
  bool host_relative;                 // URLs in answers have no host, lists are paged as those of the 2010 API
  bool sorted_signature;              // of a name that is there several times each different value once, sorted; else as they came
  bool errors_in_fax;                 // error_code and error_message are members of a fax
  bool store_media_attribute;         // <Receive> knows storeMedia
  bool reject_verb;                   // TwiML knows <Reject>
  bool receive_mode;                  // a number's voice_receive_mode is told and taken
  bool media_in_callbacks;            // MediaSid and Timestamp
  bool cancel_while_processing;       // else while queued only
  bool delete_while_queued;
  bool callback_events;               // without StatusCallbackEvent only the end is told; else every status is
  bool page_needs_token;
  int created;                        // the status of a call to send that was taken
  int wrong_code;                     // of errors without a code of their own
  int foreign_sender_code;            // From is a number, but not ours
  int too_late_status;                // of a cancel that comes too late
  std::int64_t shortest_ttl, longest_ttl;
  std::span<const Parameter> send, list, media_list;
  std::span<const Parameter> number;

  bool is_id(std::string_view text, std::string_view letters) const;
  std::string new_id(std::string_view letters) const;
};

// "signalwire"; Twilio's for any other name.
const Dialect& dialect_of(std::string_view name);

// The parameters that both have.
std::span<const Parameter> cancel_parameters();
std::span<const Parameter> number_list_parameters();

}  // namespace sandbox
