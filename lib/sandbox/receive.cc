// POST /sandbox/receive: somebody outside sends a fax to this line.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/log.h"
#include "form/collector.h"
#include "sandbox/pdf.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

// The document as it comes in, under a temporary name that goes with this object.
class Upload final : public form::FileHandler {
 public:
  Upload(std::string path, std::int64_t max_bytes) : path_(std::move(path)), max_bytes_(max_bytes) {}
  ~Upload() override {
    if (file_.valid()) ::unlink(path_.c_str());
  }

  bool begun() const { return file_.valid(); }
  const std::string& path() const { return path_; }

  core::Result<void> file_begin(const form::PartHeader&) override {
    if (begun()) return core::Error{.code = core::Code::bad_request, .text = "receive a document: a second one"};
    CORE_TRY(file, core::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600));
    file_ = std::move(file);
    return {};
  }
  core::Result<void> file_data(std::span<const std::byte> bytes) override {
    written_ += static_cast<std::int64_t>(bytes.size());
    if (written_ > max_bytes_) return core::Error{.code = core::Code::too_large, .text = "receive a document: too large"};
    return core::write_all(file_.get(), bytes, path_);
  }
  core::Result<void> file_end() override { return core::sync(file_.get(), path_); }

 private:
  std::string path_;
  std::int64_t max_bytes_;
  std::int64_t written_ = 0;
  core::UniqueFd file_;
};

// Gives each block of the body to `take`.
template <typename Take>
core::Result<void> each_block(const Request& request, Take take) {
  std::vector<std::byte> block(64 * 1024);
  while (request.read_body) {
    CORE_TRY(read, request.read_body(block));
    if (read == 0) break;
    CORE_CHECK(take(std::span<const std::byte>(block.data(), read)));
  }
  return {};
}

// The fields of query and body; the file goes into `upload`.
core::Result<form::Fields> read_all(const Request& request, std::int64_t max_bytes, Upload& upload) {
  CORE_TRY(fields, form::parse_urlencoded(request.query));
  const std::string type = text::lower(request.content_type);
  if (type.starts_with("multipart/form-data")) {
    CORE_TRY(boundary, form::boundary_of(request.content_type));
    form::TextPartCollector collector(upload);
    form::MultipartParser parser(std::move(boundary), {.max_file_bytes = static_cast<std::uint64_t>(max_bytes)}, collector);
    CORE_CHECK(each_block(request, [&](std::span<const std::byte> bytes) { return parser.feed(bytes); }));
    CORE_CHECK(parser.finish());
    for (const auto& [name, value] : collector.fields()) fields.add(name, value);
  } else if (type.starts_with("application/x-www-form-urlencoded")) {
    std::string body;
    CORE_CHECK(each_block(request, [&](std::span<const std::byte> bytes) -> core::Result<void> {
      if (body.size() + bytes.size() > 64 * 1024) return core::Error{.code = core::Code::too_large, .text = "read a form: too large"};
      body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    }));
    CORE_TRY(more, form::parse_urlencoded(body));
    for (const auto& [name, value] : more) fields.add(name, value);
  } else {
    CORE_CHECK(upload.file_begin({}));
    CORE_CHECK(each_block(request, [&](std::span<const std::byte> bytes) { return upload.file_data(bytes); }));
    CORE_CHECK(upload.file_end());
  }
  return fields;
}

// Anything that can stand in a form as who called: a number, a name, nothing at all.
bool is_caller(std::string_view text) {
  if (text.size() > 64) return false;
  for (const char sign : text)
    if (static_cast<unsigned char>(sign) < 0x20 || sign == 0x7f) return false;
  return true;
}

}  // namespace

Response Sandbox::State::receive(const Request& request) {
  Upload upload(book.temporary_path(), options.max_document_bytes);
  const auto fields = read_all(request, options.max_document_bytes, upload);
  if (!fields && (fields.error().code == core::Code::no_space || fields.error().code == core::Code::unavailable)) return not_stored(fields.error());
  if (!fields) {
    core::log(core::Level::warning, "the sandbox cannot take a document", fields.error());
    return error(fields.error().code == core::Code::too_large ? 413 : 400, 20001, "The body cannot be read, or is too large");
  }
  const auto from = fields->first("From");
  if (!from || !is_caller(*from)) return error(400, 21212, "No 'From' is specified, or not a possible one");
  constexpr Stage kStages[] = {Stage::incoming};
  Fax fax;
  fax.sid = dialect.new_id("FX");
  fax.direction = "inbound";
  fax.from = *from;
  fax.to = fields->first("To").value_or(options.own_number);
  if (!is_caller(fax.to)) return error(400, 21211, "The 'To' number is not a valid phone number");
  fax.error_code = fields->first("ErrorCode").value_or("");
  fax.error_message = fields->first("ErrorMessage").value_or("");
  if (fax.error_code.empty()) {
    const auto pdf = upload.begun() ? is_pdf(upload.path()) : core::Result<bool>(false);
    if (!pdf || !*pdf) return error(400, 12300, "The document is not a PDF");
    fax.pages = options.page_counter ? options.page_counter(upload.path()) : count_pages(upload.path());
    fax.media_sid = dialect.new_id("ME");
    fax.has_media = true;
  }
  fax.faults = faults.take_for_fax(kStages);
  fax.status = "receiving";
  fax.created_ms = fax.updated_ms = now_ms();
  fax.next = "announce";
  fax.due_ms = in(std::chrono::milliseconds(500));

  const std::lock_guard lock(mutex);
  auto stored = core::Result<void>();
  if (fax.has_media && ::link(upload.path().c_str(), book.media_path(fax.sid).c_str()) != 0)
    stored = core::errno_error("link", upload.path(), errno);
  if (stored) stored = book.put(fax);
  if (!stored) return not_stored(stored.error());
  ++changes;
  changed.notify_all();
  return json_response(201, fax_json(fax));
}

}  // namespace sandbox
