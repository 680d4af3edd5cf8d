// The provider's side of a house: signs, makes tokens, asks.
#pragma once

#include "app/inbound.h"
#include "crypto/encoding.h"
#include "form/fields.h"
#include "house.h"
#include "twilio/signature.h"
#include "twilio/token.h"

namespace house {

struct Incoming : House {
  explicit Incoming(std::int64_t reserve_bytes = 0) : House(reserve_bytes), routes(app::inbound_routes(line, side, *faxes, *spool)) {}

  std::string token(const std::string& sid = "FX1", core::Milliseconds lifetime = 24h) const { return twilio::make_payload_token(core::SecretString("the signing key"), sid, clock.now() + lifetime); }
  std::string by_token(const std::string& sid = "FX1") const { return "/fax/payload?t=" + token(sid); }
  // The header that the provider adds to this request.
  static Parameters sign(const std::string& target, const std::string& form = "", const std::string& key = "the signing key") {
    twilio::Parameters parameters;
    form::Limits limits;
    limits.nul = form::Nul::keep;
    const auto fields = form::parse_urlencoded(form, limits).value();
    for (const auto& field : fields) parameters.emplace_back(field.name, field.value);
    return {{"HTTP_X_TWILIO_SIGNATURE", twilio::signature(key, twilio::signed_text("https://fax.example" + target, parameters, twilio::Repeated::sorted_and_unique))}};
  }
  web::Response form(const std::string& target, const std::string& body, Parameters more = {}) { return ask(routes, "POST", target, with(more, kForm), body); }
  web::Response document(const std::string& target, const std::vector<Part>& parts, Parameters more = {}) { return ask(routes, "POST", target, with(more, kMultipart), multipart(parts)); }
  std::vector<store::Fax> all() { return faxes->list({}).value(); }
  store::Fax only() {
    const auto faxes_now = all();
    REQUIRE(faxes_now.size() == 1);
    return faxes_now.front();
  }
  void with_password(const std::string& password = "pass:w@rd") {
    side.auth_user = "user name";
    side.auth_password = core::SecretString(password);
  }
  static Parameters basic(const std::string& pair) { return {{"HTTP_AUTHORIZATION", "Basic " + crypto::base64_encode(pair)}}; }

  web::Routes routes;
};

inline void check_empty(const web::Response& answer, int status) {
  CHECK(answer.status() == status);
  CHECK(answer.text().empty());
  CHECK_FALSE(answer.first("Content-Type"));
}

inline const std::string kFirst = "FaxSid=FX1&From=%2B12125550100&To=%2B15005550006";
inline const Part kSid{"FaxSid", "FX1"};
inline const Part kFrom{"From", "+12125550100"};
inline const Part kMedia{"Media", kPdf, "FX1.pdf"};

// The action of the TwiML, as the provider calls it.
inline std::string action_of(const web::Response& answer) {
  const auto begin = answer.text().find("action=\"") + 8;
  return answer.text().substr(begin, answer.text().find('"', begin) - begin);
}

}  // namespace house
