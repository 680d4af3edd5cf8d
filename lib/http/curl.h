// For this module alone: libcurl's one-time start.
#pragma once

namespace http {

// curl_global_init(3), once in a process, by whoever comes first; safe from any thread.
void prepare_curl();

}  // namespace http
