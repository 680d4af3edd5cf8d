#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "crypto/encoding.h"

TEST_CASE("hexadecimal") {
  CHECK(crypto::hex("").empty());
  CHECK(crypto::hex(std::string_view("\x00\x0f\xf0\xff", 4)) == "000ff0ff");
}

TEST_CASE("base 64: RFC 4648 section 10, both ways") {
  const struct {
    std::string_view bytes, encoded, url;
  } table[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "+/+/", "-_-_"},
      {"\xff", "/w==", "_w"},
  };
  for (const auto& row : table) {
    CAPTURE(row.encoded);
    CHECK(crypto::base64_encode(row.bytes) == row.encoded);
    CHECK(crypto::base64url_encode(row.bytes) == row.url);
    CHECK(crypto::base64_decode(row.encoded).value() == row.bytes);
    CHECK(crypto::base64url_decode(row.url).value() == row.bytes);
  }
}

TEST_CASE("base 64: every byte at every place comes back") {
  for (std::size_t length = 0; length < 5; ++length)
    for (int byte = 0; byte < 256; ++byte) {
      std::string bytes(length, '\xa5');
      bytes += static_cast<char>(byte);
      REQUIRE(crypto::base64_decode(crypto::base64_encode(bytes)).value() == bytes);
      REQUIRE(crypto::base64url_decode(crypto::base64url_encode(bytes)).value() == bytes);
    }
}

TEST_CASE("base 64: another spelling is refused") {
  for (const char* bad : {"Zg", "Zg=", "Zm8", "Z", "=", "==", "===", "====", "Z===", "Zg===", "Zg==Zg==", "Z=g=", "Zm9v\n", "Zm 9v==", " Zg==", "Zh==", "Zm9=", "-_-_", "Zm9v====", "Zé=="}) {
    CAPTURE(bad);
    const auto decoded = crypto::base64_decode(bad);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == core::Code::bad_request);
  }
  for (const char* bad : {"Zg==", "Zm8=", "Z", "Zh", "Zm9", "+/+/", "Zm9vZ", "Zg\n", " Zg", "="}) {
    CAPTURE(bad);
    const auto decoded = crypto::base64url_decode(bad);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == core::Code::bad_request);
  }
  CHECK_FALSE(crypto::base64_decode(std::string_view("Zg=\0", 4)));
}
