#include "app/send.h"

#include <algorithm>

#include "app/render.h"
#include "app/upload.h"
#include "core/fail_point.h"
#include "core/id.h"
#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "fax/target.h"
#include "form/fields.h"
#include "json/value.h"
#include "text/words.h"
#include "web/problem.h"

namespace app {

namespace {

constexpr std::size_t kJsonBytes = 64 * 1024;
constexpr std::size_t kMostDocuments = 50;
constexpr std::size_t kLongestKey = 255;
constexpr std::string_view kFilePart = "file";

core::Error missing(std::string_view field, std::string_view sentence) {
  return core::Error{core::Code::bad_request, "missing " + std::string(field), std::string(sentence), std::string(field)};
}

class Send {
 public:
  Send(const Line& line, store::Faxes& faxes, const spool::Spool& spool) : line_(line), faxes_(faxes), spool_(spool) {}

  core::Result<web::Response> upload(web::Request& request, const web::Match&) {
    if (!is_multipart(request)) return not_a_form();
    CORE_TRY(upload, read_upload(request, spool_, spool::Use::upload, line_.max_fax_bytes, kFilePart));
    CORE_CHECK(check_files(upload.files));
    if (upload.files.size() > 1) return core::Error{core::Code::bad_request, "several files", "Upload one document at a time.", "file"};
    CORE_TRY(documents, keep(upload.files, request.user()));
    line_.wake();
    auto response = web::json(202, document_json(documents.front()));
    response.set("Location", "/api/documents/" + documents.front().id);
    return response;
  }

  core::Result<web::Response> document(web::Request&, const web::Match& match) {
    CORE_TRY(document, faxes_.document(std::string(match["id"])));
    return web::json(200, document_json(document));
  }

  core::Result<web::Response> create(web::Request& request, const web::Match&) {
    CORE_TRY(key, idempotency_key(request));
    const auto type = request.content_type();
    if (is_multipart(request)) return create_of_files(request, key);
    const auto name = text::trim(type.substr(0, type.find(';')));
    if (text::equal_ignoring_case(name, "application/json")) return create_of_documents(request, key);
    if (text::equal_ignoring_case(name, "application/x-www-form-urlencoded")) return missing("file", "Choose a document to send, and send it as multipart/form-data.");
    return not_a_form();
  }

  core::Result<web::Response> cancel(web::Request&, const web::Match& match) {
    CORE_TRY(fax, faxes_.request_cancel(std::string(match["id"]), line_.clock->now()));
    FAIL_POINT("send.cancel.committed");
    line_.wake();
    return answer(200, fax);
  }

  core::Result<web::Response> resend(web::Request& request, const web::Match& match) {
    CORE_TRY(old, faxes_.fax(std::string(match["id"])));
    if (old.direction != fax::Direction::outbound) return core::Error{core::Code::conflict, "resend of a received fax", "A received fax cannot be sent again."};
    if (!fax::is_final(old.status)) return core::Error{core::Code::conflict, "resend of an unfinished fax", "This fax has not ended yet. It cannot be sent again before."};
    CORE_TRY(key, idempotency_key(request));
    CORE_TRY(before, faxes_.fax_of_key(std::string(request.user()), key));
    if (before && before->resend_of == old.id) return accepted(*before);
    CORE_TRY(documents, faxes_.documents_of(old.id));
    if (documents.empty()) return core::Error{core::Code::conflict, "resend without document", "The document is no longer kept. Send it anew."};
    CORE_TRY(ids, faxes_.document_ids_of(old.id));
    if (documents.size() != ids.size()) return core::Error{core::Code::conflict, "resend without one of the documents", "Not all documents of this fax are kept any more. Send it anew."};
    std::string digest = old.to;
    for (const auto& one : documents) digest += "\n" + one.sha256;
    store::NewFax wanted{std::string(request.user()), line_.number, old.to, line_.provider, ids, old.id, key, crypto::hex(crypto::sha256(digest + "\nresend " + old.id)), line_.lifetime};
    return accept(wanted, {});
  }

  core::Result<web::Response> settle(web::Request& request, const web::Match& match) {
    CORE_TRY(fax, faxes_.fax(std::string(match["id"])));
    // State before content, as everywhere; settle() looks again.
    if (fax.direction != fax::Direction::outbound) return core::Error{core::Code::conflict, "settle of a received fax", "Only a sent fax can be settled."};
    if (fax.status != fax::Status::unresolved) return core::Error{core::Code::conflict, "settle of a fax that is not unresolved", "There is nothing to settle: what became of this fax is known, or will be."};
    CORE_TRY(text, request.body().read_all(kJsonBytes));
    CORE_TRY(body, json::parse(text));
    const auto as = body.is_object() ? fax::parse_status(body["as"].as_string().value_or("")) : std::nullopt;
    if (as != fax::Status::delivered && as != fax::Status::failed) return core::Error{core::Code::bad_request, "settle: as is neither delivered nor failed", "Say as \"delivered\" or as \"failed\".", "as"};
    CORE_TRY(settled, faxes_.settle(fax.id, *as, std::string(request.user()), line_.clock->now()));
    FAIL_POINT("send.settle.committed");
    core::log(core::Level::info, "fax settled by a person", {{"fax", settled.id}, {"as", fax::name(*as)}, {"user", request.user()}});
    return answer(200, settled);
  }

  core::Result<web::Response> numbers(web::Request& request, const web::Match&) {
    CORE_TRY(query, form::parse_urlencoded(request.query()));
    const auto typed = query.first("q");
    if (!typed) return missing("q", "Give the number to look up as q.");
    const auto number = fax::parse_target(*typed, line_.default_country, line_.always_legal, line_.sip_hosts);
    json::Writer writer;
    writer.begin_object();
    if (number) {
      writer.member("e164", number->e164).member("country", number->country.empty() ? std::optional<std::string>() : std::optional(number->country)).member("valid", true);
      writer.member("text", number->text).member("note", number->note.empty() ? std::optional<std::string>() : std::optional(number->note));
    } else {
      const auto meant = suggestion(*typed);
      writer.member("e164", nullptr).member("country", nullptr).member("valid", false).member("text", number.error().hint);
      writer.member("suggestion", meant.empty() ? std::optional<std::string>() : std::optional(meant));
    }
    writer.end_object();
    return web::json(200, writer.text());
  }

 private:
  static core::Error not_a_form() { return {core::Code::unsupported, "neither a form with files nor JSON", "Send a form with a file (multipart/form-data), or JSON that names documents."}; }

  // "+2125551212", typed by an American, is meant without the +.
  std::string suggestion(std::string_view typed) const {
    const auto trimmed = text::trim(typed);
    if (trimmed.empty() || trimmed.front() != '+') return {};
    const auto home = fax::parse_number(trimmed.substr(1), line_.default_country, {});
    return home ? home->e164 : std::string();
  }

  core::Result<std::string> idempotency_key(const web::Request& request) const {
    const auto key = request.header("Idempotency-Key").value_or("");
    if (key.empty() && !request.header("Idempotency-Key")) return std::string();
    if (key.size() > kLongestKey || !text::is_visible_ascii(key))
      return core::Error{core::Code::bad_request, "Idempotency-Key not fit", "An Idempotency-Key has 1 to 255 visible ASCII characters.", "Idempotency-Key"};
    return std::string(key);
  }

  static core::Result<void> check_files(const std::vector<UploadedFile>& files) {
    if (files.empty()) return missing("file", "Choose a document to send.");
    if (files.size() > kMostDocuments) return core::Error{core::Code::bad_request, "too many files", "At most " + std::to_string(kMostDocuments) + " documents make one fax.", "file"};
    for (const auto& file : files) {
      if (file.bytes == 0) return core::Error{core::Code::invalid, "empty file", "The file " + file.file_name + " is empty. Choose another.", "file"};
      if (!file.is_pdf) return core::Error{core::Code::unsupported, "not a PDF", "The file " + file.file_name + " is not a PDF. Save or print it as a PDF and send that.", "file"};
    }
    return {};
  }

  // Durable, and in the book.
  core::Result<std::vector<store::Document>> keep(std::vector<UploadedFile>& files, std::string_view owner) {
    std::vector<store::Document> documents;
    for (auto& file : files) {
      CORE_TRY(document, commit(file, owner, line_.clock->now()));
      documents.push_back(std::move(document));
      FAIL_POINT("send.keep.committed");
      if (auto added = faxes_.add_document(documents.back()); !added) {
        discard(documents);
        return added.error();
      }
      FAIL_POINT("send.keep.added");
    }
    return documents;
  }

  core::Result<fax::PhoneNumber> number_of(std::optional<std::string_view> typed) const {
    if (!typed || text::trim(*typed).empty()) return missing("to", "Type the number to send to.");
    return fax::parse_target(*typed, line_.default_country, line_.always_legal, line_.sip_hosts);
  }

  core::Result<web::Response> create_of_files(web::Request& request, const std::string& key) {
    CORE_TRY(upload, read_upload(request, spool_, spool::Use::upload, line_.max_fax_bytes, kFilePart));
    // What is missing is said before what is wrong.
    if (upload.files.empty()) return missing("file", "Choose a document to send.");
    if (upload.fields.all("to").size() > 1) return core::Error{core::Code::bad_request, "several numbers", "Give one number: a fax goes to one.", "to"};
    CORE_TRY(number, number_of(upload.fields.first("to")));
    CORE_CHECK(check_files(upload.files));
    CORE_TRY(documents, keep(upload.files, request.user()));
    return accept(new_fax(request, number.e164, documents, key), documents);
  }

  core::Result<web::Response> create_of_documents(web::Request& request, const std::string& key) {
    CORE_CHECK(spool_.check_room(spool::Use::upload));
    CORE_TRY(text, request.body().read_all(kJsonBytes));
    CORE_TRY(body, json::parse(text));
    if (!body.is_object()) return core::Error{core::Code::bad_request, "JSON: not an object", "The request is malformed: a JSON object is expected."};
    const auto& ids = body["documents"];
    if (!ids.is_array() || ids.items().empty()) return missing("documents", "Name the documents to send.");
    if (ids.items().size() > kMostDocuments) return core::Error{core::Code::bad_request, "too many documents", "At most " + std::to_string(kMostDocuments) + " documents make one fax.", "documents"};
    CORE_TRY(before, made_of(std::string(request.user()), key, body));
    if (before) return accepted(*before);
    std::vector<store::Document> documents;
    for (const auto& item : ids.items()) {
      const auto id = item.as_string();
      if (!id) return core::Error{core::Code::bad_request, "JSON: a document's id is no string", "Name documents by their id, a string.", "documents"};
      if (!core::is_id(*id)) return core::Error{core::Code::not_found, "JSON: no document's id", "There is no such document.", "documents"};
      auto document = faxes_.document(std::string(*id));
      if (!document) return std::move(document.error()).with_field("documents");
      documents.push_back(std::move(*document));
    }
    if (!body["to"].is_null() && !body["to"].is_string()) return core::Error{core::Code::bad_request, "JSON: to is no string", "The number must be a string.", "to"};
    CORE_TRY(number, number_of(body["to"].as_string()));
    return accept(new_fax(request, number.e164, documents, key), {});
  }

  // The fax that the key made of the same number and documents, whether these are kept or not. Another one, or none: the
  // documents' content decides, where it is kept.
  core::Result<std::optional<store::Fax>> made_of(const std::string& owner, const std::string& key, const json::Value& body) {
    CORE_TRY(fax, faxes_.fax_of_key(owner, key));
    if (!fax || !fax->resend_of.empty()) return std::optional<store::Fax>();
    const auto number = number_of(body["to"].as_string());
    CORE_TRY(ids, faxes_.document_ids_of(fax->id));
    const auto& named = body["documents"].items();
    const bool same = number && number->e164 == fax->to && std::equal(ids.begin(), ids.end(), named.begin(), named.end(), [](const std::string& id, const json::Value& name) { return name.as_string() == id; });
    return same ? fax : std::optional<store::Fax>();
  }

  store::NewFax new_fax(const web::Request& request, const std::string& to, const std::vector<store::Document>& documents, const std::string& key) const {
    std::vector<std::string> ids;
    std::string digest = to;
    for (const auto& document : documents) ids.push_back(document.id), digest += "\n" + document.sha256;
    return {std::string(request.user()), line_.number, to, line_.provider, ids, "", key, crypto::hex(crypto::sha256(digest)), line_.lifetime};
  }

  // `fresh`: documents that were kept for this request alone, which a repeated one does not need.
  core::Result<web::Response> accept(const store::NewFax& wanted, const std::vector<store::Document>& fresh) {
    auto created = faxes_.create(wanted, line_.clock->now());
    FAIL_POINT("send.accept.committed");
    // A fax that may be in the book all the same needs them.
    if (created ? !created->is_new : created.error().code != core::Code::unknown_outcome) discard(fresh);
    if (!created) return created.error();
    const auto& fax = created->fax;
    if (created->is_new) {
      core::log(core::Level::info, "fax accepted", {{"fax", fax.id}, {"to", core::masked(fax.to)}, {"user", wanted.owner}});
      line_.wake();
    }
    CORE_TRY(response, accepted(fax));
    FAIL_POINT("send.accept.woken");
    return response;
  }

  core::Result<web::Response> accepted(const store::Fax& fax) {
    CORE_TRY(response, answer(202, fax));
    response.set("Location", "/api/faxes/" + fax.id);
    return response;
  }

  // The book first: it never has a document that the spool has not. What stays is nobody's, and purged after a day.
  void discard(const std::vector<store::Document>& documents) {
    for (const auto& document : documents)
      if (const auto gone = faxes_.forget_document(document.id); gone) {
        FAIL_POINT("send.discard.forgotten");
        (void)spool_.remove(document.id);
        FAIL_POINT("send.discard.removed");
      }
  }

  core::Result<web::Response> answer(int status, const store::Fax& fax) {
    CORE_TRY(events, faxes_.events(fax.id));
    return web::json(status, fax_json(fax, events));
  }

  const Line& line_;
  store::Faxes& faxes_;
  const spool::Spool& spool_;
};

}  // namespace

web::Routes send_routes(const Line& line, store::Faxes& faxes, const spool::Spool& spool) {
  const auto send = std::make_shared<Send>(line, faxes, spool);
  const auto to = [&](core::Result<web::Response> (Send::*handler)(web::Request&, const web::Match&)) { return [send, handler](web::Request& request, const web::Match& match) { return (*send.*handler)(request, match); }; };
  const web::Guard reads{web::Access::logged_in, web::Origin::any};
  const web::Guard changes{web::Access::logged_in, web::Origin::ours};
  web::Routes routes;
  routes.add("POST", "/api/documents", changes, to(&Send::upload));
  routes.add("GET", "/api/documents/{id}", reads, to(&Send::document));
  routes.add("POST", "/api/faxes", changes, to(&Send::create));
  routes.add("POST", "/api/faxes/{id}/cancel", changes, to(&Send::cancel));
  routes.add("POST", "/api/faxes/{id}/resend", changes, to(&Send::resend));
  routes.add("POST", "/api/faxes/{id}/settle", changes, to(&Send::settle));
  routes.add("GET", "/api/numbers", reads, to(&Send::numbers));
  return routes;
}

}  // namespace app
