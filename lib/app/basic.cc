#include "app/inbound.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "text/words.h"

namespace app {

core::Result<void> check_basic(const ProviderSide& side, const web::Request& request) {
  if (side.auth_user.empty()) return {};
  const core::Error wrong{core::Code::unauthenticated, "Basic authentication: missing or wrong"};
  const auto header = request.header("Authorization").value_or("");
  constexpr std::string_view kScheme = "basic ";
  if (!text::equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) return wrong;
  const auto given = crypto::base64_decode(text::trim(header.substr(kScheme.size())));
  // The first colon divides (RFC 7617): a password may hold more of them.
  if (!given || !crypto::equal(*given, side.auth_user + ":" + std::string(side.auth_password.reveal()))) return wrong;
  return {};
}

}  // namespace app
