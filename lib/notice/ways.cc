#include "notice/ways.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/fail_point.h"
#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "http/smtp.h"
#include "http/url.h"
#include "mime/message.h"
#include "notice/words.h"
#include "process/run.h"

namespace notice {

namespace {

using namespace std::chrono_literals;

constexpr auto kWebhookTime = 20s;
constexpr auto kCommandTime = 30s;
constexpr int kPassedAs = 3;

core::Result<core::UniqueFd> memory_file() {
  core::UniqueFd file(::memfd_create("faxline-notice", MFD_CLOEXEC));
  if (!file.valid()) return core::errno_error("memfd_create", "notice", errno);
  return file;
}

struct OpenPaper {
  core::UniqueFd file;
  std::int64_t bytes = 0;
};

// The document, where it is to go along, is still here and not too large; else none.
std::optional<OpenPaper> paper_of(const Ways& ways, const store::Notice& notice, std::int64_t most) {
  if (ways.options.content != Content::document || notice.document_id.empty()) return std::nullopt;
  auto file = ways.open_document(notice.document_id);
  struct stat status{};
  if (!file || ::fstat(file->get(), &status) != 0 || status.st_size == 0 || status.st_size > most) return std::nullopt;
  return OpenPaper{std::move(*file), std::int64_t{status.st_size}};
}

mime::Message message_of(const Options& options, const store::Notice& notice) {
  const auto words = words_of(options, notice);
  mime::Message message;
  message.from = {"Faxline", "faxline@" + options.hostname};
  message.to = {"", options.mail_user + "@" + options.hostname};
  message.subject = words.subject;
  message.date = notice.at;
  message.message_id = "notice." + notice.id + "@" + options.hostname;
  if (options.content != Content::none) message.fax_sid = notice.provider_id;
  message.text = words.text;
  return message;
}

core::Result<std::string> tell_by_maildir(const Ways& ways, const store::Errand& errand) {
  CORE_TRY(file, memory_file());
  CORE_CHECK(mime::write_notice(message_of(ways.options, errand.notice), file.get()));
  auto name = errand.mail_name;
  if (name.empty()) {
    name = ways.new_mail_name(ways.clock.now(), file.get());
    CORE_CHECK(ways.record_mail_name(errand, name));
    FAIL_POINT("notice.maildir.name_recorded");
  }
  CORE_TRY(how, ways.deliver(name, file.get()));
  FAIL_POINT("notice.maildir.handed_over");
  return std::string(how == maildir::Delivery::delivered ? "delivered" : "already there");
}

http::Starttls starttls_of(const Options& options) {
  const auto host = http::parse("https" + options.smtp_url.substr(options.smtp_url.find(':')));
  if (!host || !http::is_loopback_host(host->host)) return http::Starttls::required;
  // On this machine nobody listens in; a certificate there is rarely one that can be checked.
  return options.ca_file.empty() ? http::Starttls::never : http::Starttls::if_offered;
}

core::Result<std::string> tell_by_smtp(const Ways& ways, const store::Errand& errand) {
  const auto& options = ways.options;
  auto message = message_of(options, errand.notice);
  message.from = {"Faxline", options.from};
  message.to = {"", errand.way.substr(errand.way.find(':') + 1)};
  const auto paper = paper_of(ways, errand.notice, kMaxAttached);
  CORE_TRY(file, memory_file());
  CORE_CHECK(paper ? mime::write_notice(message, {paper->file.get(), file_name_of(errand.notice)}, file.get()) : mime::write_notice(message, file.get()));
  const http::Credentials credentials{options.smtp_user, options.smtp_password.duplicate()};
  http::Letter letter;
  letter.server = options.smtp_url;
  letter.starttls = starttls_of(options);
  if (!credentials.user.empty()) letter.credentials = &credentials;
  letter.ca_file = options.ca_file;
  letter.from = options.from;
  letter.to = message.to.address;
  letter.fd = file.get();
  letter.stop = ways.stop;
  auto answer = http::send_letter(letter);
  if (answer) FAIL_POINT("notice.smtp.taken");
  return answer;
}

core::Result<std::string> read_all(const OpenPaper& paper) {
  std::string bytes(static_cast<std::size_t>(paper.bytes), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    CORE_TRY(count, core::read_some(paper.file.get(), std::as_writable_bytes(std::span(bytes).subspan(done)), "document of a notice"));
    if (count == 0) return core::Error{core::Code::unavailable, "the document of a notice is shorter than it was"};
    done += count;
  }
  return bytes;
}

core::Result<std::string> tell_by_webhook(const Ways& ways, const store::Errand& errand) {
  std::optional<Paper> paper;
  if (const auto open = paper_of(ways, errand.notice, kMaxPosted)) {
    CORE_TRY(bytes, read_all(*open));
    paper = Paper{crypto::base64_encode(bytes), std::nullopt, open->bytes};
  }
  http::Call call;
  call.method = "POST";
  call.url = ways.options.webhook_url;
  call.content_type = "application/json";
  call.body = json_of(ways.options, errand.notice, paper);
  call.headers = webhook_headers(ways.options.webhook_key.reveal(), errand.notice.id, ways.clock.now(), call.body);
  call.total_time_out = kWebhookTime;
  call.max_redirects = 0;
  CORE_TRY(answer, ways.client.send(call));
  const std::string status = "status " + std::to_string(answer.status);
  if (answer.status >= 200 && answer.status < 300) {
    FAIL_POINT("notice.webhook.taken");
    return status;
  }
  // A gateway that stands before it says that it is away; its own word is a refusal.
  const bool away = answer.status == 502 || answer.status == 503 || answer.status == 504;
  return core::Error{away ? core::Code::unavailable : core::Code::provider_refused, "webhook: " + status, "The webhook answered with " + status + "."};
}

// What the command printed, for the log.
void log_output(const store::Errand& errand, const process::Outcome& outcome) {
  for (const auto* stream : {&outcome.output, &outcome.error_output})
    if (!stream->empty()) core::log(core::Level::info, "notice command said", {{"notice", errand.notice.id}, {"output", *stream}});
}

core::Result<std::string> tell_by_command(const Ways& ways, const store::Errand& errand) {
  const auto open = paper_of(ways, errand.notice, std::numeric_limits<std::int64_t>::max());
  CORE_TRY(input, memory_file());
  const auto text = json_of(ways.options, errand.notice, open ? std::optional(Paper{"", kPassedAs, open->bytes}) : std::nullopt) + "\n";
  CORE_CHECK(core::write_all(input.get(), text, "input of the command"));
  if (::lseek(input.get(), 0, SEEK_SET) != 0) return core::errno_error("lseek", "input of the command", errno);
  process::Program program;
  program.arguments = {ways.options.command};
  program.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
  program.limits = {.wall = kCommandTime, .cpu_seconds = -1, .address_space_bytes = -1, .file_bytes = -1};
  program.input_fd = input.get();
  program.output_bytes = 2000;
  if (open) program.passed = {{open->file.get(), kPassedAs}};
  auto done = process::run(program);
  if (!done) return std::move(done.error()).with_hint("NOTICE_COMMAND cannot be run: " + done.error().text);
  log_output(errand, *done);
  if (done->timed_out) return core::Error{core::Code::unavailable, "command: timed out", "The command did not end in " + std::to_string(kCommandTime.count()) + " s, and was killed."};
  if (done->exit_status == 0) {
    FAIL_POINT("notice.command.ended");
    return std::string("exit status 0");
  }
  const std::string how = done->exit_status > 0 ? "exit status " + std::to_string(done->exit_status) : "signal " + std::to_string(done->signal);
  return core::Error{core::Code::provider_refused, "command: " + how, "The command ended with " + how + "."};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> webhook_headers(std::string_view key, const std::string& id, core::Time now, std::string_view body) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string bytes(key);
  if (key.starts_with(kPrefix))
    if (const auto decoded = crypto::base64_decode(key.substr(kPrefix.size()))) bytes = *decoded;
  const auto timestamp = std::to_string(core::to_ms(now) / 1000);
  const auto signature = crypto::base64_encode(crypto::hmac_sha256(bytes, id + "." + timestamp + "." + std::string(body)));
  return {{"webhook-id", id}, {"webhook-timestamp", timestamp}, {"webhook-signature", "v1," + signature}};
}

core::Result<std::string> tell(const Ways& ways, const store::Errand& errand) {
  const auto family = family_of(errand.way);
  if (family == "maildir") return tell_by_maildir(ways, errand);
  if (family == "smtp") return tell_by_smtp(ways, errand);
  return family == "webhook" ? tell_by_webhook(ways, errand) : tell_by_command(ways, errand);
}

}  // namespace notice
