// The mails that people get: a received fax with its document, and plain notices.
//
// Everything that comes from outside (numbers, names, ids) is made safe here: no value can
// begin a line of its own, so none can add a header, a recipient or a body. Nothing is
// refused for that: a fax whose sender calls himself "\r\nBcc: …" is a fax all the same.
// Sources: RFC 5322 (message), 2045 and 2046 (MIME, base64, multipart), 2047 (words that
// are not ASCII), 2231 (file names), 2183 (attachment).
#pragma once

#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace mime {

// A person or machine. `name` is UTF-8 and may be empty; `address` is "local@domain",
// characters that no plain address has become "_", a missing domain "localhost".
struct Address {
  std::string name;
  std::string address;
};

struct Message {
  Address from;
  Address to;
  std::string subject;     // UTF-8; cut after 200 characters
  core::Time date;         // written in UTC, whole seconds
  std::string message_id;  // "left@right" without the brackets, the FaxSid in it; must be
                           // the same each time this mail is made, so that readers see one
  std::string fax_sid;     // header X-Fax-Sid; empty: no such header
  std::string text;        // UTF-8, what a person reads first; lines end with "\n" or "\r\n"
};

// The document of a received fax. `fd` is a regular file, open for reading, which the
// caller keeps; its offset is moved. `file_name` is UTF-8: path separators and control
// characters become "_"; empty: "fax.pdf".
struct Document {
  int fd = -1;
  std::string file_name;
};

// Writes the mail of a received fax (X-Faxline: received) to `output_fd`, from where that
// stands: multipart/mixed of the text and the PDF in base64, byte for byte. Lines end with
// "\n", as files of a Maildir have them. Memory does not grow with the document.
// The caller keeps both descriptors, and syncs.
// Errors: invalid (empty message_id or address; document empty or no regular file); no_space,
// unavailable, internal as errno says (reading or writing); unavailable if the document
// changed meanwhile. After an error a part of the mail is in the output: throw it away.
core::Result<void> write_received(const Message& message, const Document& document, int output_fd);

// Writes a notice (X-Faxline: notice; Auto-Submitted, RFC 3834, so that no machine answers it): text/plain, no attachment.
// Else as write_received().
core::Result<void> write_notice(const Message& message, int output_fd);

// The same with a document attached, as write_received() does it.
core::Result<void> write_notice(const Message& message, const Document& document, int output_fd);

}  // namespace mime
