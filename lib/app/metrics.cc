#include "app/health.h"


#include <algorithm>

#include "store/certificates.h"

namespace app {

namespace {

class Text {
 public:
  void about(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "faxline_" + std::string(name);
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void value(std::int64_t number, const std::string& labels = "", std::string_view suffix = "") { value(std::to_string(number), labels, suffix); }
  void value(const std::string& number, const std::string& labels = "", std::string_view suffix = "") {
    text_ += name_ + std::string(suffix) + (labels.empty() ? "" : "{" + labels + "}") + " " + number + "\n";
  }
  void gauge(std::string_view name, std::string_view help, std::int64_t number) { about(name, "gauge", help), value(number); }
  void counter(std::string_view name, std::string_view help, std::int64_t number) { about(name, "counter", help), value(number); }
  void histogram(std::string_view name, std::string_view help, const store::Histogram& histogram) {
    about(name, "histogram", help);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      sum += histogram.counts.at(i);
      value(sum, "le=\"" + (i < store::Histogram::kBounds.size() ? std::to_string(store::Histogram::kBounds.at(i)) : std::string("+Inf")) + "\"", "_bucket");
    }
    value(seconds(histogram.sum_ms), "", "_sum");
    value(sum, "", "_count");
  }
  static std::string seconds(std::int64_t ms) {
    const auto thousandths = std::to_string(1000 + ms % 1000).substr(1);
    return std::to_string(ms / 1000) + "." + thousandths;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

std::int64_t age(const core::Time& since, core::Time now) { return std::max<std::int64_t>(0, (now - since).count() / 1000); }

core::Result<void> write_faxes(Text& text, const Watched& watched, core::Time now) {
  CORE_TRY(counts, watched.faxes.counts());
  CORE_TRY(unread, watched.faxes.unread_count());
  CORE_TRY(numbers, watched.watch.numbers(now));
  text.about("faxes", "gauge", "Faxes in the book.");
  for (const auto& [direction, status, count] : counts) text.value(count, "direction=\"" + direction + "\",status=\"" + status + "\"");
  text.about("oldest_open_seconds", "gauge", "Age of the oldest fax that has not ended; 0: there is none.");
  for (const auto* direction : {"inbound", "outbound"}) {
    const auto found = numbers.oldest_open.find(direction);
    text.value(found == numbers.oldest_open.end() ? 0 : age(found->second, now), "direction=\"" + std::string(direction) + "\"");
  }
  text.gauge("unread", "Received faxes that nobody has opened.", unread);
  text.gauge("mails_waiting", "Received faxes and notices that are not in the mailbox yet.", numbers.mails_waiting);
  text.gauge("overdue_faxes", "Faxes that the queue should have looked at a minute ago.", numbers.overdue);
  text.counter("attempts_total", "Calls to the provider that were begun.", numbers.attempts);
  text.counter("retries_total", "Those of them that were not the first of their fax.", numbers.retries);
  return {};
}

core::Result<void> write_line(Text& text, const Watched& watched, core::Time now) {
  CORE_TRY(hold, watched.faxes.hold());
  CORE_TRY(refused, watched.faxes.refused_in_all());
  CORE_TRY(troubles, watched.watch.troubles());
  CORE_TRY(beat, watched.watch.last_beat(store::Watch::kQueue));
  CORE_TRY(compared, watched.watch.last_beat(store::Watch::kReconciled));
  text.gauge("held", "1 while the provider takes no calls of the account.", hold ? 1 : 0);
  text.counter("refused_webhooks_total", "Messages that named our account and number, and were refused.", refused);
  text.about("trouble", "gauge", "1 while something of the line does not work.");
  for (const auto* kind : {"mailbox", "disk", "certificate"}) {
    const bool there = std::any_of(troubles.begin(), troubles.end(), [&](const auto& trouble) { return trouble.kind == kind; });
    text.value(there ? 1 : 0, "kind=\"" + std::string(kind) + "\"");
  }
  CORE_TRY(certificates, store::served_certificates(watched.faxes, now));
  if (!certificates.empty()) {
    text.about("certificate_expires_seconds", "gauge", "Until the end of the certificate that a listener shows; negative once it has ended.");
    for (const auto& it : certificates) text.value((it.not_after - now).count() / 1000, "listener=\"" + it.listener + "\"");
  }
  // What never was has no age.
  if (beat) text.gauge("queue_silence_seconds", "Since the queue's last sign of life.", age(*beat, now));
  if (compared) text.gauge("reconciled_seconds", "Since the book was last compared with the provider's list.", age(*compared, now));
  if (const auto space = watched.spool.space()) {
    text.gauge("free_bytes", "Free on the disk of the documents.", space->free_bytes);
    text.about("reserved_bytes", "gauge", "What has to stay free for a use of the disk to be allowed.");
    text.value(space->upload_level, "use=\"upload\"");
    text.value(space->send_level, "use=\"send\"");
    text.value(space->receive_level, "use=\"receive\"");
  }
  return {};
}

}  // namespace

core::Result<std::string> metrics(const Watched& watched) {
  const auto now = watched.clock.now();
  Text text;
  CORE_CHECK(write_faxes(text, watched, now));
  CORE_CHECK(write_line(text, watched, now));
  CORE_TRY(to_mailbox, watched.watch.histogram(store::Watch::kToMailbox));
  CORE_TRY(delay, watched.watch.histogram(store::Watch::kQueueDelay));
  text.histogram("to_mailbox_seconds", "From the provider's message about a received fax to its mail.", to_mailbox);
  text.histogram("queue_delay_seconds", "From when a fax was due until the queue looked at it.", delay);
  return text.take();
}

}  // namespace app
