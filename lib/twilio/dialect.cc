#include "twilio/dialect.h"

namespace twilio {

const Dialect& dialect_of(std::string_view name) {
  if (name == kSignalWire.name) return kSignalWire;
  return kTwilio;
}

}  // namespace twilio
