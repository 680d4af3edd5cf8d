// What the provider answers, whatever it is: read or refused, and what is read is fit to be shown, kept, and asked for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/utf8.h"
#include "text/words.h"
#include "twilio/answer.h"
#include "twilio/token.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_plain(std::string_view text) {
  require(text::valid_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != '\x7f');
}

void require_url(std::string_view url) { require(url.empty() || text::is_visible_ascii(url)); }

void require_fit(const fax::ProviderFax& fax) {
  require(twilio::is_fax_sid(fax.id));
  require(fax.media_id.empty() || twilio::is_fax_sid(fax.media_id));
  require(!fax.pages || (*fax.pages >= 0 && *fax.pages <= 1'000'000));
  for (const auto* text : {&fax.from, &fax.to, &fax.error_code, &fax.error_message}) require_plain(*text);
  require(fax.error_message.find("://") == std::string::npos);
  require_url(fax.media_url);
}

void require_fit(const twilio::Number& number) {
  require(twilio::is_fax_sid(number.sid));
  for (const auto* text : {&number.number, &number.voice_method, &number.receive_mode}) require_plain(*text);
  require_url(number.voice_url);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto fax = twilio::read_fax(body)) require_fit(*fax);
  if (const auto page = twilio::read_page(body)) {
    for (const auto& fax : page->faxes) require_fit(fax);
    require(twilio::read_next(body).value() == page->next);
    require_url(page->next);
  }
  if (const auto sids = twilio::read_media(body))
    for (const auto& sid : *sids) require(twilio::is_fax_sid(sid));
  if (const auto medium = twilio::read_medium(body)) {
    require_plain(medium->content_type);
    require_url(medium->url);
  }
  if (const auto number = twilio::read_number(body)) require_fit(*number);
  if (const auto numbers = twilio::read_numbers(body))
    for (const auto& number : *numbers) require_fit(number);
  if (const auto refusal = twilio::read_refusal(body)) {
    require(!refusal->code.empty() || !refusal->message.empty());
    require_plain(refusal->code);
    require_plain(refusal->message);
    require(refusal->message.find("://") == std::string::npos);
  }
  return 0;
}
