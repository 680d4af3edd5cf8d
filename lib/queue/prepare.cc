#include <fcntl.h>

#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"
#include "fax/cause.h"
#include "queue/inbound.h"
#include "queue/outbound.h"

namespace queue {

core::Result<void> look_into(const Context& context, int fd, store::Document& document) {
  const auto pdf = context.examine(fd);
  if (pdf) {
    document.state = store::DocumentState::ready;
    document.pages = pdf->pages;
    document.warning = pdf->warning;
    return {};
  }
  if (pdf.error().code != core::Code::invalid) return pdf.error();
  document.state = store::DocumentState::refused;
  document.cause_code = pdf.error().field.empty() ? "document_damaged" : pdf.error().field;
  document.cause_text = pdf.error().hint;
  return {};
}

namespace {

// Looks at one document in the box and writes down what it is. True: it can be faxed.
core::Result<bool> examine(const Context& context, store::Document& document) {
  if (document.state != store::DocumentState::queued) return document.state == store::DocumentState::ready;
  CORE_TRY(file, context.spool.open(document.id));
  CORE_CHECK(look_into(context, file.get(), document));
  FAIL_POINT("queue.examine.looked");
  CORE_CHECK(context.faxes.save_document(document));
  FAIL_POINT("queue.examine.saved");
  core::log(core::Level::info, "document examined", {{"document", document.id}, {"state", document.state == store::DocumentState::ready ? "ready" : "refused"}, {"cause", document.cause_code}});
  return document.state == store::DocumentState::ready;
}

// One document of several, in order, under an id of its own.
core::Result<store::Document> join(const Context& context, const store::Fax& fax, const std::vector<store::Document>& parts) {
  std::vector<core::UniqueFd> files;
  std::vector<int> descriptors;
  store::Document whole;
  whole.pages = 0;
  std::int64_t bytes = 0;
  for (const auto& part : parts) {
    CORE_TRY(file, context.spool.open(part.id));
    descriptors.push_back(file.get());
    files.push_back(std::move(file));
    *whole.pages += part.pages.value_or(0);
    bytes += part.bytes;
  }
  CORE_TRY(incoming, context.spool.begin(spool::Use::send, bytes));
  CORE_CHECK(context.join(descriptors, incoming.fd()));
  FAIL_POINT("queue.join.joined");
  whole.id = core::new_id(context.clock.now());
  whole.owner = fax.owner;
  whole.file_name = parts.front().file_name;
  whole.state = store::DocumentState::ready;
  whole.created = context.clock.now();
  CORE_TRY(committed, incoming.commit(whole.id));
  FAIL_POINT("queue.join.committed");
  whole.bytes = committed.bytes;
  whole.sha256 = committed.sha256;
  CORE_CHECK(context.faxes.add_document(whole));
  FAIL_POINT("queue.join.added");
  return whole;
}

// Done before, and not submitted then.
bool is_joined(const Context& context, const store::Fax& fax) { return !fax.document_id.empty() && context.spool.open(fax.document_id); }

}  // namespace

core::Result<void> examine_document(const Context& context, store::Document document) {
  CORE_CHECK(examine(context, document));
  return {};
}

core::Result<void> prepare(const Context& context, const store::Fax& fax) {
  const auto now = [&] { return context.clock.now(); };
  if (fax.status == fax::Status::queued)
    CORE_CHECK(change(context, fax.id, [](store::Fax& row, auto&) {
      if (row.status == fax::Status::queued) row.status = fax::Status::preparing;
    }));
  FAIL_POINT("queue.prepare.moved");
  CORE_TRY(documents, context.faxes.documents_of(fax.id));
  for (auto& document : documents) {
    CORE_TRY(fit, examine(context, document));
    if (fit) continue;
    CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
      if (fax::is_final(row.status)) return;
      finish(row, events, fax::Status::failed, document.cause_code, documents.size() > 1 ? document.file_name : "", now());
    }));
    return {};
  }
  if (documents.empty()) return core::Error{core::Code::internal, "fax " + fax.id + " has no document"};
  store::Document whole = documents.front();
  if (documents.size() > 1 && is_joined(context, fax)) {
    whole.id = fax.document_id;
    whole.pages = fax.pages;
  } else if (documents.size() > 1) {
    auto joined = join(context, fax, documents);
    if (!joined && joined.error().code == core::Code::invalid) {
      CORE_CHECK(change(context, fax.id, [&](store::Fax& row, auto& events) {
        if (!fax::is_final(row.status)) finish(row, events, fax::Status::failed, joined.error().field.empty() ? "document_damaged" : joined.error().field, "", now());
      }));
      return {};
    }
    if (!joined) return joined.error();
    whole = std::move(joined).value();
  }
  CORE_TRY(ready, change(context, fax.id, [&](store::Fax& row, auto&) {
    row.document_id = whole.id;
    row.pages = whole.pages;
  }));
  FAIL_POINT("queue.prepare.named");
  if (ready.cancel_requested) return cancel(context, ready);
  return submit(context, ready);
}

}  // namespace queue
