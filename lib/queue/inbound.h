// The steps of a fax that comes in; each is safe to do twice (README.md of this folder).
#pragma once

#include "core/result.h"
#include "queue/context.h"

namespace queue {

// The next step of one received fax, whatever its state: fetch its document, deliver its
// mail or its notice, delete the provider's copy. Errors are those of store and spool.
core::Result<void> step_inbound(const Context& context, const store::Fax& fax);

// The single steps, for step_inbound() and the tests.
core::Result<void> ask_for_media(const Context& context, const store::Fax& fax);  // receiving
core::Result<void> fetch(const Context& context, const store::Fax& fax);          // fetching
core::Result<void> deliver_mail(const Context& context, const store::Fax& fax);   // mail_due
core::Result<void> delete_media(const Context& context, const store::Fax& fax);   // media_delete_due

// What the document behind `fd` is, into `document` alone: ready with its pages, or refused with the cause. Errors:
// of the box; then `document` is as it was.
core::Result<void> look_into(const Context& context, int fd, store::Document& document);

// What an uploaded document is, written into the book; for documents that no fax has named yet.
core::Result<void> examine_document(const Context& context, store::Document document);

}  // namespace queue
