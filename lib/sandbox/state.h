// What the API and the line of the practice provider share. Internal to this module.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "form/fields.h"
#include "sandbox/book.h"
#include "sandbox/caller.h"
#include "sandbox/sandbox.h"

namespace sandbox {

// The numbers that behave in a way of their own.
constexpr std::string_view kBusy = "+15005550001";
constexpr std::string_view kNoAnswer = "+15005550002";
constexpr std::string_view kFails = "+15005550003";
constexpr std::string_view kSlow = "+15005550004";
constexpr std::string_view kRefused = "+15005550005";
constexpr std::string_view kTakenAnswered500 = "+15005550011";
constexpr std::string_view kNotTakenAnswered500 = "+15005550012";
constexpr std::string_view kRateLimited = "+15005550013";
constexpr std::string_view kTakenAnsweredLate = "+15005550014";
constexpr std::string_view kTakenNeverAnswered = "+15005550015";
constexpr std::string_view kUnauthorized = "+15005550016";
constexpr std::string_view kOnePageLess = "+15005550017";

struct Sandbox::State {
  explicit State(Options given);

  Options options;
  core::SystemClock system_clock;
  std::unique_ptr<Network> own_network;
  Network& network;
  Caller caller;

  std::mutex mutex;  // of all that follows
  std::condition_variable_any changed;
  std::uint64_t changes = 0;
  Book book;
  std::set<std::string> busy = {};                   // tasks that a worker has
  std::map<std::string, std::int64_t> held = {};     // tasks whose change could not be stored: not before then

  std::int64_t now_ms() const;
  // The moment after a wait that the time scale shortens.
  std::int64_t in(std::chrono::milliseconds wait) const;
  bool is_fault(std::string_view to, std::string_view number) const { return options.fault_numbers && to == number; }

  // api.cc
  Response handle(const Request& request);
  Response faxes(const Request& request);
  Response create(const Request& request);
  Response list(const Request& request);
  Response one_fax(const Request& request, std::string_view sid);
  Response cancel(const Fax& fax);
  Response media(const Request& request, const Fax& fax, std::string_view media_sid);
  Response document(const Request& request);
  bool authorized(const Request& request) const;

  // answer.cc
  std::string fax_json(const Fax& fax) const;
  std::string media_json(const Fax& fax) const;
  std::string media_url(const Fax& fax) const;
  bool media_url_is_good(std::string_view path, std::string_view query) const;

  // receive.cc
  Response receive(const Request& request);

  // line.cc: each does the step that `next` names; called without the lock
  bool step();
  void fetch(const Fax& fax);
  void dial(const Fax& fax);
  void end(const Fax& fax);
  void announce(const Fax& fax);
  void deliver(const Fax& fax);
  void call_back(const Fax& fax);
  core::Result<void> take_document(const Fax& fax, Fax& fetched);
  core::Result<http::Answer> post_payload(const Fax& fax) const;
  void fail(Fax& fax, std::string_view code, std::string_view message) const;
  void set_status(Fax& fax, std::string_view status) const;
  core::Result<void> comes_in(const Fax& sent);
  // Changes the fax and stores it, unless it is gone or another step's turn has come meanwhile (a cancel). The lock is
  // taken here.
  template <typename Change>
  void change(const Fax& fax, Change how);
  Pairs parameters(const Fax& fax, std::string_view status) const;
};

// What the answers of Twilio's API look like.
Response json_response(int status, std::string body);
Response error_response(int status, int code, std::string_view message);

}  // namespace sandbox
