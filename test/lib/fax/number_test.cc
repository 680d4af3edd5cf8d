#include "fax/number.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "config/settings.h"
#include "fax/country.h"

namespace {

const std::vector<std::string> kLegal{"+15005550006", "+15005550001"};

std::string e164(std::string_view typed, std::string_view region = "US") {
  const auto number = fax::parse_number(typed, region, kLegal);
  return number ? number->e164 : "refused: " + number.error().hint;
}

core::Error refusal(std::string_view typed, std::string_view region = "US") {
  const auto number = fax::parse_number(typed, region, kLegal);
  REQUIRE_MESSAGE(!number, typed);
  CHECK(number.error().code == core::Code::invalid);
  CHECK(number.error().field == "to");
  CHECK_FALSE(number.error().hint.empty());
  return number.error();
}

bool says(const core::Error& error, std::string_view words) { return error.hint.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("number: whatever was typed, E.164 comes out") {
  for (const char* typed : {"2125551212", "(212) 555-1212", "212.555.1212", "+1 212 555 1212", "1-212-555-1212", " 212 555 1212\n", "212\u2011555\u20111212",
                            "\uFF0B\uFF11\uFF12\uFF11\uFF12\uFF15\uFF15\uFF15\uFF11\uFF12\uFF11\uFF12", "\u0662\u0661\u0662\u0665\u0665\u0665\u0661\u0662\u0661\u0662",
                            "\u202A+12125551212\u202C", "001 212 555 1212", "011 1 212 555 1212"})
    CHECK_MESSAGE(e164(typed) == "+12125551212", typed);
  CHECK(e164("1-800-FLOWERS") == "+18003569377");
  CHECK(e164("+44 (0)20 7946 0958") == "+442079460958");
  CHECK(e164("0044 20 7946 0958") == "+442079460958");
  CHECK(e164("011 44 20 7946 0958") == "+442079460958");
  CHECK(e164("030 123456", "DE") == "+4930123456");
  CHECK(e164("011 1 212 555 1212", "DE") == "+12125551212");
}

TEST_CASE("number: says whose it is") {
  const auto number = fax::parse_number("+442079460958", "US");
  REQUIRE(number);
  CHECK(number->region == "GB");
  CHECK(number->country == "United Kingdom");
  CHECK(number->text == "+44 20 7946 0958");
  CHECK(number->note.empty());
  const auto nobody = fax::parse_number("+800 1234 5678", "US");
  REQUIRE(nobody);
  CHECK(nobody->region.empty());
  CHECK(nobody->country.empty());
}

TEST_CASE("number: a plus without the country's code is not taken for another country") {
  CHECK(says(refusal("+2125551212"), "+1 212 555 1212"));
  CHECK(says(refusal("+2125551212"), "Morocco"));
  CHECK(says(refusal("+4155551212"), "+1 415 555 1212"));
  CHECK(says(refusal("+030 123456", "DE"), "+49 30 123456"));
  const auto both = fax::parse_number("+2015550123", "US");
  REQUIRE(both);
  CHECK(both->e164 == "+2015550123");
  CHECK(both->note == "This number is in Egypt. If you mean the one in the United States, it is +1 201 555 0123.");
  CHECK(says(refusal("442079460958"), "Did you mean +44 20 7946 0958?"));
}

TEST_CASE("number: emergency, short and premium numbers are refused by name") {
  for (const char* typed : {"112", "911", "999", "+112", "+911", "1 1 2", "000"}) CHECK_MESSAGE(says(refusal(typed), "emergency number"), typed);
  CHECK(says(refusal("110", "DE"), "110 is an emergency number"));
  CHECK(says(refusal("+49112"), "112 is an emergency number"));
  CHECK(says(refusal("411"), "short number"));
  CHECK(says(refusal("22000"), "short number"));
  CHECK(says(refusal("1-900-555-1234"), "premium-rate"));
  CHECK(says(refusal("+44 909 879 0000"), "premium-rate"));
}

TEST_CASE("number: what is none is refused, with a reason") {
  for (const char* typed : {"hello", "+", "()", "tel:+12125551212", "212;ext=5", "*67 2125551212", "\xff\xfe", "2125551212@example.com", "+1+2125551212"})
    CHECK_MESSAGE(says(refusal(typed), "not a telephone number"), typed);
  CHECK(says(refusal(""), "Type the number"));
  CHECK(says(refusal(" \t"), "Type the number"));
  CHECK(says(refusal("5551212"), "too short"));
  CHECK(says(refusal("12345678901234567890"), "too long"));
  CHECK(says(refusal(std::string(200, '1')), "too long"));
  CHECK(says(refusal("1-800-FLOWERS-NOW"), "too long"));
  CHECK(says(refusal("212-555-1212 x5"), "extension 5"));
  CHECK(says(refusal("212-555-1212 ab"), "letters"));
  CHECK(says(refusal("2125551212/2125551213"), "one number"));
  CHECK(says(refusal("+999 1234567"), "code of a country"));
  CHECK(says(refusal("+3105551212"), "no such number in the Netherlands"));
}

TEST_CASE("number: the own number is legal, valid or not") {
  for (const char* typed : {"+15005550006", "15005550006", "(500) 555-0006", "1 500 555 0006"}) CHECK_MESSAGE(e164(typed) == "+15005550006", typed);
  CHECK(e164("15005550001", "DE") == "+15005550001");
  const std::vector<std::string> odd{"+9991234567"};
  const auto number = fax::parse_number("+999 123 4567", "US", odd);
  REQUIRE(number);
  CHECK(number->e164 == "+9991234567");
  CHECK(number->text == "+9991234567");
  CHECK_FALSE(fax::parse_number("+999 123 4567", "US"));
}

TEST_CASE("number: the form of E.164") {
  CHECK(fax::is_e164("+15005550006"));
  CHECK(fax::is_e164("+123456789012345"));
  for (const char* text : {"", "+", "15005550006", "+05005550006", "+1 500", "+1234567890123456", "+15005550006\n"}) CHECK_FALSE(fax::is_e164(text));
}

TEST_CASE("the countries that DEFAULT_COUNTRY may be are those with a name") {
  const std::string least = "MAILDIR_ROOT_DIR=/mail\nPUBLIC_HOSTNAME=fax.example.org\nTWILIO_SID=AC1\nTWILIO_TOKEN=secret-token\n";
  for (char one = 'A'; one <= 'Z'; ++one)
    for (char two = 'A'; two <= 'Z'; ++two) {
      const std::string code{one, two};
      const auto settings = config::load(least + "DEFAULT_COUNTRY=" + code + "\n", [](const std::string&) { return std::optional<std::string>(); });
      CHECK_MESSAGE(settings.has_value() == !fax::country_name(code).empty(), code);
    }
}
