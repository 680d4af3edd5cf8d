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

struct Dialect {
  std::string_view name;
  std::string_view path;           // "{sid}" stands for the account
  bool store_media_attribute;      // <Receive> knows storeMedia
  bool callback_method_parameter;  // StatusCallbackMethod is known (else it is always POST)
  Repeated repeated;
  // The received document may lie at another host than the API.
  std::string_view media_host;     // empty: the API's own
};

inline constexpr Dialect kTwilio{"twilio", "/v1/Faxes", true, false, Repeated::sorted_and_unique, ""};
inline constexpr Dialect kSignalWire{"signalwire", "/api/laml/2010-04-01/Accounts/{sid}/Faxes", false, true, Repeated::as_they_came, "files.signalwire.com"};

// By its name (config::Settings::dialect()); Twilio's for an unknown one.
const Dialect& dialect_of(std::string_view name);

}  // namespace twilio
