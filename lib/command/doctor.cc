// `faxline doctor`: goes through what the line needs, one line each, with the cure. It reads, and asks; it mends nothing.
#include <algorithm>
#include <filesystem>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "command/ask_programs.h"
#include "command/command.h"
#include "core/clock.h"
#include "fax/cause.h"
#include "crypto/certificate.h"
#include "http/client.h"
#include "http/served.h"
#include "json/writer.h"
#include "maildir/remote.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/watch.h"
#include "twilio/account.h"
#include "twilio/provider.h"
#include "wake/wake.h"

namespace command {

namespace {

using namespace std::chrono_literals;

constexpr int kWrong = 1;
constexpr int kNotReachable = 69;
constexpr auto kPatience = 4s;
constexpr auto kSilence = 2min;
constexpr auto kLongWithoutComparison = 10min;

enum class Grade { ok, warning, wrong };

struct Finding {
  std::string what;
  Grade grade;
  std::string text;
};

std::string_view word(Grade grade) { return grade == Grade::ok ? "ok" : grade == Grade::warning ? "warning" : "wrong"; }
std::string words_of(const core::Error& error) { return error.hint.empty() ? error.text : error.hint; }
std::string count_of(std::int64_t count, const std::string& what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

class Doctor {
 public:
  explicit Doctor(const config::Settings& settings) : settings_(settings), now_(core::SystemClock().now()) {}

  void look() {
    for (const auto& warning : config::warnings(settings_)) add("settings", Grade::warning, std::string(warning.sentence));
    if (findings_.empty()) add("settings", Grade::ok, "The settings are right.");
    look_at_clock();
    look_at_programs();  // while this is still root: their sockets are nginx's
    const bool is_ours = look_at_folders();
    if (is_ours) look_at_book();
    else add("database", Grade::wrong, "It was not looked at, for the reason that is given above for " + settings_.state_folder("db") + ".");
    look_at_mailbox();
    look_at_certificates();
    look_at_provider();
  }

  int report(bool as_json) const {
    bool wrong = false;
    json::Writer writer;
    writer.begin_array();
    for (const auto& it : findings_) {
      wrong |= it.grade == Grade::wrong;
      if (as_json) writer.begin_object().member("what", it.what).member("grade", word(it.grade)).member("text", it.text).end_object();
      else print(std::string(word(it.grade)) + "\t" + it.what + "\t" + it.text);
    }
    writer.end_array();
    if (as_json) print(writer.text());
    if (is_down_) return kNotReachable;
    return wrong ? kWrong : 0;
  }

 private:
  void add(std::string what, Grade grade, std::string text) { findings_.push_back({std::move(what), grade, std::move(text)}); }

  void look_at_clock() {
    timex about{};
    const int state = ::adjtimex(&about);
    if (state == TIME_ERROR || (static_cast<unsigned>(about.status) & STA_UNSYNC) != 0U)
      add("clock", Grade::warning, "Nothing keeps this machine's clock right. Install and start systemd-timesyncd or chrony; signatures and deadlines need the time.");
    else add("clock", Grade::ok, "The clock is kept right.");
  }

  // False: the book's folder is closed to this user.
  bool look_at_folders() {
    bool open = true;
    for (const auto* name : {"db", "spool", "handout"}) {
      const auto path = settings_.state_folder(name);
      struct stat about{};
      if (::stat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) {
        add("folders", Grade::wrong, "The folder " + path + " is not there. Check STATE_DIR, and whether its disk is mounted.");
        open = open && std::string_view(name) != "db";
      } else if ((about.st_mode & S_IWOTH) != 0) {
        add("folders", Grade::wrong, "Everybody on this machine may write into " + path + ". Do `chmod o-rwx " + path + "`.");
      } else if (std::string_view(name) == "db") {
        const auto became = become_owner_of(path);
        if (!became) add("folders", Grade::wrong, words_of(became.error())), open = false;
        else add("folders", Grade::ok, path + " is there, and can be written.");
      } else {
        add("folders", ::access(path.c_str(), W_OK | X_OK) == 0 ? Grade::ok : Grade::wrong,
            ::access(path.c_str(), W_OK | X_OK) == 0 ? path + " is there, and can be written." : "The queue cannot write into " + path + ": check owner, mode, and whether its disk is read-only.");
      }
    }
    look_at_space();
    return open;
  }

  void look_at_space() {
    const auto space = spool::space_of(settings_.state_folder("spool"), settings_.receive_reserve());
    if (!space) return add("space", Grade::wrong, "How much is free cannot be told: " + space.error().text + ".");
    const auto text = spool::megabytes(space->free_bytes) + " are free on the disk of " + settings_.text("STATE_DIR") + ".";
    if (!space->allows(spool::Use::receive)) add("space", Grade::wrong, text + " Faxes that come in are put off below " + spool::megabytes(space->receive_level) + ". Make room; nothing is deleted by itself.");
    else if (!space->allows(spool::Use::upload)) add("space", Grade::wrong, text + " Uploads are refused below " + spool::megabytes(space->upload_level) + ", which are kept for faxes that come in. Make room, or set RECEIVE_RESERVE_BYTES.");
    else if (!space->allows(spool::Use::upload, space->upload_level)) add("space", Grade::warning, text + " Uploads are refused below " + spool::megabytes(space->upload_level) + ".");
    else add("space", Grade::ok, text);
  }

  void look_at_book() {
    auto database = sql::Database::open(settings_.database_url());
    if (!database) return add("database", Grade::wrong, words_of(database.error()));
    auto book = store::Faxes::open(*database);
    if (!book) return add("database", Grade::wrong, words_of(book.error()));
    store::Watch watch(*database);
    if (const auto writable = watch.check_writable(); !writable) return add("database", Grade::wrong, "It cannot be written: " + words_of(writable.error()));
    const auto read = read_book(*book, watch);
    if (!read) add("database", Grade::wrong, words_of(read.error()));
    else add("database", Grade::ok, "It opens, and can be written.");
  }

  core::Result<void> read_book(store::Faxes& book, store::Watch& watch) {
    CORE_TRY(beat, watch.last_beat(store::Watch::kQueue));
    CORE_TRY(compared, watch.last_beat(store::Watch::kReconciled));
    CORE_TRY(troubles, watch.troubles());
    CORE_TRY(numbers, watch.numbers(now_));
    CORE_TRY(hold, book.hold());
    CORE_TRY(refusals, book.refusals());
    const bool alive = beat && now_ - *beat <= kSilence;
    if (alive) add("queue", Grade::ok, "Its last sign of life was on " + core::rfc3339(*beat) + ".");
    else add("queue", Grade::wrong, beat ? "It has given no sign of life since " + core::rfc3339(*beat) + ". Start faxline-queue again; the log says why it ended." : std::string("It has never run here. Start faxline-queue."));
    if (numbers.overdue > 0) add("faxes", Grade::wrong, count_of(numbers.overdue, "fax") + " should have been looked at a minute ago or more. Is faxline-queue running, and is the database not locked?");
    else add("faxes", Grade::ok, "None waits longer than it should.");
    for (const auto& trouble : troubles) {
      // Mailbox and certificates are looked at, too: their trouble is said there, once.
      if (trouble.kind == "mailbox") mailbox_trouble_since_ = trouble.since;
      else if (trouble.kind != "certificate") add(trouble.kind, Grade::wrong, trouble.text + " It is so since " + core::rfc3339(trouble.since) + ".");
    }
    if (numbers.mails_waiting > 0) add("mails", Grade::warning, count_of(numbers.mails_waiting, "mail") + " still to be put into the mailbox; they are tried again by themselves.");
    else add("mails", Grade::ok, "None waits for the mailbox.");
    if (hold) {
      const auto cause = fax::find_cause(hold->kind == "unauthorized" ? "wrong_credentials" : "rate_limited");
      add("account", hold->kind == "unauthorized" ? Grade::wrong : Grade::warning, std::string(cause.text) + " " + std::string(cause.advice));
    } else {
      add("account", Grade::ok, "The provider takes our calls.");
    }
    for (const auto& refusal : refusals) {
      const auto cause = fax::find_cause(refusal.cause);
      add("messages", Grade::wrong, count_of(refusal.count, "message") + " of the provider refused, the last on " + core::rfc3339(refusal.last) + ": a fax may be lost. " + std::string(cause.text) + " " + std::string(cause.advice));
    }
    if (refusals.empty()) add("messages", Grade::ok, "None of the provider was refused.");
    const auto interval = std::chrono::seconds(settings_.integer("RECONCILE_SECONDS"));
    if (compared && now_ - *compared <= 2 * interval + kLongWithoutComparison) add("reconcile", Grade::ok, "The book was compared with the provider's list on " + core::rfc3339(*compared) + ".");
    else add("reconcile", Grade::warning, (compared ? "The book was last compared with the provider's list on " + core::rfc3339(*compared) : std::string("The book has not been compared with the provider's list yet")) + ". `faxline reconcile` says what is in the way.");
    return {};
  }

  void look_at_programs() {
    std::vector<std::string> sockets;
    for (const auto* name : {"session", "send", "status", "inbox", "inbound", "media"}) sockets.push_back(settings_.socket(std::string(name) + ".sock"));
    const auto found = ask_programs(sockets, kPatience);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] == Answers::yes) continue;
      const auto name = std::filesystem::path(sockets[i]).stem().string();
      if (found[i] == Answers::away) add("programs", Grade::wrong, name + " cannot start, and is tried again by itself. What else is wrong here may be the reason; the log says it.");
      else add("programs", Grade::wrong, name + " does not answer at " + sockets[i] + ". It is started again by itself, if systemd or `make run` started it; the log says why it ended.");
    }
    const auto count = [&](Answers kind) { return static_cast<std::size_t>(std::count(found.begin(), found.end(), kind)); };
    if (count(Answers::yes) == found.size()) add("programs", Grade::ok, "All six that nginx asks answer.");
    const bool woken = wake::Sender(settings_.socket("wake.sock")).is_heard();
    if (woken) add("wake", Grade::ok, "The queue can be told of work.");
    else add("wake", Grade::warning, "The queue's socket " + settings_.socket("wake.sock") + " is not there: work is found within 5 s at best, or the queue is down.");
    is_down_ = count(Answers::yes) + count(Answers::away) == 0 && !woken;
    if (is_down_) add("line", Grade::wrong, "The line is down: nothing of it answers. Start it; what is said here of the book and the disk holds all the same.");
  }

  void look_at_mailbox() {
    const auto works = maildir::Remote(settings_.socket("deliver.sock")).check();
    if (works && mailbox_trouble_since_) return add("mailbox", Grade::warning, settings_.text("MAILDIR_ROOT_DIR") + " takes mail again, after trouble since " + core::rfc3339(*mailbox_trouble_since_) + ". What waited follows within minutes.");
    if (works) return add("mailbox", Grade::ok, settings_.text("MAILDIR_ROOT_DIR") + " takes mail.");
    add("mailbox", Grade::wrong, words_of(works.error()) + (mailbox_trouble_since_ ? " It is so since " + core::rfc3339(*mailbox_trouble_since_) + "." : ""));
  }

  // What the listeners show. A trouble of it that the queue has noted says what to do.
  void look_at_certificates() {
    for (const auto& [listener, address] : settings_.listeners()) {
      const auto name = settings_.is_set("PUBLIC_HOSTNAME") ? settings_.text("PUBLIC_HOSTNAME") : std::string("localhost");
      const auto pem = http::served_certificate(address, name);
      const auto it = pem ? crypto::read_certificate(*pem, name) : core::Result<crypto::Certificate>(pem.error());
      const auto where = "What " + listener + " shows at " + address;
      if (!it && listener == "pop3") add("certificate", Grade::warning, "No POP3 server answers at " + address + ": `sudo faxline mailbox add NAME` sets one up.");
      else if (!it) add("certificate", Grade::wrong, "There is no TLS at " + address + " (" + listener + "): is nginx running?");
      else if (it->not_after <= now_) add("certificate", Grade::wrong, where + " has ended on " + core::rfc3339(it->not_after) + ". `sudo certbot renew` says why it was not renewed.");
      else if (it->self_signed) add("certificate", settings_.practice() ? Grade::warning : Grade::wrong, where + " was made by this machine for itself; a provider refuses it. `sudo faxline certificate get` fetches a real one.");
      else if (!it->fits && listener == "public") add("certificate", Grade::wrong, where + " is not for " + name + ", so a provider refuses it. `sudo faxline certificate get` fetches one that is.");
      else add("certificate", Grade::ok, where + " is good until " + core::rfc3339(it->not_after) + ".");
    }
  }

  void look_at_provider() {
    http::Client client({.ca_file = settings_.provider_ca_file(), .user_agent = "faxline"});
    twilio::Provider provider(client, twilio::account_of(settings_));
    fax::ListQuery query;
    query.created_after = now_;
    const auto list = provider.list(query);
    if (list) add("provider", Grade::ok, "It answers. `faxline provider check` looks closer.");
    else add("provider", Grade::wrong, "Its list cannot be read: " + words_of(list.error()) + " `faxline provider check` says more.");
  }

  const config::Settings& settings_;
  core::Time now_;
  std::vector<Finding> findings_;
  bool is_down_ = false;
  std::optional<core::Time> mailbox_trouble_since_;
};

}  // namespace

core::Result<int> doctor(const config::Settings& settings, const Words& words) {
  Doctor doctor(settings);
  doctor.look();
  return doctor.report(words.json);
}

}  // namespace command
