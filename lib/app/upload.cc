#include "app/upload.h"

#include <algorithm>
#include <cstring>

#include "core/id.h"
#include "crypto/encoding.h"
#include "form/multipart.h"
#include "text/words.h"

namespace app {

namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr std::size_t kHeadBytes = 1024;

class Files final : public form::FileHandler {
 public:
  Files(const spool::Spool& spool, spool::Use use, std::string_view only_field) : spool_(spool), use_(use), only_field_(only_field) {}

  core::Result<void> file_begin(const form::PartHeader& header) override {
    wanted_ = only_field_.empty() || header.name == only_field_;
    if (!wanted_) return {};
    CORE_TRY(incoming, spool_.begin(use_));
    files.push_back({header.name, header.file_name.value_or(""), 0, false, std::move(incoming)});
    head_.clear();
    return {};
  }

  core::Result<void> file_data(std::span<const std::byte> bytes) override {
    if (!wanted_) return {};
    if (head_.size() < kHeadBytes) head_.append(static_cast<const char*>(static_cast<const void*>(bytes.data())), std::min(bytes.size(), kHeadBytes - head_.size()));
    files.back().bytes += static_cast<std::int64_t>(bytes.size());
    return files.back().incoming.write(bytes);
  }

  core::Result<void> file_end() override {
    if (wanted_) files.back().is_pdf = head_.find("%PDF-") != std::string::npos;
    return {};
  }

  std::vector<UploadedFile> files;

 private:
  const spool::Spool& spool_;
  spool::Use use_;
  std::string only_field_;
  std::string head_;
  bool wanted_ = true;
};

}  // namespace

bool is_multipart(const web::Request& request) {
  const auto type = request.content_type();
  return text::equal_ignoring_case(text::trim(type.substr(0, type.find(';'))), "multipart/form-data");
}

core::Result<Upload> read_upload(web::Request& request, const spool::Spool& spool, spool::Use use, std::int64_t max_file_bytes, std::string_view only_field, form::Nul nul) {
  CORE_TRY(boundary, form::boundary_of(request.content_type()));
  CORE_CHECK(spool.check_room(use, static_cast<std::int64_t>(request.body().length().value_or(0))));
  Files files(spool, use, only_field);
  form::TextPartCollector collector(files, nul);
  form::MultipartLimits limits;
  limits.max_file_bytes = static_cast<std::uint64_t>(max_file_bytes);
  form::MultipartParser parser(boundary, limits, collector);
  std::vector<std::byte> block(kBlockBytes);
  for (;;) {
    CORE_TRY(count, request.body().read_some(block));
    if (count == 0) break;
    auto fed = parser.feed(std::span<const std::byte>(block).first(count));
    if (!fed && fed.error().code == core::Code::too_large)
      return std::move(fed.error()).with_hint("The file is too large: this line takes up to " + spool::megabytes(max_file_bytes) + ". Save it with a lower resolution, or in parts.").with_field("file");
    if (!fed) return fed.error();
  }
  CORE_CHECK(parser.finish());
  return Upload{collector.fields(), std::move(files.files)};
}

core::Result<store::Document> commit(UploadedFile& file, std::string_view owner, core::Time now) {
  store::Document document;
  document.id = core::new_id(now);
  document.owner = std::string(owner);
  document.file_name = file.file_name;
  document.created = now;
  CORE_TRY(committed, file.incoming.commit(document.id));
  document.bytes = committed.bytes;
  document.sha256 = committed.sha256;
  return document;
}

}  // namespace app
