// For this module alone: one request and its answer on a libcurl handle.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/result.h"
#include "http/client.h"

using CURL = void;  // as curl/curl.h has it
struct curl_slist;

namespace http {

struct CleanUp {
  void operator()(CURL* handle) const;
};
using Handle = std::unique_ptr<CURL, CleanUp>;

// Owns a curl_slist: headers, or the map of CONNECT_TO.
class StringList {
 public:
  StringList() = default;
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  ~StringList();
  void add(const std::string& line);
  curl_slist* list() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

struct Hop {
  std::string url;
  std::string host_port = {};  // for the log
  bool plain = false;          // http
  bool public_only = false;    // else nothing is sent
  bool at_first_host = true;   // else without credentials and headers
  std::chrono::milliseconds time_out{0};
};

// Errors as Client::send() has them, for this hop alone.
core::Result<Answer> transfer(CURL* handle, const Options& options, curl_slist* connect_to, const Call& call, const Hop& hop);

}  // namespace http
