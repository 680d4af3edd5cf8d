#include "sandbox/caller.h"

#include "text/words.h"

namespace sandbox {
namespace {

bool asks_for_basic(const http::Answer& answer) {
  const std::string challenge = text::lower(answer.header("www-authenticate").value_or(""));
  return challenge.starts_with("basic") && challenge.find("realm=") != std::string::npos;
}

}  // namespace

bool Caller::is_ours(const http::Url& url) const {
  if (http::is_loopback_host(url.host)) return true;
  const auto found = connect_to_.find(url.host + ":" + std::to_string(url.port));
  if (found == connect_to_.end()) return false;
  const auto colon = found->second.rfind(':');
  return http::is_loopback_host(found->second.substr(0, colon));
}

core::Result<http::Answer> Caller::send(Outgoing outgoing) const {
  if (outgoing.method == "GET" && !outgoing.parameters.empty()) {
    outgoing.url += (outgoing.url.find('?') == std::string::npos ? "?" : "&") + urlencoded(outgoing.parameters);
    outgoing.parameters.clear();
  }
  CORE_TRY(url, http::parse(outgoing.url));
  if (!is_ours(url))
    return core::Error{.code = core::Code::forbidden, .text = "call " + url.host + ": the practice line calls this machine only"};
  CORE_TRY(plain, http::without_userinfo(outgoing.url));
  http::Call call;
  call.method = outgoing.method;
  call.url = std::move(plain);
  const std::string key = outgoing.wrong_signature ? "another key" : std::string(key_);
  call.headers.emplace_back(dialect_.signature_header, sign(key, outgoing.url, outgoing.parameters, dialect_.sorted_signature));
  if (!outgoing.range.empty()) call.headers.emplace_back("Range", outgoing.range);
  if (call.method == "POST") {
    call.body = outgoing.body.empty() ? urlencoded(outgoing.parameters) : std::move(outgoing.body);
    call.content_type = outgoing.content_type;
  }
  call.output_fd = outgoing.output_fd;
  call.max_body_bytes = outgoing.max_body_bytes;
  call.max_bytes_a_second = outgoing.bytes_a_second;
  call.total_time_out = outgoing.time_out;
  call.connect_time_out = std::chrono::seconds(5);

  auto first = network_.send(call);
  if (!first || first->status != 401 || !url.has_userinfo || !asks_for_basic(*first)) return first;
  const http::Credentials credentials{url.user, core::SecretString(url.password)};
  call.credentials = &credentials;
  return network_.send(call);
}

std::string multipart(const Pairs& parameters, std::string_view file_name, std::string_view document, std::string_view boundary, bool media_first) {
  std::string texts, media;
  for (const auto& [name, value] : parameters)
    texts.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"").append(name).append("\"\r\n\r\n").append(value).append("\r\n");
  media.reserve(document.size() + 4096);
  media.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"").append(file_name);
  media.append("\"\r\nContent-Type: application/pdf\r\n\r\n").append(document).append("\r\n");
  const std::string end = "--" + std::string(boundary) + "--\r\n";
  std::string& body = media_first ? media : texts;
  body.append(media_first ? texts : media).append(end);
  return std::move(body);
}

}  // namespace sandbox
