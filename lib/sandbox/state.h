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
#include "sandbox/check.h"
#include "sandbox/dialect.h"
#include "sandbox/faults.h"
#include "sandbox/sandbox.h"

namespace sandbox {

// The numbers that behave in a way of their own.
constexpr std::string_view kBusy = "+15005550001";
constexpr std::string_view kNoAnswer = "+15005550002";
constexpr std::string_view kFails = "+15005550003";
constexpr std::string_view kSlow = "+15005550004";
constexpr std::string_view kRefused = "+15005550005";

// The one number of the account, as far as it can be changed: FOLDER/number.json, once it was.
struct OwnNumber {
  std::string voice_url = {};  // empty: Options::incoming_url
  std::string voice_method = "POST";
  std::string voice_receive_mode = "fax";
  std::string friendly_name = {};
  std::int64_t created_ms = 0, updated_ms = 0;
};

struct Sandbox::State {
  explicit State(Options given);

  Options options;
  const Dialect& dialect;
  core::SystemClock system_clock;
  std::unique_ptr<Network> own_network;
  Network& network;
  Caller caller;
  Faults faults;

  std::mutex mutex;  // of all that follows
  std::condition_variable_any changed;
  std::uint64_t changes = 0;
  Book book;
  OwnNumber number;
  std::set<std::string> busy = {};                   // tasks that a worker has
  std::map<std::string, std::int64_t> held = {};     // tasks whose change could not be stored: not before then

  std::int64_t now_ms() const;
  // The moment after a wait that the time scale shortens.
  std::int64_t in(std::chrono::milliseconds wait) const;

  // api.cc
  Response handle(const Request& request);
  Response faxes(const Request& request, std::span<const std::string_view> rest);  // behind "Faxes"
  Response create(const Request& request);
  Fax fax_of(const form::Fields& form);
  Response one_fax(const Request& request, std::string_view sid);
  Response cancel(const Fax& fax);
  Response remove(const Fax& fax);
  bool authorized(const Request& request) const;
  // Behind "…/Accounts/{sid}" of the 2010 API, without ".json"; empty for anything else, and another account.
  std::vector<std::string_view> resource(std::string_view path) const;
  std::string in_account(std::string_view path) const;  // puts the account in the place of "{sid}"

  // list.cc: what comes in pages
  Response list(const Request& request);
  // Of `total` items those from the page's `begin` on are told: `items` is JSON, one after the other.
  struct Page {
    std::string key, path;
    std::string other_key;  // under which the items are once more; empty: they are not
    form::Fields query;
    std::int64_t size = 50, number = 0;
    std::string previous_last, last;  // the last item of the page before this one, and of this one
    bool more = false;
    std::vector<std::string> items;
  };
  std::string page_json(const Page& page, bool host_relative) const;

  // media.cc
  Response media(const Request& request, const Fax& fax, std::span<const std::string_view> rest);  // behind "Media"
  Response list_media(const Request& request, const Fax& fax);
  Response document(const Request& request);

  // number.cc
  core::Result<void> open_number();
  core::Result<void> store_number(const OwnNumber& altered) const;
  std::string number_sid() const;
  std::string number_json() const;
  Response numbers(const Request& request, std::span<const std::string_view> rest);  // behind "IncomingPhoneNumbers"
  Response list_numbers(const Request& request);
  Response change_number(const Request& request);

  // faults_api.cc
  Response arm_faults(const Request& request);
  Response faulty(Response good, std::string_view fault, std::int64_t seconds) const;

  // answer.cc
  std::string fax_json(const Fax& fax) const;
  std::string media_json(const Fax& fax) const;
  std::string fax_path(const Fax& fax) const;  // with a host where the dialect has one
  std::string media_url(const Fax& fax, bool expired = false) const;
  bool media_url_is_good(std::string_view path, std::string_view query) const;
  Response error(int status, int code, std::string_view message) const;
  Response not_found(std::string_view path) const;
  Response not_allowed(std::string_view allow) const;
  Response not_stored(const core::Error& error) const;
  // What is wrong with the query, or, of a POST, with the form, which is left in `fields`.
  std::optional<Response> refusal(const Request& request, std::span<const Parameter> known, form::Fields& fields) const;

  // receive.cc
  Response receive(const Request& request);

  // line.cc: what is to be done next
  bool step();
  void set_status(Fax& fax, std::string_view status) const;
  void fail(Fax& fax, std::string_view code, std::string_view message) const;

  // outbound.cc, callback.cc, inbound.cc: each does the step that `next` names; called without the lock
  void fetch(const Fax& fax);
  void dial(const Fax& fax);
  void end(const Fax& fax);
  core::Result<http::Answer> get_document(const Fax& fax, int file) const;
  core::Result<void> take_document(const Fax& fax, Fax& fetched);
  core::Result<void> comes_in(const Fax& sent);
  void call_back(const Fax& fax);
  void tell(Fax& fax) const;  // that its status changed
  Pairs parameters(const Fax& fax, std::string_view status) const;
  void announce(const Fax& fax);
  void deliver(const Fax& fax);
  core::Result<http::Answer> post_payload(const Fax& fax) const;

  // Changes the fax and stores it, unless it is gone or another step's turn has come meanwhile (a cancel). The lock is
  // taken here.
  void change(const Fax& fax, const std::function<void(Fax&)>& how);
};

Response json_response(int status, std::string body);
Response nothing();  // 204
// bad_request if it is none, or larger than a form is.
core::Result<form::Fields> read_form(const Request& request);

// What a call that was made said, for the log.
bool is_success(const core::Result<http::Answer>& answer);
std::string said(const core::Result<http::Answer>& answer);

// The wait after so many tries; empty: it is given up.
template <std::size_t N>
std::optional<std::chrono::milliseconds> wait_after(const std::chrono::milliseconds (&waits)[N], std::int64_t tries) {
  if (tries < 0 || tries >= static_cast<std::int64_t>(N)) return std::nullopt;
  return waits[static_cast<std::size_t>(tries)];
}
constexpr std::chrono::milliseconds kStoreAgain = std::chrono::seconds(2);

}  // namespace sandbox
