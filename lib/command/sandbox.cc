// The verbs that make the practice provider misbehave.
#include "sandbox/faults.h"

#include "command/command.h"
#include "http/client.h"
#include "json/value.h"
#include "text/percent.h"

namespace command {

namespace {

core::Result<http::Answer> ask(const config::Settings& settings, std::string method, std::string form = {}) {
  if (!settings.practice())
    return core::Error{core::Code::forbidden, "a fault without the sandbox", "Only the practice line can be made to misbehave; this line has a real provider."};
  http::Client client({.ca_file = settings.provider_ca_file(), .user_agent = "faxline"});
  const http::Credentials credentials{settings.text("TWILIO_SID"), settings.secret("TWILIO_TOKEN")};
  auto answer = client.send({.method = std::move(method), .url = settings.provider_url() + "/sandbox/faults", .credentials = &credentials, .body = std::move(form)});
  if (!answer) return std::move(answer.error()).with_hint("The sandbox cannot be reached: is the line running?");
  if (answer->status / 100 == 2) return answer;
  const auto body = json::parse(answer->body);
  const auto message = body ? (*body)["message"].as_string() : std::nullopt;
  return core::Error{core::Code::invalid, "the sandbox answered " + std::to_string(answer->status), "The sandbox did not take it: " + std::string(message.value_or("it answered " + std::to_string(answer->status))) + "."};
}

}  // namespace

core::Result<int> sandbox_fault(const config::Settings& settings, const Words& words) {
  const std::string& name = words.words[0];
  if (settings.practice() && sandbox::find_fault(name) == nullptr) {
    say("faxline sandbox fault: there is no fault '" + name + "'. `faxline sandbox fault --help` lists them.");
    return 64;
  }
  std::string form = "fault=" + text::percent_encode(name);
  if (!words.times.empty()) form += "&times=" + text::percent_encode(words.times);
  if (!words.seconds.empty()) form += "&seconds=" + text::percent_encode(words.seconds);
  CORE_CHECK(ask(settings, "POST", form));
  say("From now on: " + std::string(sandbox::find_fault(name)->help));
  return 0;
}

core::Result<int> sandbox_faults(const config::Settings& settings, const Words& words) {
  CORE_TRY(answer, ask(settings, "GET"));
  if (words.json) {
    print(answer.body);
    return 0;
  }
  CORE_TRY(body, json::parse(answer.body));
  for (const json::Value& fault : body["faults"].items()) {
    const auto seconds = fault["seconds"].as_int64();
    print(std::string(fault["fault"].as_string().value_or("?")) + "\t" + std::string(fault["stage"].as_string().value_or("?")) + "\t" +
          std::to_string(fault["times"].as_int64().value_or(0)) + "\t" + (seconds ? std::to_string(*seconds) : "-"));
  }
  return 0;
}

core::Result<int> sandbox_clear(const config::Settings& settings, const Words&) {
  CORE_CHECK(ask(settings, "DELETE"));
  say("The sandbox behaves again.");
  return 0;
}

void print_faults() {
  print("\nOf a stage other than 'call' a fault is one fax's, from its beginning to its end.");
  for (const sandbox::Fault& fault : sandbox::known_faults()) {
    std::string line = "  " + std::string(fault.name);
    line.append(line.size() < 33 ? 33 - line.size() : 1, ' ').append(sandbox::name(fault.stage));
    line.append(45 - std::min<std::size_t>(line.size(), 44), ' ').append(fault.help);
    if (fault.seconds > 0) line += " (--seconds: " + std::to_string(fault.seconds) + ")";
    print(line);
  }
}

}  // namespace command
