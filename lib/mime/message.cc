#include "mime/message.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#include <gmime/gmime.h>
#pragma GCC diagnostic pop

#include "mime/safe.h"
#include "mime/words.h"

namespace mime {
namespace {

constexpr const char* kReceived = "received";
constexpr const char* kNotice = "notice";

struct Unreference {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename Object>
using Owned = std::unique_ptr<Object, Unreference>;

// GMime's classes in C are one another's first member.
GMimeObject* as_object(auto* object) { return reinterpret_cast<GMimeObject*>(object); }

core::Error invalid(std::string text) { return {.code = core::Code::invalid, .text = std::move(text)}; }

void start_gmime() {
  static std::once_flag started;
  std::call_once(started, [] { g_mime_init(); });
}

void set_header(GMimeMessage* message, const char* name, const std::string& value) {
  g_mime_object_set_header(as_object(message), name, value.c_str(), "utf-8");
}

// In place of what GMime made of it; `value` is folded.
void set_raw(GMimeMessage* message, const char* name, const std::string& value) {
  GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(as_object(message)), name);
  if (header != nullptr) g_mime_header_set_raw_value(header, (" " + value + "\n").c_str());
}

Owned<GMimeMessage> with_headers(const Message& content, const char* kind) {
  Owned<GMimeMessage> message(g_mime_message_new(FALSE));
  const auto add_address = [&](GMimeAddressType type, const char* header, const Address& address) {
    const std::string name = safe_line(address.name);
    const std::string safe = safe_address(address.address);
    g_mime_message_add_mailbox(message.get(), type, name.empty() ? nullptr : name.c_str(), safe.c_str());
    if (!is_ascii(name)) set_raw(message.get(), header, encoded_words(name) + "\n <" + safe + ">");
  };
  add_address(GMIME_ADDRESS_TYPE_FROM, "From", content.from);
  add_address(GMIME_ADDRESS_TYPE_TO, "To", content.to);
  const std::string subject = safe_line(content.subject);
  g_mime_message_set_subject(message.get(), subject.c_str(), "utf-8");
  if (!is_ascii(subject)) set_raw(message.get(), "Subject", encoded_text(subject));
  const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> date(
      g_date_time_new_from_unix_utc(core::to_ms(content.date) / 1000), &g_date_time_unref);
  if (date) g_mime_message_set_date(message.get(), date.get());
  g_mime_message_set_message_id(message.get(), safe_address(content.message_id).c_str());
  set_header(message.get(), "X-Faxline", kind);
  if (kind == kNotice) set_header(message.get(), "Auto-Submitted", "auto-generated");
  if (!content.fax_sid.empty()) set_header(message.get(), "X-Fax-Sid", safe_token(content.fax_sid));
  return message;
}

Owned<GMimePart> text_part(const std::string& text) {
  const std::string safe = safe_text(text);
  Owned<GMimePart> part(g_mime_part_new_with_type("text", "plain"));
  g_mime_object_set_content_type_parameter(as_object(part.get()), "charset", "utf-8");
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(safe.data(), safe.size()));
  const Owned<GMimeDataWrapper> content(g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  // Quoted-printable always: for lines of any length, and because it has no "=-", which GMime's boundaries begin with.
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return part;
}

Owned<GMimePart> document_part(const Document& document, std::int64_t size_bytes) {
  Owned<GMimePart> part(g_mime_part_new_with_type("application", "pdf"));
  const Owned<GMimeStream> stream(g_mime_stream_fs_new_with_bounds(document.fd, 0, size_bytes));
  g_mime_stream_fs_set_owner(reinterpret_cast<GMimeStreamFs*>(stream.get()), FALSE);
  const Owned<GMimeDataWrapper> content(g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
  g_mime_object_set_disposition(as_object(part.get()), GMIME_DISPOSITION_ATTACHMENT);
  g_mime_part_set_filename(part.get(), safe_file_name(document.file_name).c_str());
  return part;
}

core::Result<void> write(GMimeMessage* message, int output_fd) {
  // A pipe's stream never seeks, so any descriptor will do.
  const Owned<GMimeStream> output(g_mime_stream_pipe_new(output_fd));
  g_mime_stream_pipe_set_owner(reinterpret_cast<GMimeStreamPipe*>(output.get()), FALSE);
  const Owned<GMimeStream> buffered(g_mime_stream_buffer_new(output.get(), GMIME_STREAM_BUFFER_BLOCK_WRITE));
  errno = 0;
  const bool written = g_mime_object_write_to_stream(as_object(message), nullptr, buffered.get()) >= 0 &&
                       g_mime_stream_flush(buffered.get()) == 0;
  if (!written) return core::errno_error("write", "the mail", errno == 0 ? EIO : errno);
  return {};
}

core::Result<void> check(const Message& message) {
  if (message.message_id.empty()) return invalid("mime: a mail without a message id");
  if (message.from.address.empty() || message.to.address.empty()) return invalid("mime: a mail without a sender or a recipient");
  return {};
}

core::Result<std::int64_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return core::errno_error("fstat", "the document", errno);
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return invalid("mime: the document is empty or not a regular file");
  return std::int64_t{status.st_size};
}

}  // namespace

namespace {

core::Result<void> write_with_document(const Message& content, const char* kind, const Document& document, int output_fd) {
  CORE_CHECK(check(content));
  CORE_TRY(size_bytes, size_of(document.fd));
  start_gmime();
  const auto message = with_headers(content, kind);
  const Owned<GMimeMultipart> parts(g_mime_multipart_new_with_subtype("mixed"));
  g_mime_multipart_add(parts.get(), as_object(text_part(content.text).get()));
  g_mime_multipart_add(parts.get(), as_object(document_part(document, size_bytes).get()));
  g_mime_message_set_mime_part(message.get(), as_object(parts.get()));
  CORE_CHECK(write(message.get(), output_fd));
  CORE_TRY(size_after, size_of(document.fd));
  if (size_after != size_bytes)
    return core::Error{.code = core::Code::unavailable, .text = "mime: the document changed while it was read"};
  return {};
}

}  // namespace

core::Result<void> write_received(const Message& content, const Document& document, int output_fd) { return write_with_document(content, kReceived, document, output_fd); }

core::Result<void> write_notice(const Message& content, const Document& document, int output_fd) { return write_with_document(content, kNotice, document, output_fd); }

core::Result<void> write_notice(const Message& content, int output_fd) {
  CORE_CHECK(check(content));
  start_gmime();
  const auto message = with_headers(content, kNotice);
  g_mime_message_set_mime_part(message.get(), as_object(text_part(content.text).get()));
  return write(message.get(), output_fd);
}

}  // namespace mime
