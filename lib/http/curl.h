// For this module alone: libcurl's one-time start, and its options.
#pragma once

#include <curl/curl.h>

namespace http {

// curl_global_init(3), once in a process, by whoever comes first; safe from any thread.
void prepare_curl();

class Setup {
 public:
  explicit Setup(CURL* handle) : handle_(handle) {}
  template <typename Value>
  void operator()(CURLoption option, Value value) {
    if (const CURLcode code = curl_easy_setopt(handle_, option, value); code != CURLE_OK && trouble == CURLE_OK)
      trouble = code;
  }
  CURLcode trouble = CURLE_OK;

 private:
  CURL* handle_;
};

}  // namespace http
