#include "http/url.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::string_literals;

TEST_CASE("a URL comes apart") {
  const auto url = http::parse("https://us%40er:p%3Ass@Example.COM:8443/a/../b%2Fc?x=1&y=%20#part").value();
  CHECK(url.scheme == "https");
  CHECK(url.host == "example.com");
  CHECK(url.port == 8443);
  CHECK(url.path == "/a/../b%2Fc");
  CHECK(url.query == "x=1&y=%20");
  CHECK(url.has_userinfo);
  CHECK(url.user == "us@er");
  CHECK(url.password == "p:ss");
  CHECK(http::host_port(url) == "example.com:8443");
}

TEST_CASE("what a URL leaves out is filled in") {
  const auto secure = http::parse("HTTPS://host").value();
  CHECK(secure.scheme == "https");
  CHECK(secure.port == 443);
  CHECK(secure.path == "/");
  CHECK(secure.query.empty());
  CHECK(!secure.has_userinfo);
  CHECK(http::host_port(secure) == "host");
  CHECK(http::parse("http://host?q").value().port == 80);
  CHECK(http::parse("http://host?q").value().path == "/");
  CHECK(http::parse("https://[::1]:99/").value().host == "[::1]");
  CHECK(http::parse("https://0x7f.1/").value().host == "127.0.0.1");
}

TEST_CASE("what is no URL is refused, and never quoted") {
  for (const auto& text : {""s, "host"s, "//host/"s, "/path"s, "ftp://host/"s, "file:///etc/passwd"s, "https:/host/"s,
                           "https:///host/"s, "https://"s, "https://:1/"s, "https://ho st/"s, "https://host/a b"s,
                           "https://host/\r\nX: y"s, "https://host\\@evil/"s, "https://host:0/"s, "https://host:65536/"s,
                           "https://host:x/"s, "https://h\0st/"s, "https://"s + std::string(9000, 'a')}) {
    CAPTURE(text);
    const auto url = http::parse(text);
    REQUIRE(!url);
    CHECK(url.error().code == core::Code::bad_request);
  }
  const auto secret = http::parse("ftp://user:hunter2@host/");
  REQUIRE(!secret);
  CHECK(secret.error().text.find("hunter2") == std::string::npos);
}

TEST_CASE("references are resolved against a base") {
  const std::string base = "https://host:8443/v1/Faxes?PageSize=50";
  CHECK(http::resolve(base, "/v1/next?Page=1#x").value() == "https://host:8443/v1/next?Page=1");
  CHECK(http::resolve(base, "other").value() == "https://host:8443/v1/other");
  CHECK(http::resolve(base, "../up").value() == "https://host:8443/up");
  CHECK(http::resolve(base, "//evil.test/x").value() == "https://evil.test/x");
  CHECK(http::resolve(base, "http://127.0.0.1/").value() == "http://127.0.0.1/");
  for (const auto* bad : {"", "file:///etc/passwd", "javascript:alert(1)", "a b", "\\\\evil\\x"}) {
    CAPTURE(bad);
    const auto url = http::resolve(base, bad);
    // A scheme-like reference may count as a relative path; it must then stay on this host.
    if (url) CHECK(http::same_host_port(*url, base));
  }
  CHECK(!http::resolve(base, "file:///etc/passwd"));
  CHECK(!http::resolve(base, ""));
  CHECK(!http::resolve("nothing", "/a"));
}

TEST_CASE("user and password go into a URL encoded, and out of it") {
  CHECK(http::with_userinfo("https://host:8/p?q", "fax", "a:b@c/d?e~-._ \xc3\xa4").value() ==
        "https://fax:a%3Ab%40c%2Fd%3Fe~-._%20%C3%A4@host:8/p?q");
  CHECK(http::with_userinfo("https://old:pass@host/", "new", "").value() == "https://new:@host/");
  CHECK(http::with_userinfo("https://old:pass@host/x", "", "").value() == "https://host/x");
  CHECK(http::without_userinfo("https://fax:a%3Ab@host:8/p/../x?q").value() == "https://host:8/p/../x?q");
  CHECK(http::without_userinfo("https://host").value() == "https://host/");
  const auto read_back = http::parse(http::with_userinfo("https://h/", "u:x", "\x01\xff %41").value()).value();
  CHECK(read_back.password == "\x01\xff %41");
  CHECK(read_back.user == "u:x");
  CHECK(!http::with_userinfo("gopher://h/", "u", "p"));
  CHECK(!http::with_userinfo("https://h/", std::string(9000, 'u'), "p"));
}

TEST_CASE("loopback is told by the name alone") {
  for (const auto* host : {"localhost", "LocalHost", "127.0.0.1", "127.9.8.7", "::1", "[::1]"}) {
    CAPTURE(host);
    CHECK(http::is_loopback_host(host));
  }
  for (const auto* host : {"", "localhost.evil.test", "127.0.0.1.evil.test", "128.0.0.1", "0.0.0.0", "10.0.0.1", "[::2]",
                           "::ffff:127.0.0.1", "127.1x"}) {
    CAPTURE(host);
    CHECK(!http::is_loopback_host(host));
  }
}

TEST_CASE("hosts are compared with their ports") {
  CHECK(http::same_host_port("https://Host/a", "https://host:443/b"));
  CHECK(!http::same_host_port("https://host/", "https://host:444/"));
  CHECK(!http::same_host_port("https://host:80/", "http://host/"));
  CHECK(!http::same_host_port("https://host/", "no url"));

  const std::vector<std::string> hosts = {"files.example.com", "Other.test:8443", "user@odd.test", "path.test/x"};
  CHECK(http::host_in(http::parse("https://files.example.com/x").value(), hosts));
  CHECK(http::host_in(http::parse("https://other.test:8443/x").value(), hosts));
  CHECK(!http::host_in(http::parse("https://files.example.com:8443/x").value(), hosts));
  CHECK(!http::host_in(http::parse("https://other.test/").value(), hosts));
  CHECK(!http::host_in(http::parse("https://sub.files.example.com/").value(), hosts));
  CHECK(!http::host_in(http::parse("https://odd.test/").value(), hosts));
  CHECK(!http::host_in(http::parse("https://path.test/").value(), hosts));
}
