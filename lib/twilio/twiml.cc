#include "twilio/twiml.h"

#include "text/escape.h"

namespace twilio {

std::string receive_twiml(const Dialect& dialect, std::string_view action, bool store_media) {
  std::string answer = R"(<?xml version="1.0" encoding="UTF-8"?><Response><Receive action=")" + text::xml_escape(action) + R"(" method="POST" mediaType="application/pdf")";
  if (dialect.store_media_attribute) answer += store_media ? R"( storeMedia="true")" : R"( storeMedia="false")";
  return answer + "/></Response>";
}

}  // namespace twilio
