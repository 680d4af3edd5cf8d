#include "http/served.h"

#include <memory>
#include <string_view>

#include <curl/curl.h>

#include "http/curl.h"
#include "http/sigpipe.h"
#include "http/transfer.h"

namespace http {

core::Result<std::string> served_certificate(const std::string& address, const std::string& server_name, std::chrono::milliseconds time_out) {
  constexpr std::string_view kEntry = "Cert:";
  prepare_curl();
  const std::unique_ptr<CURL, CleanUp> handle(curl_easy_init());
  if (!handle) return core::Error{core::Code::internal, "curl_easy_init"};
  const auto port = address.substr(address.rfind(':') + 1);
  const auto url = "https://" + server_name + ":" + port + "/";
  StringList connect_to;
  connect_to.add("::" + address);
  char detail[CURL_ERROR_SIZE] = "";
  Setup set(handle.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_CONNECT_TO, connect_to.list());
  set(CURLOPT_CONNECT_ONLY, 1L);  // TLS, and then nothing: POP3 is asked in the same way
  set(CURLOPT_SSL_VERIFYPEER, 0L);
  set(CURLOPT_SSL_VERIFYHOST, 0L);
  set(CURLOPT_CERTINFO, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(time_out.count()));
  set(CURLOPT_ERRORBUFFER, detail);
  if (set.trouble != CURLE_OK) return core::Error{core::Code::internal, std::string("prepare a look at a certificate: ") + curl_easy_strerror(set.trouble)};
  const WithoutSigpipe guard;
  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK) return core::Error{core::Code::provider_down, "TLS with " + address + ": " + (*detail != '\0' ? detail : curl_easy_strerror(code))};
  curl_certinfo* info = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_CERTINFO, &info);
  if (info == nullptr || info->num_of_certs < 1) return core::Error{core::Code::provider_down, "TLS with " + address + ": no certificate"};
  for (const auto* entry = info->certinfo[0]; entry != nullptr; entry = entry->next)
    if (const std::string_view text(entry->data); text.starts_with(kEntry)) return std::string(text.substr(kEntry.size()));
  return core::Error{core::Code::internal, "TLS with " + address + ": the certificate was not kept"};
}

}  // namespace http
