#include "http/smtp.h"

#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "http/curl.h"
#include "http/sigpipe.h"
#include "http/transfer.h"

namespace http {

namespace {

constexpr std::int64_t kBytesASecond = 20'000;
constexpr std::size_t kMaxAnswer = 500;

struct Sending {
  const Letter& letter;
  off_t offset = 0;
  char last = '\n';
  bool may_have_left = false;
  bool unreadable = false;
  std::string answer = {};  // the server's last line
};

// Lines of a mail on the wire end with CR LF.
std::size_t on_read(char* to, std::size_t size, std::size_t count, void* pointer) {
  auto& sending = *static_cast<Sending*>(pointer);
  std::array<char, 8192> block{};
  sending.may_have_left = true;
  const auto got = ::pread(sending.letter.fd, block.data(), std::min(block.size(), size * count / 2), sending.offset);
  if (got < 0) {
    sending.unreadable = true;
    return CURL_READFUNC_ABORT;
  }
  sending.offset += got;
  std::size_t written = 0;
  for (ssize_t i = 0; i < got; ++i) {
    const char letter = block[static_cast<std::size_t>(i)];
    if (letter == '\n' && sending.last != '\r') to[written++] = '\r';
    to[written++] = letter;
    sending.last = letter;
  }
  return written;
}

std::size_t on_line(char* data, std::size_t, std::size_t size, void* pointer) {
  std::string line(data, std::min(size, kMaxAnswer));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (!line.starts_with("221")) static_cast<Sending*>(pointer)->answer = line;  // the farewell says nothing
  return size;
}

int on_progress(void* pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* stop = static_cast<Sending*>(pointer)->letter.stop;
  return stop != nullptr && *stop ? 1 : 0;
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t<>\"\\(),;") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

core::Error explain(const Sending& sending, const std::string& server, long status, CURLcode code, const char* detail) {
  const std::string where = "mail to " + sending.letter.to + " by " + server + ": ";
  const std::string words = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  if (sending.unreadable) return core::errno_error("read", "the mail", EIO);
  if (code == CURLE_SSL_CACERT_BADFILE) return {core::Code::settings, where + words, "The file with the certificates cannot be read."};
  if (status >= 400 && status < 600) return {core::Code::provider_refused, where + sending.answer, "The mail server refuses it: " + sending.answer};
  if (code == CURLE_LOGIN_DENIED) return {core::Code::provider_refused, where + words, "The mail server does not take the password: check SMTP_USER and SMTP_PASS."};
  if (code == CURLE_USE_SSL_FAILED) return {core::Code::provider_down, where + words, "The mail server offers no STARTTLS, and without it nothing is sent: use smtps://, or another port."};
  if (!sending.may_have_left) return {core::Code::provider_down, where + words, "The mail server cannot be reached: " + words};
  return {core::Code::unknown_outcome, where + words, "The mail server did not say that it took the mail: " + words};
}

curl_usessl tls_of(Starttls starttls) {
  if (starttls == Starttls::required) return CURLUSESSL_ALL;
  return starttls == Starttls::if_offered ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

core::Result<std::int64_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return core::errno_error("fstat", "the mail", errno);
  return std::int64_t{status.st_size};
}

}  // namespace

core::Result<std::string> send_letter(const Letter& letter) {
  const auto at = letter.from.rfind('@');
  if (!is_plain(letter.from) || !is_plain(letter.to) || !is_plain(letter.server) || at == std::string::npos)
    return core::Error{core::Code::bad_request, "send a mail: an address or server that cannot be written"};
  CORE_TRY(bytes, size_of(letter.fd));
  prepare_curl();
  const Handle handle(curl_easy_init());
  if (!handle) return core::Error{core::Code::unavailable, "send a mail: out of memory"};

  Sending sending{.letter = letter};
  StringList recipients;
  recipients.add("<" + letter.to + ">");
  const std::string url = letter.server + "/" + letter.from.substr(at + 1);
  const std::string from = "<" + letter.from + ">";
  char detail[CURL_ERROR_SIZE] = "";
  CURLcode trouble = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const auto code = curl_easy_setopt(handle.get(), option, value); code != CURLE_OK) trouble = code;
  };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_USE_SSL, static_cast<long>(tls_of(letter.starttls)));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!letter.ca_file.empty()) {
    set(CURLOPT_CAINFO, letter.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (letter.credentials != nullptr) {
    set(CURLOPT_USERNAME, letter.credentials->user.c_str());
    set(CURLOPT_PASSWORD, letter.credentials->password.reveal().data());
  }
  set(CURLOPT_MAIL_FROM, from.c_str());
  set(CURLOPT_MAIL_RCPT, recipients.list());
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, on_read);
  set(CURLOPT_READDATA, &sending);
  set(CURLOPT_HEADERFUNCTION, on_line);
  set(CURLOPT_HEADERDATA, &sending);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, on_progress);
  set(CURLOPT_XFERINFODATA, &sending);
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(letter.connect_time_out.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(letter.total_time_out.count() + bytes * 1000 / kBytesASecond));
  if (trouble != CURLE_OK) return core::Error{core::Code::internal, std::string("prepare a mail: ") + curl_easy_strerror(trouble)};

  const WithoutSigpipe guard;
  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) return explain(sending, letter.server, status, code, detail);
  return sending.answer;
}

}  // namespace http
