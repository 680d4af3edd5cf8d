// The documents of faxes: as resources of the API, and themselves.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

bool is_there(const Fax& fax) { return fax.has_media && fax.store_media && fax.is_final(); }

}  // namespace

// Under the lock, as the next.
Response Sandbox::State::list_media(const Request& request, const Fax& fax) {
  Page page;
  if (auto refused = refusal(request, dialect.media_list, page.query)) return std::move(*refused);
  page.key = "media";
  // SignalWire's reference has the list twice. Its JavaScript client can read no page with two lists; it leaves "/api/laml" out.
  if (dialect.host_relative && request.path.starts_with("/api/laml/")) page.other_key = "fax_media";
  page.path = in_account(dialect.faxes_path) + "/" + fax.sid + "/Media";
  page.size = text::parse_int64(page.query.first("PageSize").value_or("50")).value_or(50);
  page.number = text::parse_int64(page.query.first("Page").value_or("0")).value_or(0);
  if (is_there(fax) && page.number == 0) page.items.push_back(media_json(fax));
  return json_response(200, page_json(page, dialect.host_relative));
}

Response Sandbox::State::media(const Request& request, const Fax& fax, std::span<const std::string_view> rest) {
  if (rest.empty()) return request.method == "GET" ? list_media(request, fax) : not_allowed("GET");
  if (request.method != "GET" && request.method != "DELETE") return not_allowed("GET, DELETE");
  form::Fields none;
  if (auto refused = refusal(request, {}, none)) return std::move(*refused);
  if (!fax.has_media || rest[0] != fax.media_sid) return not_found(request.path);
  if (request.method == "DELETE" && (!fax.is_final() || !fax.next.empty())) return error(409, 20009, "The fax is not finished");
  if (!is_there(fax)) return not_found(request.path);
  if (request.method == "GET") return json_response(200, media_json(fax));
  Fax without = fax;
  without.has_media = false;
  without.updated_ms = now_ms();
  if (const auto stored = book.put(without); !stored) return not_stored(stored.error());
  if (::unlink(book.media_path(without.sid).c_str()) != 0) core::log(core::Level::warning, "the sandbox left a document behind", {{"sid", without.sid}});
  return nothing();
}

Response Sandbox::State::document(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return not_allowed("GET, HEAD");
  const auto parts = text::split(request.path, '/');  // "", "sandbox", "media", Sid, MediaSid
  if (parts.size() != 5 || !media_url_is_good(request.path, request.query)) return error(403, 20006, "The URL is not good, or not any more");
  const std::lock_guard lock(mutex);
  const Fax* fax = book.find(parts[3]);
  if (fax == nullptr || !fax->has_media || fax->media_sid != parts[4]) return not_found("");
  auto file = core::open_file(book.media_path(fax->sid), O_RDONLY);
  struct stat about {};
  if (!file || fstat(file->get(), &about) != 0) return not_found("");
  Response response;
  response.headers = {{"Content-Type", "application/pdf"}, {"Content-Length", std::to_string(about.st_size)}, {"Cache-Control", "no-store"}};
  if (request.method == "GET") response.file = std::move(*file);
  return response;
}

}  // namespace sandbox
