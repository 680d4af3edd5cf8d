#include "sandbox/pdf.h"

#include <fcntl.h>

#include <span>
#include <string_view>

#include "core/fd.h"

namespace sandbox {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
// As much as "/Type", blanks and "/Page?" can take: what a block's end may cut is looked at again with the next.
constexpr std::size_t kOverlap = 32;

// "/Type", perhaps blanks, "/Page", and then not the letter of a longer name. `end` is one past the last place where one
// may begin.
std::int64_t pages_in(std::string_view text, std::size_t end) {
  std::int64_t pages = 0;
  for (auto at = text.find("/Type"); at < end; at = text.find("/Type", at + 5)) {
    auto rest = text.substr(at + 5);
    const auto next = rest.find_first_not_of(" \t\r\n");
    if (next == std::string_view::npos) continue;
    rest.remove_prefix(next);
    if (!rest.starts_with("/Page")) continue;
    const char after = rest.size() > 5 ? rest[5] : ' ';
    if (!((after >= 'a' && after <= 'z') || (after >= 'A' && after <= 'Z') || (after >= '0' && after <= '9'))) ++pages;
  }
  return pages;
}

}  // namespace

core::Result<bool> is_pdf(const std::string& path) {
  CORE_TRY(file, core::open_file(path, O_RDONLY));
  char start[1024];
  std::size_t length = 0;
  while (length < sizeof start) {
    CORE_TRY(read, core::read_some(file.get(), std::as_writable_bytes(std::span(start).subspan(length)), path));
    if (read == 0) break;
    length += read;
  }
  return std::string_view(start, length).find("%PDF-") != std::string_view::npos;
}

std::optional<std::int64_t> count_pages(const std::string& path) {
  auto file = core::open_file(path, O_RDONLY);
  if (!file) return std::nullopt;
  std::int64_t pages = 0;
  std::string window;
  for (;;) {
    const std::size_t kept = window.size();
    window.resize(kept + kBlock);
    const auto read = core::read_some(file->get(), std::as_writable_bytes(std::span(window).subspan(kept)), path);
    if (!read) return std::nullopt;
    window.resize(kept + *read);
    if (window.find("/ObjStm") != std::string::npos) return std::nullopt;
    const bool last = *read == 0;
    const std::size_t end = last ? window.size() : window.size() - std::min(window.size(), kOverlap);
    pages += pages_in(window, end);
    if (last) break;
    window.erase(0, end);
  }
  if (pages == 0) return std::nullopt;
  return pages;
}

}  // namespace sandbox
