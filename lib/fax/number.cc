#include "fax/number.h"

#include <algorithm>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>

#include "text/utf8.h"
#include "text/words.h"

namespace fax {

namespace {

using i18n::phonenumbers::PhoneNumberUtil;
using Parsed = i18n::phonenumbers::PhoneNumber;

constexpr std::string_view kSuggestion = " suggestion=";
constexpr std::size_t kLongestBytes = 100;

const PhoneNumberUtil& util() { return *PhoneNumberUtil::GetInstance(); }

const i18n::phonenumbers::ShortNumberInfo& short_numbers() {
  static const i18n::phonenumbers::ShortNumberInfo info;
  return info;
}

core::Error refuse(std::string reason, std::string hint) { return {core::Code::invalid, "number: " + std::move(reason), std::move(hint), "to"}; }

std::string format(const Parsed& number, PhoneNumberUtil::PhoneNumberFormat as) {
  std::string text;
  util().Format(number, as, &text);
  return text;
}

std::string country_name(const std::string& region) {
  if (region.empty()) return {};
  const icu::Locale locale("", region.c_str());
  icu::UnicodeString name;
  locale.getDisplayCountry(icu::Locale::getEnglish(), name);
  std::string text;
  name.toUTF8String(text);
  return text;
}

PhoneNumber describe(const Parsed& number) {
  PhoneNumber result;
  result.e164 = format(number, PhoneNumberUtil::E164);
  util().GetRegionCodeForNumber(number, &result.region);
  if (result.region == "ZZ") result.region.clear();
  result.country = country_name(result.region);
  result.formatted = format(number, PhoneNumberUtil::INTERNATIONAL);
  return result;
}

// Digits, and a + in front of them if there is one.
std::string digits_of(std::string_view typed) {
  std::string digits;
  for (const char c : typed)
    if ((c >= '0' && c <= '9') || (c == '+' && digits.empty())) digits += c;
  return digits;
}

bool looks_like_a_number(std::string_view typed) {
  return std::all_of(typed.begin(), typed.end(), [](char c) {
    return (c >= '0' && c <= '9') || std::string_view("+ -().\t/").find(c) != std::string_view::npos;
  });
}

core::Error refuse_kind(PhoneNumberUtil::PhoneNumberType type, const PhoneNumber& number) {
  if (type == PhoneNumberUtil::PREMIUM_RATE)
    return refuse("premium-rate", number.formatted + " is a premium-rate number, which this line does not call. Check the number.");
  return refuse("shared cost", number.formatted + " is a special-rate number, which this line does not call. Check the number.");
}

// The same digits without the +, where they are a number at home.
core::Result<PhoneNumber> at_home(std::string_view typed, const std::string& region) {
  Parsed number;
  if (util().Parse(digits_of(typed).substr(1), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR || !util().IsValidNumber(number))
    return core::Error{core::Code::not_found, ""};
  return describe(number);
}

core::Error refuse_unknown(std::string_view typed, const Parsed& number, const std::string& region) {
  const auto trimmed = text::trim(typed);
  if (!trimmed.empty() && trimmed.front() == '+') {
    if (const auto home = at_home(trimmed, region))
      return refuse("does not exist as typed" + std::string(kSuggestion) + home->e164,
                    "With the + in front, this is a number abroad that does not exist. Did you mean " + home->formatted + "?");
  }
  switch (util().IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::TOO_SHORT: return refuse("too short", "This number is too short. Type all of it, with the area code.");
    case PhoneNumberUtil::TOO_LONG: return refuse("too long", "This number is too long. Check the digits.");
    case PhoneNumberUtil::INVALID_COUNTRY_CODE: return refuse("country code", "No country has this code. Check the digits after the +.");
    default: return refuse("does not exist", "There is no such number: no telephone company uses " + format(number, PhoneNumberUtil::INTERNATIONAL) + ". Check the digits.");
  }
}

}  // namespace

bool is_e164(std::string_view text) {
  return text.size() >= 3 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

core::Result<PhoneNumber> parse_number(std::string_view typed, std::string_view default_region, const std::vector<std::string>& always_legal) {
  const auto trimmed = text::trim(typed);
  const std::string region(default_region);
  if (trimmed.empty()) return refuse("empty", "Type the number to send to.");
  if (trimmed.size() > kLongestBytes || !text::valid_utf8(trimmed)) return refuse("not a number", "This is not a telephone number.");
  const auto digits = digits_of(trimmed);
  if (looks_like_a_number(trimmed) && std::find(always_legal.begin(), always_legal.end(), digits) != always_legal.end()) {
    Parsed number;
    if (util().Parse(digits, region, &number) == PhoneNumberUtil::NO_PARSING_ERROR) return PhoneNumber{digits, "", "", format(number, PhoneNumberUtil::INTERNATIONAL)};
    return PhoneNumber{digits, "", "", digits};
  }
  Parsed number;
  const std::string text(trimmed);
  if (short_numbers().ConnectsToEmergencyNumber(text, region) || (trimmed.front() != '+' && (digits == "112" || digits == "911" || digits == "999" || digits == "110")))
    return refuse("emergency", text + " is an emergency number, which this line never calls.");
  switch (util().Parse(text, region, &number)) {
    case PhoneNumberUtil::NO_PARSING_ERROR: break;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN: return refuse("too short", "This number is too short. Type all of it, with the area code.");
    case PhoneNumberUtil::TOO_LONG_NSN: return refuse("too long", "This number is too long. Check the digits.");
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR: return refuse("country code", "No country has this code. Check the digits after the +.");
    default: return refuse("not a number", "This is not a telephone number.");
  }
  if (number.has_extension()) return refuse("extension", "A fax cannot be sent to an extension. Type the number without it.");
  if (trimmed.front() != '+' && short_numbers().IsPossibleShortNumberForRegion(number, region) && !util().IsValidNumber(number))
    return refuse("short number", text + " is a short number, which only telephones in that network reach. Type the whole number.");
  if (!util().IsValidNumber(number)) return refuse_unknown(trimmed, number, region);
  auto found = describe(number);
  const auto type = util().GetNumberType(number);
  if (type == PhoneNumberUtil::PREMIUM_RATE || type == PhoneNumberUtil::SHARED_COST) return refuse_kind(type, found);
  // Typed with a + it exists, but without the + it would be one at home: the person is told which country it is.
  return found;
}

std::string suggestion_of(const core::Error& error) {
  const auto at = error.text.find(kSuggestion);
  return at == std::string::npos ? std::string() : error.text.substr(at + kSuggestion.size());
}

}  // namespace fax
