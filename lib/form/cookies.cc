#include <cgicc/CgiEnvironment.h>
#include <cgicc/CgiInput.h>
#include <cgicc/HTTPCookie.h>

#include <exception>
#include <string>
#include <string_view>

#include "form/bytes.h"
#include "form/fields.h"

namespace form {

namespace {

constexpr std::size_t kMaxCookieBytes = std::size_t{16} << 10;

// A request that has nothing but cookies: cgicc sees neither our environment nor our standard input.
class CookieInput final : public cgicc::CgiInput {
 public:
  explicit CookieInput(std::string_view header) : header_(header) {}
  std::size_t read(char*, std::size_t) override { return 0; }
  std::string getenv(const char* name) override { return name == std::string_view("HTTP_COOKIE") ? header_ : std::string(); }

 private:
  std::string header_;
};

}  // namespace

Fields parse_cookies(std::string_view header) {
  Fields cookies;
  if (header.empty() || header.size() > kMaxCookieBytes) return cookies;
  try {
    CookieInput input(header);
    const cgicc::CgiEnvironment environment(&input);
    for (const cgicc::HTTPCookie& cookie : environment.getCookieList()) {
      const std::string name(without_blanks(cookie.getName()));
      const std::string value(without_blanks(cookie.getValue()));
      if (!name.empty()) cookies.add(name, value);
    }
  } catch (const std::exception&) {
    return {};
  }
  return cookies;
}

}  // namespace form
