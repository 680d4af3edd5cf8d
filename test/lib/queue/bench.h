// The queue on a bench: the real book, spool and Maildir in a folder of its own, a clock that
// stands, and the provider of provider.h.
#pragma once

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "../../support/databases.h"
#include "core/id.h"
#include "core/log.h"
#include "crypto/random.h"
#include "maildir/name.h"
#include "provider.h"
#include "notice/outbox.h"
#include "queue/context.h"
#include "queue/inbound.h"
#include "queue/outbound.h"
#include "queue/purge.h"
#include "queue/reconcile.h"
#include "queue/runner.h"

namespace bench {

using namespace std::chrono_literals;
using fax::ProviderStatus;
using fax::Status;
using Kind = fax::SubmitOutcome::Kind;

inline std::string content(int fd) {
  std::string text(4096, '\0');
  const auto count = ::pread(fd, text.data(), text.size(), 0);
  text.resize(count > 0 ? std::size_t(count) : 0);
  return text;
}

// As document::examine_pdf() answers: "%PDF 2" has two pages, "locked" a password, all else is no PDF.
inline core::Result<document::Pdf> examine(int fd) {
  const auto text = content(fd);
  if (text.starts_with("%PDF ")) return document::Pdf{text[5] - '0', ""};
  if (text == "locked") return core::Error{core::Code::invalid, "encrypted", "It has a password.", "document_encrypted"};
  if (text == "damaged") return core::Error{core::Code::invalid, "damaged", "It is damaged.", "document_damaged"};
  return core::Error{core::Code::invalid, "no PDF", "It is no PDF.", "document_unsupported"};
}

struct Bench {
  Bench() {
    Power::the().restore();
    // In memory where there is such a folder: hundreds of lines are killed, and each fsync would be waited for.
    folder = std::filesystem::exists("/dev/shm") ? "/dev/shm/queue-test-XXXXXX" : "/tmp/queue-test-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    spool.emplace(spool::Spool::create(folder, std::int64_t{0}).value());
    mailbox.emplace(maildir::Maildir::create(folder + "/mail").value());
    place.emplace(folder + "/faxline.db");
    start();
    options.own_number = "+15005550006";
    options.provider = "twilio";
    options.public_url = "https://fax.example.org";
    options.hostname = "fax.example.org";
    provider.now = clock.now();
  }
  ~Bench() {
    Power::the().restore();
    std::filesystem::remove_all(folder);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // As after a crash: everything is opened anew.
  void start() {
    const auto database = sql::Database::open(place->url()).value();
    faxes.emplace(store::Faxes::open(database).value());
    watch.emplace(database);
  }

  queue::Context context() {
    return {options, other_clock ? *other_clock : clock, *faxes, *spool, provider,
            [this](int fd) -> core::Result<document::Pdf> {
              if (!Power::the().step() || box_is_away) return core::Error{core::Code::unavailable, "no box"};
              return examine(fd);
            },
            [this](const std::vector<int>& fds, int output) -> core::Result<void> {
              if (!Power::the().step()) return core::Error{core::Code::unavailable, "no box"};
              if (join_error) return *join_error;
              std::string whole;
              for (const int fd : fds) whole += content(fd);
              return core::write_all(output, std::as_bytes(std::span(whole)), "joined");
            },
            [this](const std::string& name, int fd) -> core::Result<maildir::Delivery> {
              if (!Power::the().step() || mailbox_is_away) return core::Error{core::Code::unavailable, "no mailbox", "The mailbox cannot be reached."};
              // As faxline-deliver does: opened anew for each message.
              CORE_TRY(opened, maildir::Maildir::open(folder + "/mail"));
              auto how = opened.deliver(name, fd);
              if (on_deliver) on_deliver();
              if (!Power::the().step()) return core::Error{core::Code::unknown_outcome, "no answer"};
              return how;
            },
            [](core::Time now, int fd) { return maildir::new_name(now, fd); },
            nullptr, {}, watched ? &*watch : nullptr,
            [this]() -> core::Result<void> {
              CORE_TRY(opened, maildir::Maildir::open(folder + "/mail"));
              return opened.check();
            }};
  }

  // --- the web programs ---
  std::string upload(const std::string& bytes = "%PDF 2", const std::string& name = "letter.pdf") {
    store::Document document;
    document.id = core::new_id(clock.now());
    document.owner = "anna";
    document.file_name = name;
    document.created = clock.now();
    auto incoming = spool->begin(spool::Use::upload).value();
    REQUIRE(incoming.write(std::as_bytes(std::span(bytes))));
    const auto committed = incoming.commit(document.id).value();
    document.sha256 = committed.sha256;
    document.bytes = committed.bytes;
    REQUIRE(faxes->add_document(document));
    return document.id;
  }
  std::string send(std::vector<std::string> documents, const std::string& to = "+12125551212") {
    return faxes->create({"anna", options.own_number, to, options.provider, std::move(documents), "", "", "", options.lifetime}, clock.now()).value().fax.id;
  }
  std::string send() { return send({upload()}); }
  std::string send_to(const std::string& to) { return send({upload()}, to); }
  void cancel(const std::string& id) { REQUIRE(faxes->request_cancel(id, clock.now())); }
  // The provider asks for the document. False: 404.
  bool get(const std::string& media_url) {
    const auto attempt = faxes->attempt_of_media_token(crypto::token_hash(media_url.substr(media_url.rfind('/') + 1)));
    return attempt && faxes->hand_out(attempt->id, clock.now()).value_or(false) && std::filesystem::exists(folder + "/handout/" + attempt->id);
  }
  // The provider calls back. False: another FaxSid than ours.
  bool call_back(const std::string& callback_url, const std::string& sid, const std::string& code = "", const std::string& message = "") {
    const auto attempt = faxes->attempt_of_callback_token(crypto::token_hash(callback_url.substr(callback_url.rfind('/') + 1))).value();
    return faxes->note_callback(attempt.id, sid, code, message, clock.now()).value();
  }
  store::Faxes::StoredFax receive(const std::string& sid, const std::string& url, std::optional<std::int64_t> pages = {}) {
    store::Reception it;
    it.fax_sid = sid, it.from = "+12125550100", it.to = options.own_number, it.provider = options.provider;
    it.media_url = url, it.pages_announced = pages, it.lifetime = options.lifetime;
    if (url.empty()) it.cause_code = "reception_failed", it.cause_text = "12345";
    return faxes->receive(it, clock.now()).value();
  }

  // --- the queue ---
  // Each due fax a step, until none is due at this moment.
  void run() {
    const auto here = context();
    for (int i = 0; i < 200 && !Power::the().off(); ++i) {
      const auto done = queue::run_one(here, "worker");
      if (done && !*done) return tell();
    }
    CHECK_MESSAGE(Power::the().off(), "the queue does not come to rest");
  }
  // The notices that are due, into the Maildir.
  void tell() {
    const auto here = context();
    auto notices = faxes->notices();
    const notice::Ways ways{told, here.clock, client, [this](const std::string& id) { return spool->open(id); }, here.deliver, here.new_mail_name,
                            [&](const store::Errand& errand, const std::string& name) { return notices.record_mail_name(errand, name); }};
    notice::Outbox outbox(ways, notices, "teller");
    (void)outbox.share_out();
    for (int i = 0; i < 200 && !Power::the().off(); ++i) {
      const auto step = outbox.run_one("maildir");
      if (!step || *step == notice::Outbox::Step::nothing_due) return;
    }
  }
  void pass(core::Milliseconds time) {
    clock.advance(time);
    provider.now = clock.now();
    run();
  }
  // From one due time to the next, until nothing is due any more, or for that long.
  void run_for(core::Milliseconds longest) {
    const auto end = clock.now() + longest;
    bool waited = false;
    run();
    while (!Power::the().off() && clock.now() < end) {
      const auto next = faxes->next_due();
      const bool there_is = next && *next;
      if (!there_is && waited) return;
      waited = !there_is;
      // A lease that nobody released ends by its time.
      const auto wait = there_is ? std::max<core::Milliseconds>(**next - clock.now(), 1ms) : core::Milliseconds(6min);
      pass(std::min<core::Milliseconds>(wait, end - clock.now()));
    }
  }

  // --- what a person sees ---
  store::Fax fax(const std::string& id) { return faxes->fax(id).value(); }
  Status status(const std::string& id) { return fax(id).status; }
  std::string cause(const std::string& id) { return fax(id).cause_code; }
  std::string story(const std::string& id) {
    std::string text;
    const auto events = faxes->events(id).value();
    for (const auto& event : events) text += event.what + "; ";
    return text;
  }
  std::string last_why(const std::string& id) { return faxes->events(id).value().back().why; }
  std::vector<std::string> mails() {
    std::vector<std::string> texts;
    const auto entries = mailbox->list().value();
    for (const auto& entry : entries) {
      std::ifstream file(entry.path);
      texts.push_back((std::stringstream() << file.rdbuf()).str());
    }
    return texts;
  }
  std::size_t copies() { return spool->handed_out()->size(); }

  std::string folder;
  std::optional<databases::Place> place;
  core::FixedClock clock{core::from_ms(1'800'000'000'000)};
  const core::Clock* other_clock = nullptr;
  queue::Options options;
  std::optional<store::Faxes> faxes;
  notice::Options told;
  http::Client client{{}};
  std::optional<store::Watch> watch;
  std::optional<spool::Spool> spool;
  std::optional<maildir::Maildir> mailbox;
  Provider provider;
  bool box_is_away = false;
  bool mailbox_is_away = false;
  bool watched = false;  // its writes would be steps that a kill can hit
  std::optional<core::Error> join_error;
  std::function<void()> on_deliver;
};

}  // namespace bench
