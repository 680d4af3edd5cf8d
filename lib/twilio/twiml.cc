#include "twilio/twiml.h"

#include "text/escape.h"

namespace twilio {

namespace {
constexpr std::string_view kBegin = R"(<?xml version="1.0" encoding="UTF-8"?><Response>)";
}  // namespace

std::string receive_twiml(const Dialect& dialect, std::string_view action, bool store_media, std::string_view page_size) {
  std::string answer(kBegin);
  answer += R"(<Receive action=")" + text::xml_escape(action) + R"(" method="POST" mediaType="application/pdf")";
  if (!page_size.empty()) answer += R"( pageSize=")" + text::xml_escape(page_size) + "\"";
  if (dialect.store_media_attribute) answer += store_media ? R"( storeMedia="true")" : R"( storeMedia="false")";
  return answer + "/></Response>";
}

std::optional<std::string> reject_twiml(const Dialect& dialect) {
  if (!dialect.reject_verb) return std::nullopt;
  return std::string(kBegin) + "<Reject/></Response>";
}

}  // namespace twilio
