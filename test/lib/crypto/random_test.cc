#include <doctest/doctest.h>

#include <set>
#include <string>

#include "crypto/encoding.h"
#include "crypto/random.h"

TEST_CASE("random bytes: as many as asked for, and never the same") {
  CHECK(crypto::random_bytes(0).empty());
  CHECK(crypto::random_bytes(1).size() == 1);
  const std::string many = crypto::random_bytes(100000);
  CHECK(many.size() == 100000);
  CHECK(many.substr(99900) != std::string(100, '\0'));
  CHECK(std::set<char>(many.begin(), many.end()).size() == 256);
  CHECK(crypto::random_bytes(32) != crypto::random_bytes(32));
}

TEST_CASE("a token is 43 characters of base64url, each time another") {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(crypto::new_token());
  CHECK(tokens.size() == 1000);
  for (const auto& token : tokens) {
    REQUIRE(token.size() == 43);
    REQUIRE(crypto::base64url_decode(token).value().size() == 32);
  }
}

TEST_CASE("a token's hash is SHA-256 in hexadecimal") {
  CHECK(crypto::token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(crypto::token_hash("").size() == 64);
}
