#include "twilio/numbers.h"

#include <utility>

#include "http/url.h"
#include "twilio/api.h"
#include "twilio/token.h"

namespace twilio {

namespace {

Api api_of(http::Client& client, const Account& account) {
  const bool elsewhere = !account.dialect.numbers_host.empty() && http::same_host_port(account.base_url, account.dialect.usual_host);
  return {client, elsewhere ? std::string(account.dialect.numbers_host) : account.base_url, account.sid, account.token.duplicate()};
}

core::Error not_offered(const http::Answer& answer, std::string_view what) {
  auto error = no_answer(answer, what);
  if (answer.status == 405) error.code = core::Code::not_found;
  if (error.code == core::Code::not_found) error.hint = "The provider's API does not tell of its numbers: look at the number's page at the provider.";
  return error;
}

}  // namespace

core::Result<std::optional<Number>> find_number(http::Client& client, const Account& account, const std::string& number) {
  const auto api = api_of(client, account);
  const std::string url = api.url_of(account.dialect.numbers_path) + ".json?" + Form().add("PhoneNumber", number).text();
  std::optional<Number> found;
  const auto look = [&](std::string_view body) -> core::Result<bool> {
    CORE_TRY(numbers, read_numbers(body));
    for (auto& one : numbers)
      if (one.number == number && !found) found = std::move(one);
    return !found;
  };
  CORE_CHECK(api.read_pages(url, "find our number at the provider", look, not_offered));
  return found;
}

core::Result<Number> configure_number(http::Client& client, const Account& account, const std::string& sid, const std::string& voice_url) {
  if (!is_fax_sid(sid)) return bad_id();
  const auto api = api_of(client, account);
  const auto form = Form().add("VoiceUrl", voice_url).add("VoiceMethod", "POST").add_if("VoiceReceiveMode", account.dialect.receive_mode_parameter ? "fax" : "");
  CORE_TRY(answer, api.call("POST", api.url_of(account.dialect.numbers_path) + "/" + sid + ".json", form.text()));
  if (!is_good(answer)) return not_offered(answer, "configure our number at the provider");
  CORE_TRY(number, read_number(answer.body));
  if (number.sid != sid) return core::Error{core::Code::bad_request, "configure our number at the provider: the answer is about another number"};
  return number;
}

}  // namespace twilio
