#include "notice/words.h"

#include <algorithm>
#include <cctype>

#include "core/clock.h"
#include "fax/cause.h"
#include "json/writer.h"
#include "text/date.h"

namespace notice {

namespace {

constexpr std::string_view kPracticeLine = "PRACTICE LINE: the provider is the built-in sandbox; nothing goes over a telephone line.\n\n";

bool is_practice(const Options& options, const store::Notice& notice) { return options.practice || notice.provider == "sandbox"; }
bool is_inbound(const store::Notice& notice) { return notice.direction == "inbound"; }
bool is_of_a_fax(const store::Notice& notice) { return !notice.direction.empty(); }
bool is_arrival(const store::Notice& notice) { return notice.event == "received" || notice.event == "another_document"; }

std::string sender(const store::Notice& notice) { return notice.from.empty() ? "a withheld number" : notice.from; }

std::string pages_in_words(std::int64_t pages) { return std::to_string(pages) + (pages == 1 ? " page" : " pages"); }

// ", 3 pages", or nothing.
std::string with_pages(const std::optional<std::int64_t>& pages) { return pages ? ", " + pages_in_words(*pages) : std::string(); }

std::string inbound_subject(const store::Notice& notice) {
  if (notice.event == "received") return "Fax from " + sender(notice) + " has come in" + with_pages(notice.pages);
  if (notice.event == "another_document") return "Another document of the fax from " + sender(notice) + " has come in";
  return "A fax from " + sender(notice) + " did not arrive";
}

std::string outbound_subject(const store::Notice& notice) {
  const std::string fax = "Fax to " + notice.to;
  if (notice.event == "delivered") return fax + " delivered" + with_pages(notice.pages_done ? notice.pages_done : notice.pages);
  if (notice.event == "partly_delivered" && notice.pages && notice.pages_done) return fax + " delivered in part: " + std::to_string(*notice.pages_done) + " of " + pages_in_words(*notice.pages);
  if (notice.event == "partly_delivered") return fax + " delivered in part";
  if (notice.event == "canceled") return fax + " canceled";
  if (notice.event == "unresolved") return "Nobody can say whether the fax to " + notice.to + " arrived";
  return fax + " not delivered";
}

std::string line_subject(const store::Notice& notice) {
  if (notice.event == "account_held") return "Faxes are waiting: the provider refuses this line's account or token";
  if (notice.event == "certificate_ends") return notice.cause_code == "certificate_ended" ? "The certificate of the fax line has ended" : "The certificate of the fax line ends soon";
  if (notice.event == "webhooks_refused") return "A fax may be lost: a message of the provider was refused";
  return "This is a test";
}

std::string bare_subject(const store::Notice& notice) {
  if (!is_of_a_fax(notice)) return line_subject(notice);
  if (is_arrival(notice)) return "A fax has come in";
  return is_inbound(notice) ? "A fax that was coming in has ended" : "A fax that was sent has ended";
}

std::string first_sentence(const store::Notice& notice) {
  if (notice.event == "received") return "A fax has come in. It is in the mailbox, too.";
  if (notice.event == "another_document") return "Another document came for a fax that you have already got; both are kept.";
  if (notice.event == "account_held") return "The provider refuses this line's account or token, so no fax can be sent. Faxes that you send wait; nothing is lost. This notice is not repeated while it lasts.";
  if (notice.event == "certificate_ends") return "The certificate that this line shows was not renewed. Providers refuse one that has ended, and then no fax goes out or comes in. This notice is not repeated for this certificate.";
  if (notice.event == "webhooks_refused") return "The provider told of a fax, but its message was refused, so the fax may be lost. This notice is not repeated until a fax is announced as it should.";
  if (is_inbound(notice)) return "Somebody tried to send a fax, but it did not arrive.";
  if (notice.event == "delivered") return "The fax was delivered.";
  if (notice.event == "partly_delivered") return "Only a part of the fax was delivered.";
  if (notice.event == "canceled") return "The fax was canceled.";
  if (notice.event == "unresolved") return "The fax was handed to the provider, and nobody can say whether it arrived. Ask the recipient, then say on the page how it ended.";
  if (notice.event == "failed") return "The fax was not delivered.";
  return "Notices of this fax line come by this way. Nothing has happened.";
}

std::string correction(const store::Notice& notice) {
  if (notice.before.empty()) return {};
  std::string before = notice.before;
  std::replace(before.begin(), before.end(), '_', ' ');
  return "This corrects what was said before (" + before + ").\n\n";
}

std::string row(std::string_view name, const std::string& value) {
  std::string text(name);
  text += ':';
  text.resize(10, ' ');
  return text + value + "\n";
}

std::string rows(const store::Notice& notice) {
  std::string text;
  if (is_of_a_fax(notice)) {
    if (is_inbound(notice)) text += row("From", sender(notice));
    text += row("To", notice.to);
    if (!notice.owner.empty()) text += row("Sent by", notice.owner);
    if (notice.pages) text += row("Pages", std::to_string(*notice.pages));
    if (notice.attempt > 1) text += row("Attempts", std::to_string(notice.attempt));
    text += row(is_inbound(notice) ? "Came" : "Sent", text::local_words(notice.created));
  }
  return text + row(is_of_a_fax(notice) ? "Ended" : "When", text::local_words(notice.at));
}

std::string reason(const store::Notice& notice) {
  if (notice.cause_code.empty()) return {};
  const auto cause = fax::find_cause(notice.cause_code);
  return row("Why", std::string(cause.text) + (notice.cause_text.empty() ? "" : " (" + notice.cause_text + ")")) + "\n" + std::string(cause.advice) + "\n";
}

std::string type_of(const Options& options, const store::Notice& notice) {
  if (!is_of_a_fax(notice)) return "line." + notice.event;
  if (options.content == Content::none) return is_arrival(notice) ? "fax.came" : "fax.ended";
  return "fax." + notice.event;
}

void write_cause(json::Writer& writer, const store::Notice& notice) {
  if (notice.cause_code.empty()) {
    writer.value(nullptr);
    return;
  }
  const auto cause = fax::find_cause(notice.cause_code);
  writer.begin_object().member("code", cause.code).member("text", std::string(cause.text) + (notice.cause_text.empty() ? "" : " (" + notice.cause_text + ")")).member("advice", cause.advice).end_object();
}

std::optional<std::string> or_null(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

void write_document(json::Writer& writer, const store::Notice& notice, const std::optional<Paper>& paper) {
  writer.key("document");
  if (!paper) {
    writer.value(nullptr);
    return;
  }
  writer.begin_object().member("file_name", file_name_of(notice)).member("media_type", "application/pdf").member("bytes", paper->bytes);
  if (!paper->base64.empty()) writer.member("base64", paper->base64);
  if (paper->file_descriptor) writer.member("file_descriptor", *paper->file_descriptor);
  writer.end_object();
}

}  // namespace

std::string link_of(const Options& options, const store::Notice& notice) {
  if (options.content == Content::none || notice.fax_id.empty() || options.page_url.empty()) return {};
  return options.page_url + "/#/fax/" + notice.fax_id;
}

std::string file_name_of(const store::Notice& notice) {
  std::string digits;
  for (const char c : is_inbound(notice) ? notice.from : notice.to)
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '+') digits += c;
  std::string when = core::rfc3339(notice.created).substr(0, 16);
  std::replace(when.begin(), when.end(), 'T', '-');
  when.erase(std::remove(when.begin(), when.end(), ':'), when.end());
  return "fax-" + (digits.empty() ? "withheld" : digits) + "-" + when + ".pdf";
}

Words words_of(const Options& options, const store::Notice& notice) {
  const bool practice = is_practice(options, notice);
  Words words{practice ? "PRACTICE LINE: " : "", std::string(practice ? kPracticeLine : "")};
  if (options.content == Content::none) {
    words.subject += bare_subject(notice);
    words.text += bare_subject(notice) + ".\n\n" + (is_of_a_fax(notice) ? "The page of the fax line says more.\n" : reason(notice));
    return words;
  }
  if (!notice.before.empty()) words.subject += "Correction: ";
  words.subject += !is_of_a_fax(notice) ? line_subject(notice) : is_inbound(notice) ? inbound_subject(notice) : outbound_subject(notice);
  words.text += first_sentence(notice) + "\n\n" + correction(notice) + rows(notice) + reason(notice);
  if (const auto link = link_of(options, notice); !link.empty()) words.text += "\n" + link + "\n";
  return words;
}

std::string json_of(const Options& options, const store::Notice& notice, const std::optional<Paper>& paper) {
  const auto words = words_of(options, notice);
  json::Writer writer;
  writer.begin_object().member("type", type_of(options, notice)).member("timestamp", core::rfc3339(notice.at)).key("data").begin_object();
  writer.member("id", notice.id);
  if (options.content != Content::none) {
    const bool is_fax = is_of_a_fax(notice);
    writer.member("fax", or_null(notice.fax_id)).member("direction", or_null(notice.direction));
    writer.member("status", is_fax ? std::optional(notice.event == "another_document" ? std::string("received") : notice.event) : std::nullopt).member("corrects", or_null(notice.before));
    writer.member("from", or_null(notice.from)).member("to", or_null(notice.to)).member("sent_by", or_null(notice.owner)).member("pages", notice.pages).member("pages_done", notice.pages_done);
    writer.key("cause");
    write_cause(writer, notice);
    writer.member("provider_id", or_null(notice.provider_id)).member("created", is_fax ? std::optional(core::rfc3339(notice.created)) : std::nullopt).member("link", or_null(link_of(options, notice)));
    write_document(writer, notice, paper);
  }
  writer.member("practice", is_practice(options, notice)).member("subject", words.subject).member("text", words.text);
  return writer.end_object().end_object().text();
}

}  // namespace notice
