// For the tests of this folder: a provider that answers as the test says, and the line's side of it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "../http/loopback_server.h"
#include "twilio/provider.h"

namespace test {

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline std::string fax_json(const std::string& sid, const std::string& more = "") {
  return R"({"sid":")" + sid + R"(","account_sid":"AC1","from":"+15005550006","to":"+12125551212","status":"queued","direction":"outbound","num_pages":null,"date_created":"2026-11-25T07:40:49Z","media_url":null)" + more + "}";
}

struct Line {
  explicit Line(LoopbackServer::Handler handler, const twilio::Dialect& dialect = twilio::kTwilio)
      : server(std::move(handler)), provider(client, {.dialect = dialect, .base_url = server.url(""), .sid = "AC1", .token = core::SecretString("token")}) {}
  std::string last() const { return server.requests().back(); }
  LoopbackServer server;
  http::Client client{{.total_time_out = std::chrono::milliseconds(500)}};
  twilio::Provider provider;
};

inline LoopbackServer::Handler always(const std::string& body, const std::string& status = "200 OK", const std::string& headers = "") {
  return [=](Connection& connection, const std::string&) { connection.send(LoopbackServer::answer(body, status, headers)); };
}

inline const fax::SubmitRequest kFax{"+15005550006", "+12125551212", "https://u:p%40@fax.example.org/fax/sending/t", "https://fax.example.org/fax/callback/c"};

}  // namespace test
