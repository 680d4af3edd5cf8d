#include "fcgi/head.h"

#include <doctest/doctest.h>

TEST_CASE("a head is what RFC 3875 asks for") {
  web::Response response = web::text(404, "hello");
  response.set("X-A", "1");
  CHECK(fcgi::head_of(response) == "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("status and length are ours to say") {
  web::Response response(204);
  response.set("Content-Length", "7").set("status", "500");
  CHECK(fcgi::head_of(response) == "Status: 204 No Content\r\n\r\n");
}

TEST_CASE("no value begins a line of its own") {
  web::Response response;
  response.set("Location", "/a\r\n\r\n<html>");
  CHECK(fcgi::head_of(response) == "Status: 200 OK\r\nLocation: /a    <html>\r\nContent-Length: 0\r\n\r\n");
}
