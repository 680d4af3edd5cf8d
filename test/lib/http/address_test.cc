#include "http/address.h"

#include <doctest/doctest.h>

#include "http/client.h"
#include "loopback_server.h"

TEST_CASE("addresses that the whole Internet can reach") {
  for (const auto* address : {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "192.0.1.0", "100.63.255.255", "100.128.0.0", "198.17.255.255", "223.255.255.255", "11.0.0.0",
                              "2606:4700::1111", "[2606:4700::1111]", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(address);
    CHECK(http::is_public_address(address));
  }
}

TEST_CASE("addresses of somebody's own, and what is no address") {
  for (const auto* address : {"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1",
                              "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255",
                              "::", "::1", "[::1]", "fe80::1", "fd00::1", "fc00::1", "ff02::1", "2001:db8::1", "2001::1", "3fff::1", "::ffff:192.168.1.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1", "2002:c0a8:101::1", "::127.0.0.1", "4000::1",
                              "", "localhost", "8.8.8", "8.8.8.8.8", "0x08080808", "[8.8.8.8", "8.8.8.8:80", "2606:4700::1111%eth0"}) {
    CAPTURE(address);
    CHECK_FALSE(http::is_public_address(address));
  }
}

TEST_CASE("hosts that somebody else named are talked to at public addresses alone, and get no credentials") {
  std::string target;
  test::LoopbackServer inner([](test::Connection& connection, const std::string&) { connection.send(test::LoopbackServer::answer("inner")); });
  test::LoopbackServer outer([&](test::Connection& connection, const std::string&) { connection.send(test::LoopbackServer::answer("", "302 Found", "Location: " + target + "\r\n")); });
  http::Client client({});
  const std::string host = "127.0.0.1:" + std::to_string(inner.port());
  http::Call call;
  call.url = inner.url();
  call.public_hosts = {host};
  const auto first = client.send(call);
  REQUIRE(!first);
  CHECK(first.error().code == core::Code::forbidden);

  call.url = outer.url();
  target = inner.url();
  CHECK(client.send(call).error().code == core::Code::forbidden);
  call.public_hosts = {"192.168.1.1:" + std::to_string(inner.port())};
  CHECK(client.send(call).error().code == core::Code::forbidden);
  CHECK(inner.connections() == 2);
  CHECK(inner.requests().empty());

  // The owner's word opens both.
  call.public_hosts = {host};
  call.may_follow = {host};
  REQUIRE(client.send(call));
  target = "http://user:secret@" + host + "/";
  REQUIRE(client.send(call));
  CHECK(inner.requests().size() == 2);
  call.may_follow = {};
  const auto with = client.send(call);
  REQUIRE(!with);
  CHECK(with.error().code == core::Code::forbidden);
  CHECK(with.error().text.find("secret") == std::string::npos);
  CHECK(inner.connections() <= 3);
}
