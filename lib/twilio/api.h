// For this module alone: one call of the provider's API, and what an answer other than 2xx means.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/client.h"
#include "twilio/account.h"

namespace twilio {

// A form, or a query.
class Form {
 public:
  Form& add(std::string_view name, std::string_view value);
  // Nothing if the value is empty.
  Form& add_if(std::string_view name, std::string_view value) { return value.empty() ? *this : add(name, value); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Api {
 public:
  // `client` must outlive it. The account's token moves in here.
  Api(http::Client& client, const std::string& base_url, const std::string& user, core::SecretString token);

  const std::string& base_url() const { return base_url_; }  // no slash at the end
  const http::Credentials& credentials() const { return credentials_; }
  // The URL of a path of the dialect, with the account put in.
  std::string url_of(std::string_view path) const;

  core::Result<http::Answer> call(std::string method, std::string url, std::string body = {}) const;

  // Reads a list page by page, by whichever way of paging, until `read` says false. Errors: call()'s, `read`'s, that of
  // `explain` for what is no 2xx; bad_request when the pages do not end (500, or one twice), or lead to another host.
  using Read = std::function<core::Result<bool>(std::string_view body)>;
  using Explain = core::Error (*)(const http::Answer& answer, std::string_view what);
  core::Result<void> read_pages(std::string url, std::string_view what, const Read& read, Explain explain) const;

 private:
  http::Client& client_;
  std::string base_url_;
  http::Credentials credentials_;
};

bool is_good(const http::Answer& answer);
std::chrono::seconds retry_after(const http::Answer& answer);

// Status, and what the provider says besides.
std::string in_words(const http::Answer& answer);

// For calls that only ask, or that may be made again without harm: the errors that fax::Provider has in common.
core::Error no_answer(const http::Answer& answer, std::string_view what);

core::Error bad_id();

}  // namespace twilio
