// Where the providers that speak Twilio's dialect differ, as data.
#pragma once

#include <string>
#include <string_view>

namespace twilio {

// How a signature takes names that come more than once.
enum class Repeated {
  sorted_and_unique,  // Twilio's client libraries
  as_they_came,       // SignalWire's
};

// Which ports a signature may have been made with, besides the one that is given.
enum class Ports {
  with_and_without,  // Twilio: none at all, too
  standard_only,     // SignalWire: the standard port may be left out or added, any other counts as given
};

struct Dialect {
  std::string_view name;
  std::string_view path;           // of the faxes; "{sid}" stands for the account
  std::string_view numbers_path;   // of the account's numbers, the same way
  std::string_view numbers_host;   // where they are when the API is at `usual_host`; empty: at the API's own host
  std::string_view usual_host;
  bool store_media_attribute;      // <Receive> knows storeMedia
  bool callback_method_parameter;  // StatusCallbackMethod is known (else it is always POST)
  bool reject_verb;                // <Reject/> is known
  bool receive_mode_parameter;     // VoiceReceiveMode of a number is documented (else its own pages set it)
  Repeated repeated;
  Ports ports;
  bool signs_raw_bodies;           // bodies that are no form: hexadecimal, over the URL and the body as it is
  // The received document may lie at another host than the API.
  std::string_view media_host;     // empty: the API's own
  bool media_bearer;               // there the token counts as "Authorization: Bearer", if one is asked for at all
};

// Source: Twilio's pages "Fax Resource", "TwiML for Programmable Fax", "Security".
inline constexpr Dialect kTwilio{.name = "twilio",
                                 .path = "/v1/Faxes",
                                 .numbers_path = "/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers",
                                 .numbers_host = "https://api.twilio.com",
                                 .usual_host = "https://fax.twilio.com",
                                 .store_media_attribute = true,
                                 .callback_method_parameter = false,
                                 .reject_verb = false,
                                 .receive_mode_parameter = true,
                                 .repeated = Repeated::sorted_and_unique,
                                 .ports = Ports::with_and_without,
                                 .signs_raw_bodies = false,
                                 .media_host = "",
                                 .media_bearer = false};

// Source: SignalWire's "Compatibility API" and "cXML: Fax", and the validators of its client libraries.
inline constexpr Dialect kSignalWire{.name = "signalwire",
                                     .path = "/api/laml/2010-04-01/Accounts/{sid}/Faxes",
                                     .numbers_path = "/api/laml/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers",
                                     .numbers_host = "",
                                     .usual_host = "",
                                     .store_media_attribute = false,
                                     .callback_method_parameter = true,
                                     .reject_verb = true,
                                     .receive_mode_parameter = false,
                                     .repeated = Repeated::as_they_came,
                                     .ports = Ports::standard_only,
                                     .signs_raw_bodies = true,
                                     .media_host = "files.signalwire.com",
                                     .media_bearer = true};

// By its name (config::Settings::dialect()); Twilio's for an unknown one.
const Dialect& dialect_of(std::string_view name);

}  // namespace twilio
