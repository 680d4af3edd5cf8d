#include <algorithm>
#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "crypto/password.h"

using core::SecretString;

namespace {

// Processor time of this thread, the least of several runs: other programs do not take part in it, but they cool the caches.
template <typename Function>
double seconds_of(Function function) {
  double least = 1e9;
  for (int i = 0; i < 7; ++i) {
    timespec before{};
    timespec after{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    function();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    least = std::min(least, static_cast<double>(after.tv_sec - before.tv_sec) + static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9);
  }
  return least;
}

}  // namespace

TEST_CASE("a password is known again, and no other") {
  const SecretString password("correct horse: b\xc3\xa4ttery@/staple");
  const std::string hash = crypto::hash_password(password).value();
  CHECK(hash.starts_with("$y$"));
  CHECK(crypto::check_password(password, hash));
  CHECK_FALSE(crypto::check_password(SecretString("correct horse: b\xc3\xa4ttery@/stapl"), hash));
  CHECK_FALSE(crypto::check_password(SecretString("Correct horse: b\xc3\xa4ttery@/staple"), hash));
  CHECK_FALSE(crypto::check_password(SecretString(""), hash));
  CHECK_FALSE(crypto::check_password(SecretString(std::string(password.reveal()) + '\0' + "x"), hash));
}

TEST_CASE("the same password has another hash each time") {
  const SecretString password("same");
  CHECK(crypto::hash_password(password).value() != crypto::hash_password(password).value());
}

TEST_CASE("the longest password counts to its last byte") {
  const std::string longest(crypto::kMaxPasswordBytes, 'p');
  const std::string hash = crypto::hash_password(SecretString(longest)).value();
  CHECK(crypto::check_password(SecretString(longest), hash));
  CHECK_FALSE(crypto::check_password(SecretString(longest.substr(1)), hash));
  CHECK_FALSE(crypto::check_password(SecretString(longest.substr(1) + "q"), hash));
  CHECK_FALSE(crypto::check_password(SecretString(longest + "p"), hash));
  CHECK(crypto::check_password(SecretString("p"), crypto::hash_password(SecretString("p")).value()));
}

TEST_CASE("a password that cannot be one is refused with a hint, and without itself") {
  for (const std::string& bad : {std::string(), std::string(crypto::kMaxPasswordBytes + 1, 'p'), std::string("pp\0pp", 5)}) {
    const auto hash = crypto::hash_password(SecretString(bad));
    REQUIRE_FALSE(hash);
    CHECK(hash.error().code == core::Code::invalid);
    CHECK(hash.error().field == "password");
    CHECK_FALSE(hash.error().hint.empty());
    CHECK(hash.error().text.find("pp") == std::string::npos);
    CHECK_FALSE(crypto::dummy_check(SecretString(bad)));
  }
}

TEST_CASE("a malformed hash, or one of another kind, fits no password") {
  const SecretString password("password");
  const std::string hash = crypto::hash_password(password).value();
  const std::string other_kind = "$1$abcdefgh$G//4keteveJp0qb8z2DxG/";  // MD5, of "password"
  for (const std::string& bad : {std::string(), std::string("*"), std::string("x"), std::string("$y$"), std::string("$y$j9T$"), std::string("$y$!!$x$y"), std::string("password"),
                                 hash.substr(0, hash.size() - 1), hash + "x", hash + std::string(1, '\0'), hash.substr(0, hash.rfind('$')), hash + ":" + hash, std::string(5000, '$'),
                                 std::string("$y$") + std::string(5000, 'a'), other_kind}) {
    CAPTURE(bad);
    CHECK_FALSE(crypto::check_password(password, bad));
  }
}

TEST_CASE("a check for nobody costs what one for somebody costs") {
  const SecretString password("password");
  const std::string hash = crypto::hash_password(password).value();
  const double somebody = seconds_of([&] { CHECK(crypto::check_password(password, hash)); });
  const double nobody = seconds_of([&] { CHECK_FALSE(crypto::dummy_check(password)); });
  CAPTURE(somebody);
  CAPTURE(nobody);
  CHECK(nobody > somebody / 2);
  CHECK(nobody < somebody * 2);
}

TEST_CASE("checks run side by side") {
  const std::string hash = crypto::hash_password(SecretString("shared")).value();
  std::vector<int> known(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < known.size(); ++i)
    threads.emplace_back([&, i] { known[i] = crypto::check_password(SecretString(i % 2 == 0 ? "shared" : "other"), hash) ? 1 : 0; });
  for (auto& thread : threads) thread.join();
  CHECK(known == std::vector<int>{1, 0, 1, 0});
}
