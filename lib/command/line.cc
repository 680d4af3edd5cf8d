#include <array>

#include "command/command.h"
#include "core/clock.h"
#include "core/fd.h"
#include "fax/number.h"
#include "http/client.h"
#include "text/percent.h"

namespace command {

namespace {

constexpr std::size_t kLargestReceived = std::size_t{256} << 20;

}  // namespace

core::Result<int> receive(const config::Settings& settings, const Words& words) {
  if (!settings.practice()) return core::Error{core::Code::forbidden, "receive without the sandbox", "Faxes can be made to arrive on the practice line only; this line has a real provider."};
  if (words.from.empty()) {
    say("faxline receive: say from whom, with --from NUMBER.");
    return 64;
  }
  const std::array numbers{settings.fax_number(), words.from};  // who calls is not for us to doubt
  CORE_TRY(number, fax::parse_number(words.from, settings.text("DEFAULT_COUNTRY"), numbers));
  auto document = core::read_file(words.words[0], kLargestReceived);
  if (!document) return core::Error{core::Code::invalid, document.error().text, "The file " + words.words[0] + " cannot be read: " + document.error().text};
  http::Client client({.ca_file = settings.provider_ca_file(), .user_agent = "faxline"});
  const http::Credentials credentials{settings.text("TWILIO_SID"), settings.secret("TWILIO_TOKEN")};
  http::Call call;
  call.method = "POST";
  call.url = settings.provider_url() + "/sandbox/receive?From=" + text::percent_encode(number.e164);
  call.credentials = &credentials;
  call.body = std::move(*document);
  call.content_type = "application/pdf";
  auto answer = client.send(call);
  if (!answer) return std::move(answer.error()).with_hint("The sandbox cannot be reached: is the line running?");
  if (answer->status / 100 == 5) return core::Error{core::Code::unavailable, "the sandbox answered " + std::to_string(answer->status), "The practice provider cannot store it now. `faxline doctor` says what is wrong with its disk."};
  if (answer->status / 100 != 2) return core::Error{core::Code::invalid, "the sandbox answered " + std::to_string(answer->status), "The sandbox did not take it: " + answer->body.substr(0, 300)};
  say("It comes in now, from " + number.text + ".");
  return 0;
}

}  // namespace command
