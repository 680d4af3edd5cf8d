#include <doctest/doctest.h>

#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>

#include "core/fd.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace {

std::string repeated(std::size_t count, int byte) { return std::string(count, static_cast<char>(byte)); }

std::string counted(int first, int last) {
  std::string bytes;
  for (int i = first; i <= last; ++i) bytes += static_cast<char>(i);
  return bytes;
}

constexpr std::string_view kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

}  // namespace

TEST_CASE("HMAC-SHA1: RFC 2202 section 3") {
  const auto mac = [](std::string_view key, std::string_view text) { return crypto::hex(crypto::hmac_sha1(key, text)); };
  CHECK(mac(repeated(20, 0x0b), "Hi There") == "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(mac("Jefe", "what do ya want for nothing?") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(mac(repeated(20, 0xaa), repeated(50, 0xdd)) == "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
  CHECK(mac(counted(1, 25), repeated(50, 0xcd)) == "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
  CHECK(mac(repeated(20, 0x0c), "Test With Truncation") == "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04");
  CHECK(mac(repeated(80, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First") == "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  CHECK(mac(repeated(80, 0xaa), "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data") == "e8e99d0f45237d786d6bbaa7965c7808bbff1a91");
}

TEST_CASE("HMAC-SHA256: RFC 4231 section 4") {
  const auto mac = [](std::string_view key, std::string_view text) { return crypto::hex(crypto::hmac_sha256(key, text)); };
  CHECK(mac(repeated(20, 0x0b), "Hi There") == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(mac("Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(mac(repeated(20, 0xaa), repeated(50, 0xdd)) == "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(mac(counted(1, 25), repeated(50, 0xcd)) == "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(mac(repeated(20, 0x0c), "Test With Truncation").substr(0, 32) == "a3b6167473100ee06e0c796c2955552b");
  CHECK(mac(repeated(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First") == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(mac(repeated(131, 0xaa),
            "This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm.") == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("HMAC of nothing, under no key") {
  CHECK(crypto::hex(crypto::hmac_sha1({}, {})) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
  CHECK(crypto::hex(crypto::hmac_sha256({}, {})) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("HMAC-SHA1: a webhook's signature as the provider's documentation has it") {
  CHECK(crypto::base64_encode(crypto::hmac_sha1("12345",
                                                "https://mycompany.com/myapp.php?foo=1&bar=2"
                                                "CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212")) == "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

TEST_CASE("SHA-256: FIPS 180-4's examples") {
  CHECK(crypto::hex(crypto::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(crypto::hex(crypto::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(crypto::hex(crypto::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(crypto::hex(crypto::sha256(std::string(1000000, 'a'))) == kMillion);
}

TEST_CASE("SHA-256 in pieces gives the same, and begins anew") {
  crypto::Sha256 digest;
  CHECK(digest.finish() == crypto::sha256(""));
  for (int i = 0; i < 1000; ++i) digest.update(std::string(1000, 'a'));
  CHECK(crypto::hex(digest.finish()) == kMillion);
  const std::string text = "abc";
  digest.update(std::string_view());
  digest.update(std::as_bytes(std::span(text)));
  crypto::Sha256 moved = std::move(digest);
  CHECK(moved.finish() == crypto::sha256("abc"));
}

TEST_CASE("SHA-256 of a file is of all of it, and leaves its position") {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  REQUIRE(file);
  const int fd = fileno(file.get());
  CHECK(crypto::sha256_of_fd(fd).value() == crypto::sha256(""));
  REQUIRE(core::write_all(fd, std::string(1000000, 'a'), "temporary"));
  REQUIRE(lseek(fd, 7, SEEK_SET) == 7);
  CHECK(crypto::hex(crypto::sha256_of_fd(fd).value()) == kMillion);
  CHECK(lseek(fd, 0, SEEK_CUR) == 7);
}

TEST_CASE("SHA-256 of what cannot be read is an error that names it") {
  const auto closed = crypto::sha256_of_fd(-1, "spool/x.pdf");
  REQUIRE_FALSE(closed);
  CHECK(closed.error().text.find("spool/x.pdf") != std::string::npos);
  const core::UniqueFd folder = core::open_file("/tmp", O_RDONLY | O_DIRECTORY).value();
  CHECK_FALSE(crypto::sha256_of_fd(folder.get()));
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const core::UniqueFd reader(ends[0]);
  const core::UniqueFd writer(ends[1]);
  CHECK_FALSE(crypto::sha256_of_fd(reader.get()));
}

TEST_CASE("equal compares everything, whatever the lengths") {
  CHECK(crypto::equal("", ""));
  CHECK(crypto::equal("secret", std::string("secret")));
  CHECK(crypto::equal(std::string(1000, 'x'), std::string(1000, 'x')));
  CHECK_FALSE(crypto::equal("secret", "secreT"));
  CHECK_FALSE(crypto::equal("secret", "Secret"));
  CHECK_FALSE(crypto::equal("secret", "secre"));
  CHECK_FALSE(crypto::equal("secret", ""));
  CHECK_FALSE(crypto::equal("", "secret"));
  CHECK_FALSE(crypto::equal(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
  CHECK_FALSE(crypto::equal(std::string_view("a\0", 2), "a"));
}

TEST_CASE("derived keys: the first 32 bytes of RFC 5869's case 3, which has neither salt nor info") {
  CHECK(crypto::hex(crypto::derive_key(repeated(22, 0x0b), "")) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST_CASE("derived keys differ by secret and by label, and stay the same") {
  CHECK(crypto::hex(crypto::derive_key("secret", "payload token")) == "e56a8ef88cb2135b5086cc31017127b93fd51c6e7b4679d864781ca4e9a8a052");
  CHECK(crypto::derive_key("secret", "payload token") != crypto::derive_key("secret", "session"));
  CHECK(crypto::derive_key("secret", "payload token") != crypto::derive_key("secret2", "payload token"));
  CHECK(crypto::derive_key("", "").size() == 32);
}
