#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "core/fd.h"
#include "core/id.h"
#include "fax/cause.h"
#include "fax/target.h"
#include "json/writer.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "store/story.h"
#include "text/words.h"
#include "wake/wake.h"

namespace command {

namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr int kPollMilliseconds = 500;

core::Time now() { return core::SystemClock().now(); }

core::Result<store::Faxes> open(const config::Settings& settings) {
  CORE_CHECK(become_owner_of(settings.state_folder("db")));
  CORE_TRY(database, sql::Database::open(settings.database_url()));
  return store::Faxes::open(database);
}

std::vector<std::string> always_legal(const config::Settings& settings) {
  std::vector<std::string> numbers{settings.fax_number()};
  if (settings.practice())
    for (int i = 1; i <= 5; ++i) numbers.push_back("+1500555000" + std::to_string(i));
  return numbers;
}

core::Result<core::UniqueFd> open_document(const std::string& path, std::int64_t limit_bytes) {
  auto file = core::open_file(path, O_RDONLY);
  if (!file) return core::Error{core::Code::invalid, file.error().text, "The file " + path + " cannot be read: " + file.error().text};
  struct stat about{};
  std::array<char, 1024> head{};
  const ssize_t count = ::pread(file->get(), head.data(), head.size(), 0);
  if (::fstat(file->get(), &about) != 0 || !S_ISREG(about.st_mode) || count <= 0) return core::Error{core::Code::invalid, path, "The file " + path + " is empty, or no file."};
  if (about.st_size > limit_bytes) return core::Error{core::Code::too_large, path, "The file " + path + " is too large: this line takes up to " + std::to_string(limit_bytes / (1024 * 1024)) + " MB."};
  if (std::string_view(head.data(), static_cast<std::size_t>(count)).find("%PDF-") == std::string_view::npos)
    return core::Error{core::Code::unsupported, path, "The file " + path + " is not a PDF. Save or print it as a PDF and send that."};
  return std::move(*file);
}

core::Result<store::Document> store_document(const config::Settings& settings, store::Faxes& faxes, int file, const std::string& path) {
  CORE_TRY(spool, spool::Spool::existing(settings.text("STATE_DIR"), settings.receive_reserve()));
  struct stat about{};
  if (::fstat(file, &about) != 0) return core::errno_error("fstat", path, errno);
  CORE_TRY(incoming, spool.begin(spool::Use::upload, about.st_size));
  std::vector<std::byte> block(kBlockBytes);
  for (;;) {
    CORE_TRY(count, core::read_some(file, block, path));
    if (count == 0) break;
    CORE_CHECK(incoming.write(std::span<const std::byte>(block).first(count)));
  }
  store::Document document;
  document.id = core::new_id(now());
  document.owner = "faxline";
  document.file_name = path.substr(path.rfind('/') + 1);
  document.created = now();
  CORE_TRY(committed, incoming.commit(document.id));
  document.bytes = committed.bytes;
  document.sha256 = committed.sha256;
  CORE_CHECK(faxes.add_document(document));
  return document;
}

std::string pages(const store::Fax& fax) { return fax.pages ? std::to_string(*fax.pages) : "-"; }

std::string cause(const store::Fax& fax) {
  if (fax.cause_code.empty()) return {};
  return std::string(fax::find_cause(fax.cause_code).text) + (fax.cause_text.empty() ? "" : " (" + fax.cause_text + ")");
}

void write(json::Writer& writer, const store::Fax& fax) {
  writer.begin_object().member("id", fax.id).member("direction", fax::name(fax.direction)).member("status", fax::name(fax.status)).member("final", fax::is_final(fax.status));
  writer.member("to", fax.to).member("from", fax.from.empty() ? std::nullopt : std::optional(fax.from)).member("pages", fax.pages).member("attempt", fax.attempt);
  writer.member("provider_id", fax.provider_id.empty() ? std::nullopt : std::optional(fax.provider_id)).member("created", core::rfc3339(fax.created)).member("updated", core::rfc3339(fax.updated));
  writer.member("cause", fax.cause_code.empty() ? std::nullopt : std::optional(fax.cause_code)).member("practice", fax.provider == "sandbox");
}

void write_journal(json::Writer& writer, const std::vector<store::JournalEntry>& journal) {
  const auto lines = [&](std::string_view name, const std::string& text) {
    writer.key(name).begin_array();
    for (const auto line : text::split(text, '\n'))
      if (!line.empty()) writer.value(line);
    writer.end_array();
  };
  writer.key("journal").begin_array();
  for (const auto& entry : journal) {
    writer.begin_object().member("at", core::rfc3339(entry.at)).member("route", entry.arrival.route).member("provider_id", entry.fax_sid);
    lines("headers", entry.arrival.headers);
    lines("fields", entry.arrival.fields);
    writer.member("sha256", entry.arrival.sha256).member("bytes", entry.arrival.bytes).member("decided", entry.decided).end_object();
  }
  writer.end_array();
}

void print_entry(const store::JournalEntry& entry) {
  print(core::rfc3339(entry.at) + "\tcame: " + entry.arrival.route + "\t" + entry.fax_sid + "\t" + entry.decided);
  for (const auto& text : {entry.arrival.headers, entry.arrival.fields})
    for (const auto line : text::split(text, '\n'))
      if (!line.empty()) print("\t" + std::string(line));
  print("\tSHA-256: " + (entry.arrival.sha256.empty() ? "-" : entry.arrival.sha256) + ", bytes: " + std::to_string(entry.arrival.bytes));
}

core::Result<int> follow(store::Faxes& faxes, const std::string& id) {
  for (;;) {
    CORE_TRY(fax, faxes.fax(id));
    if (fax::is_final(fax.status)) {
      print(std::string(fax::name(fax.status)) + "\t" + pages(fax) + "\t" + cause(fax));
      if (fax.status == fax::Status::delivered) return 0;
      return fax.cause_code.compare(0, 9, "document_") == 0 ? 65 : 69;
    }
    ::poll(nullptr, 0, kPollMilliseconds);
  }
}

}  // namespace

core::Result<int> send(const config::Settings& settings, const Words& words) {
  CORE_TRY(number, fax::parse_target(words.words[1], settings.text("DEFAULT_COUNTRY"), always_legal(settings), settings.sip_hosts()));
  CORE_TRY(file, open_document(words.words[0], settings.integer("MAX_FAX_BYTES")));
  CORE_TRY(faxes, open(settings));
  CORE_TRY(document, store_document(settings, faxes, file.get(), words.words[0]));
  store::NewFax wanted{"faxline", settings.fax_number(), number.e164, settings.text("FAX_PROVIDER"), {document.id}, "", "", "", settings.duration("FAX_DEADLINE")};
  CORE_TRY(created, faxes.create(wanted, now()));
  wake::Sender(settings.socket("wake.sock")).send();
  say("To " + number.text + (number.country.empty() ? "" : ", " + number.country) + ".");
  print(created.fax.id);
  return words.wait ? follow(faxes, created.fax.id) : core::Result<int>(0);
}

core::Result<int> list(const config::Settings& settings, const Words& words) {
  store::ListQuery query;
  if (!words.direction.empty()) {
    query.direction = fax::parse_direction(words.direction);
    if (!query.direction) {
      say("faxline list: --direction is inbound or outbound.");
      return 64;
    }
  }
  CORE_TRY(faxes, open(settings));
  CORE_TRY(found, faxes.list(query));
  json::Writer writer;
  writer.begin_array();
  for (const auto& fax : found) {
    const auto& other = fax.direction == fax::Direction::inbound ? fax.from : fax.to;
    if (!words.json)
      print(fax.id + "\t" + std::string(fax::name(fax.direction)) + "\t" + (other.empty() ? "withheld" : other) + "\t" + std::string(fax::name(fax.status)) + "\t" + pages(fax) + "\t" + core::rfc3339(fax.created));
    write(writer, fax);
    writer.end_object();
  }
  writer.end_array();
  if (words.json) print(writer.text());
  return 0;
}

core::Result<int> show(const config::Settings& settings, const Words& words) {
  CORE_TRY(faxes, open(settings));
  CORE_TRY(fax, faxes.fax(words.words[0]));
  CORE_TRY(events, store::read_story(faxes, fax));
  std::vector<store::JournalEntry> journal;
  if (words.journal) {
    CORE_TRY(entries, faxes.journal(fax.id));
    journal = std::move(entries);
  }
  if (words.json) {
    json::Writer writer;
    write(writer, fax);
    writer.key("events").begin_array();
    for (const auto& event : events) writer.begin_object().member("at", core::rfc3339(event.at)).member("what", event.what).member("why", event.why).end_object();
    writer.end_array().key("next");
    if (const auto next = store::next_of(fax)) writer.begin_object().member("text", next->text).member("at", next->at ? std::optional(core::rfc3339(*next->at)) : std::nullopt).end_object();
    else writer.value(nullptr);
    if (words.journal) write_journal(writer, journal);
    writer.end_object();
    print(writer.text());
    return 0;
  }
  print("id\t" + fax.id);
  print("direction\t" + std::string(fax::name(fax.direction)));
  print("from\t" + (fax.from.empty() ? std::string("withheld") : fax.from));
  print("to\t" + fax.to);
  print("status\t" + std::string(fax::name(fax.status)));
  print("pages\t" + pages(fax));
  print("attempt\t" + std::to_string(fax.attempt));
  print("provider_id\t" + (fax.provider_id.empty() ? std::string("-") : fax.provider_id));
  if (!fax.cause_code.empty()) print("cause\t" + fax.cause_code + "\t" + cause(fax));
  for (const auto& event : events) print(core::rfc3339(event.at) + "\t" + event.what + (event.why.empty() ? "" : "\t" + event.why));
  for (const auto& entry : journal) print_entry(entry);
  if (const auto next = store::next_of(fax)) print("next\t" + next->text + (next->at ? "\t" + core::rfc3339(*next->at) : ""));
  return 0;
}

}  // namespace command
