#include "fax/target.h"

#include <doctest/doctest.h>

#include <array>

namespace {

const std::array<std::string, 2> kHosts{"sip.example.org", "pbx.example.org:5070"};

core::Result<fax::PhoneNumber> parse(std::string_view typed) { return fax::parse_target(typed, "US", {}, kHosts); }

std::string hint(std::string_view typed) {
  const auto target = parse(typed);
  return target ? "taken: " + target->e164 : target.error().field + ": " + target.error().hint;
}

}  // namespace

TEST_CASE("telephone numbers are as they were") {
  CHECK(parse("(212) 555-1212")->e164 == "+12125551212");
  CHECK(hint("911").find("to: ") == 0);
}

TEST_CASE("a SIP address at a host that the owner named") {
  CHECK(parse("sip:+12125551212@sip.example.org")->e164 == "sip:+12125551212@sip.example.org");
  CHECK(parse("  SIP:office@SIP.example.org:5080 ")->e164 == "sip:office@SIP.example.org:5080");
  CHECK(parse("sips:office@pbx.example.org:5070;transport=tcp?h=v")->e164 == "sips:office@pbx.example.org:5070;transport=tcp?h=v");
  CHECK(parse("sip:office@sip.example.org")->text == "office@sip.example.org");
  CHECK(parse("sip:office@sip.example.org")->country.empty());
}

TEST_CASE("any other is refused, with what to do") {
  CHECK(hint("sip:office@pbx.example.org").find("SIP_HOSTS") != std::string::npos);  // named with its port alone
  CHECK(hint("sip:office@evil.example.net").find("does not send to evil.example.net") != std::string::npos);
  CHECK(hint("sip:office@sip.example.org.evil.net").find("does not send to") != std::string::npos);
  for (const auto* typed : {"sip:", "sip:@sip.example.org", "sip:office", "sip:us:word@sip.example.org", "sip:a b@sip.example.org", "sip:a@sip.example.org\r\nTo: x", "sip:a@b@sip.example.org", "sip:a@sip.example.org;x=\"y"})
    CHECK_MESSAGE(hint(typed).find("sip:name@host") != std::string::npos, typed);
  CHECK(hint("sip:a@sip.example.org;" + std::string(300, 'x')).find("sip:name@host") != std::string::npos);
  for (const auto* typed : {"sip:a@sip.example.org;maddr=evil.example.net", "sip:a@sip.example.org;transport=tcp;MADDR=192.168.1.1", "sip:a@sip.example.org;%6daddr=evil.example.net",
                            "sip:a@sip.example.org?Route=%3Csip%3Aevil.example.net%3E", "sip:a@sip.example.org?h=v&r%6Fute=sip%3Aevil.example.net"})
    CHECK_MESSAGE(hint(typed).find("lead to another host") != std::string::npos, typed);
  for (const auto* typed : {"sip:911@sip.example.org", "sips:9-1-1@SIP.example.org:5080", "sip:+112@sip.example.org", "sip:1.1.2@sip.example.org;x=y"})
    CHECK_MESSAGE(hint(typed).find("emergency number") != std::string::npos, typed);
  CHECK(parse("sip:office911@sip.example.org"));
  CHECK(parse("sip:9110@sip.example.org"));
  const auto none = fax::parse_target("sip:office@sip.example.org", "US", {}, {});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == core::Code::invalid);
  CHECK(none.error().hint.find("telephone numbers only") != std::string::npos);
}
