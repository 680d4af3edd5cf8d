#include "fax/number.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>

#include "fax/country.h"
#include "text/utf8.h"
#include "text/words.h"

namespace fax {
namespace {

using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;
using Parsed = i18n::phonenumbers::PhoneNumber;

constexpr std::size_t kMaxTypedBytes = 100;
constexpr std::string_view kShape = "Type the number with its area code, or with + and its country code, like +1 212 555 1212.";

// Dialled for help somewhere, and nowhere a fax's number.
constexpr std::string_view kEmergency[] = {"112", "911", "999", "000", "110", "118", "119", "113", "115", "117", "997", "998"};

const PhoneNumberUtil& util() { return *PhoneNumberUtil::GetInstance(); }

const ShortNumberInfo& short_numbers() {
  static const ShortNumberInfo info;  // reads its tables when it is made
  return info;
}

core::Error invalid(std::string_view reason, std::string hint) {
  core::Error error;
  error.code = core::Code::invalid;
  error.text = "read a telephone number: ";
  error.text += reason;
  error.hint = std::move(hint);
  error.field = "to";
  return error;
}

// As the ITU writes numbers (E.123): spaces, no dashes.
std::string international(const Parsed& number) {
  std::string text;
  util().Format(number, PhoneNumberUtil::INTERNATIONAL, &text);
  std::replace(text.begin(), text.end(), '-', ' ');
  return text;
}

std::string e164_of(const Parsed& number) {
  std::string text;
  util().Format(number, PhoneNumberUtil::E164, &text);
  return text;
}

std::string region_of(const Parsed& number) {
  std::string region;
  util().GetRegionCodeForNumber(number, &region);
  return region.size() == 2 && region != "ZZ" ? region : std::string();
}

// "in Morocco", "in the Bahamas"; for numbers of no country, "of an international service".
std::string where(const std::string& region) {
  const auto country = country_name(region);
  if (country.empty()) return "of an international service";
  std::string words = "in ";
  if (country.starts_with("United ") || country.ends_with(" Islands") || country.ends_with(" Republic") || country == "Netherlands" ||
      country == "Philippines" || country == "Maldives")
    words += "the ";
  return words.append(country);
}

// What was typed in plain signs: digits, letters, one kind of space, dash and plus. Empty if a sign in it belongs to no
// number: the library would cut it off there, and dial the rest.
std::optional<std::string> plain(std::string_view typed) {
  std::string text;
  while (!typed.empty()) {
    const auto [code, valid] = text::take_character(typed);
    if (!valid) return std::nullopt;
    const auto from = [&](char32_t zero) { return code >= zero && code <= zero + 9; };
    const auto digit = [&](char32_t zero) { text += static_cast<char>('0' + (code - zero)); };
    if (code < 0x80) {
      const char sign = static_cast<char>(code);
      const bool letter = (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z');
      if (from('0') || letter || std::string_view("+ ()[].-/").find(sign) != std::string_view::npos) text += sign;
      else if (sign == '\t' || sign == '\n' || sign == '\r') text += ' ';
      else return std::nullopt;
    } else if (from(0xFF10)) digit(0xFF10);  // full-width
    else if (from(0x0660)) digit(0x0660);    // Arabic
    else if (from(0x06F0)) digit(0x06F0);    // Persian, Urdu
    else if (from(0x0966)) digit(0x0966);    // Devanagari
    else if (from(0x09E6)) digit(0x09E6);    // Bengali
    else if (from(0x0E50)) digit(0x0E50);    // Thai
    else if (code == 0xFF0B) text += '+';
    else if (code == 0xA0 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x3000) text += ' ';
    else if ((code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0xFF0D || code == 0x30FC) text += '-';
    else if (code == 0xFF08 || code == 0xFF09 || code == 0xB7 || code == 0x2022) text += ' ';
    else if ((code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) || code == 0x2060 || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF)
      continue;  // invisible: comes with what is copied from an address book
    else return std::nullopt;
  }
  return std::string(text::trim(text));
}

std::string digits_of(std::string_view text) {
  std::string digits;
  for (const char sign : text)
    if (sign >= '0' && sign <= '9') digits += sign;
  return digits;
}

bool has_letters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char sign) { return (sign | 0x20) >= 'a' && (sign | 0x20) <= 'z'; });
}

// The library drops one or two letters at the end without a word.
bool spelled_out(std::string typed, std::string_view e164) {
  util().ConvertAlphaCharactersInNumber(&typed);
  const std::string digits = digits_of(typed);
  return digits.size() >= 4 && e164.ends_with(std::string_view(digits).substr(digits.size() - 4));
}

PhoneNumberUtil::ErrorType read(const std::string& text, const std::string& region, Parsed& number) {
  number.Clear();
  return util().Parse(text, region, &number);
}

// A valid number, or nothing.
std::optional<Parsed> valid(const std::string& text, const std::string& region) {
  Parsed number;
  if (read(text, region, number) != PhoneNumberUtil::NO_PARSING_ERROR || number.has_extension() || !util().IsValidNumber(number)) return std::nullopt;
  return number;
}

// What the same digits would be in the region, and with a "+" in front; empty: nothing.
std::optional<Parsed> meant(const std::string& typed, const std::string& region) {
  const std::string digits = digits_of(typed);
  if (has_letters(typed) || digits.empty()) return std::nullopt;
  if (const auto number = valid(digits, region)) return number;
  if (!typed.starts_with('+')) return valid("+" + digits, region);
  return std::nullopt;
}

PhoneNumber finished(const Parsed& number) {
  PhoneNumber result;
  result.e164 = e164_of(number);
  result.region = region_of(number);
  result.country = country_name(result.region);
  result.text = international(number);
  return result;
}

PhoneNumber as_given(const std::string& e164, const std::string& region) {
  Parsed number;
  if (read(e164, region, number) == PhoneNumberUtil::NO_PARSING_ERROR && e164_of(number) == e164) return finished(number);
  return {.e164 = e164, .region = {}, .country = {}, .text = e164, .note = {}};
}

// Numbers that are too short to be anything but a service of the region.
std::optional<core::Error> refused_as_short(const std::string& digits, const std::string& region) {
  if (auto error = refused_as_emergency(digits, region)) return error;
  if (digits.size() > 6) return std::nullopt;
  Parsed number;
  if (read(digits, region, number) != PhoneNumberUtil::NO_PARSING_ERROR || !short_numbers().IsValidShortNumberForRegion(number, region)) return std::nullopt;
  return invalid("short number", digits + " is a short number for services " + where(region) + ", not the number of a fax machine. " + std::string(kShape));
}

// Why a number that could be read is none.
core::Error refused(const Parsed& number, const std::string& typed, const std::string& region, bool international_form) {
  std::string national;
  util().GetNationalSignificantNumber(number, &national);
  std::string home;
  util().GetRegionCodeForCountryCode(number.country_code(), &home);
  if (auto error = refused_as_short(national, home)) return std::move(*error);

  std::string hint;
  std::string_view reason = "not a valid number";
  const std::string place = international_form ? where(home.size() == 2 ? home : std::string()) : where(region);
  switch (util().IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::TOO_SHORT:
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
      reason = "too short";
      hint = "The number is too short for one " + place + ".";
      break;
    case PhoneNumberUtil::TOO_LONG:
      reason = "too long";
      hint = "The number is too long for one " + place + ".";
      break;
    default: hint = "There is no such number " + place + ".";
  }
  const auto better = meant(typed, region);
  hint += better ? " Did you mean " + international(*better) + "?" : " " + std::string(kShape);
  return invalid(reason, std::move(hint));
}

// A number abroad whose digits, without "+", would be one at home too.
std::string doubt(const PhoneNumber& number, const std::string& typed, const std::string& region) {
  if (!typed.starts_with('+') || number.region == region) return {};
  const auto home = valid(digits_of(typed), region);
  if (!home || region_of(*home) != region) return {};
  return "This number is " + where(number.region) + ". If you mean the one " + where(region) + ", it is " + international(*home) + ".";
}

core::Error unreadable(PhoneNumberUtil::ErrorType error, const std::string& typed, const std::string& region) {
  std::string hint;
  switch (error) {
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR: hint = "The number does not begin with the code of a country."; break;
    case PhoneNumberUtil::TOO_SHORT_NSN:
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD: hint = "The number is too short."; break;
    case PhoneNumberUtil::TOO_LONG_NSN: hint = "The number is too long."; break;
    default: return invalid("nothing like a number", "This is not a telephone number. " + std::string(kShape));
  }
  const auto better = meant(typed, region);
  hint += better ? " Did you mean " + international(*better) + "?" : " " + std::string(kShape);
  return invalid("cannot be read", std::move(hint));
}

core::Result<PhoneNumber> parse(std::string typed, const std::string& region, std::span<const std::string> always_legal) {
  const std::string digits = digits_of(typed);
  const bool letters = has_letters(typed);
  if (!letters)
    for (const std::string& legal : always_legal)
      if (legal == "+" + digits) return as_given(legal, region);
  if (digits.empty()) return invalid("nothing like a number", "This is not a telephone number. " + std::string(kShape));
  if (typed.find('/') != std::string::npos && digits.size() > 15)
    return invalid("several numbers", "Type one number only.");
  if (!letters && (!typed.starts_with('+') || digits.size() <= 3))
    if (auto error = refused_as_short(digits, region)) return std::move(*error);

  // A prefix for calls abroad that is not this region's, but cannot mean anything else.
  for (const std::string_view prefix : {"00", "011"})
    if (digits.starts_with(prefix) && !typed.starts_with('+') && !letters && !valid(typed, region) && valid("+" + digits.substr(prefix.size()), region))
      typed = "+" + digits.substr(prefix.size());

  Parsed number;
  if (const auto error = read(typed, region, number); error != PhoneNumberUtil::NO_PARSING_ERROR) return unreadable(error, typed, region);
  if (number.has_extension())
    return invalid("extension", "A fax cannot dial the extension " + number.extension() + ". Type the number of the fax machine itself.");
  const std::string e164 = e164_of(number);
  if (letters && !spelled_out(typed, e164))
    return invalid("letters that are not part of it", "The letters in it do not belong to a telephone number. " + std::string(kShape));
  if (std::find(always_legal.begin(), always_legal.end(), e164) != always_legal.end()) return finished(number);

  if (!util().IsValidNumber(number)) return refused(number, typed, region, typed.starts_with('+'));
  if (util().GetNumberType(number) == PhoneNumberUtil::PREMIUM_RATE)
    return invalid("premium-rate number", international(number) + " is a premium-rate number: calls to it cost extra. It is never called from here.");
  PhoneNumber result = finished(number);
  result.note = doubt(result, typed, region);
  return result;
}

}  // namespace

bool is_e164(std::string_view text) {
  return text.size() >= 2 && text.size() <= 16 && text[0] == '+' && text[1] >= '1' && text[1] <= '9' &&
         std::all_of(text.begin() + 1, text.end(), [](char sign) { return sign >= '0' && sign <= '9'; });
}

std::optional<core::Error> refused_as_emergency(const std::string& digits, const std::string& region) {
  if (std::find(std::begin(kEmergency), std::end(kEmergency), digits) == std::end(kEmergency) && !short_numbers().IsEmergencyNumber(digits, region)) return std::nullopt;
  return invalid("emergency number", digits + " is an emergency number. It is never called from here.");
}

core::Result<PhoneNumber> parse_number(std::string_view typed, std::string_view default_region, std::span<const std::string> always_legal) {
  if (text::trim(typed).empty()) return invalid("empty", "Type the number of the fax machine.");
  if (typed.size() > kMaxTypedBytes) return invalid("longer than a number can be", "This is too long for a telephone number.");
  auto signs = plain(typed);
  if (!signs) return invalid("a sign that belongs to no number", "This is not a telephone number. " + std::string(kShape));
  return parse(std::move(*signs), std::string(default_region), always_legal);
}

}  // namespace fax
