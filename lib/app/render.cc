#include "app/render.h"

#include "fax/cause.h"
#include "store/story.h"

namespace app {

namespace {

std::optional<std::string> unless_empty(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

void write_next(json::Writer& writer, const store::Fax& fax) {
  const auto next = store::next_of(fax);
  if (next) writer.begin_object().member("text", next->text).member("at", next->at ? std::optional(core::rfc3339(*next->at)) : std::nullopt).end_object();
  else writer.value(nullptr);
}

}  // namespace

void write_cause(json::Writer& writer, const std::string& code, const std::string& own_words) {
  if (code.empty()) {
    writer.value(nullptr);
    return;
  }
  const auto cause = fax::find_cause(code);
  std::string words(cause.text);
  if (!own_words.empty()) words += " (" + own_words + ")";
  writer.begin_object().member("code", cause.code).member("text", words).member("advice", cause.advice).end_object();
}

void write_fax(json::Writer& writer, const store::Fax& fax, const std::vector<store::Event>* events, Next next) {
  writer.begin_object()
      .member("id", fax.id)
      .member("direction", fax::name(fax.direction))
      .member("status", fax::name(fax.status))
      .member("final", fax::is_final(fax.status))
      .member("to", unless_empty(fax.to))
      .member("from", unless_empty(fax.from))
      .member("pages", fax.pages)
      .member("pages_done", fax.pages_done)
      .member("created", core::rfc3339(fax.created))
      .member("updated", core::rfc3339(fax.updated));
  write_cause(writer.key("cause"), fax.cause_code, fax.cause_text);
  writer.member("provider", fax.provider)
      .member("provider_id", unless_empty(fax.provider_id))
      .member("attempt", fax.attempt)
      .member("resend_of", unless_empty(fax.resend_of))
      .member("read", fax.read)
      .member("cancel_requested", fax.cancel_requested)
      .member("practice", fax.provider == "sandbox");
  if (next == Next::told) {
    write_next(writer.key("next"), fax);
    writer.member("document", !fax.document_id.empty());
  }
  if (events != nullptr) {
    writer.key("events").begin_array();
    for (const auto& event : *events)
      writer.begin_object().member("at", core::rfc3339(event.at)).member("what", event.what).member("why", unless_empty(event.why)).end_object();
    writer.end_array();
  }
  writer.end_object();
}

std::string fax_json(const store::Fax& fax, const std::vector<store::Event>& events, Next next) {
  json::Writer writer;
  write_fax(writer, fax, &events, next);
  return writer.text();
}

std::string document_json(const store::Document& document) {
  json::Writer writer;
  const char* state = document.state == store::DocumentState::queued ? "queued" : document.state == store::DocumentState::ready ? "ready" : "refused";
  writer.begin_object().member("id", document.id).member("state", state).member("pages", document.pages);
  writer.key("warnings").begin_array();
  if (!document.warning.empty()) writer.value(document.warning);
  writer.end_array();
  write_cause(writer.key("cause"), document.cause_code, "");
  writer.end_object();
  return writer.text();
}

}  // namespace app
