#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "form/fields.h"

namespace {
// The value of "s", out of the fields before they go.
std::optional<std::string> cookie(std::string_view header) {
  const auto fields = form::parse_cookies(header);
  const auto found = fields.first("s");
  return found ? std::optional<std::string>(*found) : std::nullopt;
}
}  // namespace

TEST_CASE("cookies: the first of a name, nothing decoded, whatever else stands there") {
  const struct {
    std::string_view header, want;
  } table[] = {
      {"s=1", "1"},
      {"a=0; s=1; b=2", "1"},
      {"a=0;s=1;b=2", "1"},
      {"s=1; s=2", "1"},
      {"S=0; s=1", "1"},
      {"; ;junk; s=1;", "1"},
      {"=x; s=1", "1"},
      {" s = 1 ; b=2", "1"},
      {"s=a=b", "a=b"},
      {"s=%41+b", "%41+b"},
      {"s=%zz", "%zz"},
      {"s=\"q\"", "\"q\""},
      {"s=", ""},
      {"s=M\xfc", "M\xfc"},
  };
  for (const auto& row : table) {
    CAPTURE(row.header);
    CHECK(cookie(row.header) == row.want);
  }
  for (const std::string_view header : {"", ";", "s", "=", "S=1", "xs=1", "\"s=1"}) {
    CAPTURE(header);
    CHECK_FALSE(cookie(header));
  }
}

TEST_CASE("cookies: a header that is far too long has none") {
  CHECK(cookie("s=1; b=" + std::string(16000, 'x')) == "1");
  CHECK(form::parse_cookies("s=1; b=" + std::string(17000, 'x')).empty());
}

TEST_CASE("cookies: only the header counts, not the process's environment") {
  setenv("HTTP_COOKIE", "s=environment", 1);
  setenv("REQUEST_METHOD", "POST", 1);
  setenv("CONTENT_LENGTH", "10", 1);
  CHECK(cookie("s=header") == "header");
  CHECK(form::parse_cookies("a=1").size() == 1);
  for (const char* name : {"HTTP_COOKIE", "REQUEST_METHOD", "CONTENT_LENGTH"}) unsetenv(name);
}
