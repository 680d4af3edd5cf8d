// The API that Twilio's fax product had, as its documentation and its last client libraries have it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/log.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "json/writer.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kMaxForm = 64 * 1024;

Response not_found(std::string_view path) { return error_response(404, 20404, "The requested resource " + std::string(path) + " was not found"); }

Response not_allowed(std::string_view allow) {
  Response response = error_response(405, 20004, "Method not allowed");
  response.headers.emplace_back("Allow", allow);
  return response;
}

Response nothing() {
  Response response;
  response.status = 204;
  return response;
}

Response not_stored(const core::Error& error) {
  core::log(core::Level::error, "the sandbox cannot store a fax", error);
  return error_response(500, 20500, "An internal server error has occurred");
}

core::Result<form::Fields> read_form(const Request& request) {
  if (!text::lower(request.content_type).starts_with("application/x-www-form-urlencoded"))
    return core::Error{.code = core::Code::unsupported, .text = "read a form: of another type"};
  std::string body;
  std::byte block[4096];
  while (request.read_body) {
    CORE_TRY(read, request.read_body(block));
    if (read == 0) break;
    body.append(reinterpret_cast<const char*>(block), read);
    if (body.size() > kMaxForm) return core::Error{.code = core::Code::too_large, .text = "read a form: too large"};
  }
  return form::parse_urlencoded(body);
}

bool is_number(std::string_view text) {
  return text.size() >= 3 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
         std::all_of(text.begin() + 1, text.end(), [](char sign) { return sign >= '0' && sign <= '9'; });
}

bool is_callable(std::string_view url) {
  const auto parsed = http::parse(url);
  return parsed && url.size() <= 2048;
}

// A moment in ISO 8601, or a day.
std::optional<std::int64_t> moment(std::string_view text) {
  const auto time = core::parse_rfc3339(text.size() == 10 ? std::string(text) + "T00:00:00Z" : std::string(text));
  if (!time) return std::nullopt;
  return core::to_ms(*time);
}

// As the dates in answers are: whole seconds.
std::int64_t seconds_of(const Fax& fax) { return fax.created_ms / 1000 * 1000; }

// The page of a list that a query asks for.
struct Page {
  std::int64_t size = 50;
  std::int64_t number = 0;
  std::string after;  // the last sid of the page before
};

std::optional<Page> page_of(const form::Fields& query) {
  Page page;
  if (const auto size = query.first("PageSize")) {
    const auto number = text::parse_int64(*size);
    if (!number || *number < 1) return std::nullopt;
    page.size = std::min<std::int64_t>(*number, 1000);
  }
  if (const auto number = query.first("Page")) page.number = std::max<std::int64_t>(text::parse_int64(*number).value_or(0), 0);
  if (const auto token = query.first("PageToken"); token && token->starts_with("PA")) page.after = token->substr(2);
  return page;
}

std::string page_url(const std::string& base, const form::Fields& query, const Page& page, std::int64_t number, std::string_view token) {
  Pairs pairs;
  for (const auto& [name, value] : query)
    if (name != "Page" && name != "PageSize" && name != "PageToken") pairs.emplace_back(name, value);
  pairs.emplace_back("PageSize", std::to_string(page.size));
  pairs.emplace_back("Page", std::to_string(number));
  if (!token.empty()) pairs.emplace_back("PageToken", "PA" + std::string(token));
  return base + "?" + urlencoded(pairs);
}

}  // namespace

bool Sandbox::State::authorized(const Request& request) const {
  if (!text::equal_ignoring_case(request.authorization.substr(0, 6), "Basic ")) return false;
  const auto pair = crypto::base64_decode(text::trim(std::string_view(request.authorization).substr(6)));
  return pair && crypto::equal(*pair, options.account_sid + ":" + std::string(options.token.reveal()));
}

Response Sandbox::State::handle(const Request& request) {
  const std::string_view path = request.path;
  if (path.starts_with("/sandbox/media/")) return document(request);
  if (!authorized(request)) return error_response(401, 20003, "Authenticate");
  if (path == "/sandbox/receive") return request.method == "POST" ? receive(request) : not_allowed("POST");
  return faxes(request);
}

Response Sandbox::State::faxes(const Request& request) {
  const auto parts = text::split(request.path, '/');  // "", "v1", "Faxes", Sid, "Media", MediaSid
  if (parts.size() < 3 || parts[1] != "v1" || parts[2] != "Faxes") return not_found(request.path);
  if (parts.size() == 3) {
    if (request.method == "POST") return create(request);
    return request.method == "GET" ? list(request) : not_allowed("GET, POST");
  }
  if (parts.size() > 6 || !is_sid(parts[3], "FX")) return not_found(request.path);
  if (parts.size() == 4) return one_fax(request, parts[3]);
  if (parts[4] != "Media") return not_found(request.path);
  const std::lock_guard lock(mutex);
  const Fax* fax = book.find(parts[3]);
  if (fax == nullptr) return not_found(request.path);
  return media(request, *fax, parts.size() == 6 ? parts[5] : std::string_view());
}

Response Sandbox::State::create(const Request& request) {
  const auto form = read_form(request);
  if (!form) return error_response(400, 20001, "The body is not a form");
  const auto value = [&](std::string_view name) { return std::string(form->first(name).value_or("")); };
  Fax fax;
  fax.to = value("To");
  fax.from = value("From");
  fax.given_media_url = value("MediaUrl");
  fax.status_callback = value("StatusCallback");
  if (fax.to.empty()) return error_response(400, 21201, "No 'To' number is specified");
  if (!is_number(fax.to) || fax.to == kRefused) return error_response(400, 21211, "The 'To' number is not a valid phone number");
  if (fax.from != options.own_number) return error_response(400, 21212, "The 'From' number is not a valid phone number, or not of this account");
  if (!is_callable(fax.given_media_url)) return error_response(400, 21620, "Invalid media URL(s)");
  if (!fax.status_callback.empty() && !is_callable(fax.status_callback)) return error_response(400, 21609, "Invalid StatusCallback");
  if (const auto quality = value("Quality"); !quality.empty()) {
    if (quality != "standard" && quality != "fine" && quality != "superfine") return error_response(400, 20001, "Invalid Quality");
    fax.quality = quality;
  }
  if (is_fault(fax.to, kNotTakenAnswered500)) return error_response(500, 20500, "An internal server error has occurred");
  if (is_fault(fax.to, kUnauthorized)) return error_response(401, 20003, "Authenticate");
  if (is_fault(fax.to, kRateLimited)) {
    Response response = error_response(429, 20429, "Too many requests");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  fax.store_media = text::lower(value("StoreMedia")) != "false";
  fax.sid = new_sid("FX");
  fax.direction = "outbound";
  fax.created_ms = now_ms();
  set_status(fax, "queued");
  fax.next = "fetch";
  fax.due_ms = in(std::chrono::milliseconds(500));

  const std::lock_guard lock(mutex);
  if (const auto stored = book.put(fax); !stored) return not_stored(stored.error());
  ++changes;
  changed.notify_all();
  core::log(core::Level::info, "the sandbox took a fax", {{"sid", fax.sid}, {"to", core::masked(fax.to)}});
  if (is_fault(fax.to, kTakenAnswered500)) return error_response(500, 20500, "An internal server error has occurred");
  Response response = json_response(201, fax_json(fax));
  response.drop = is_fault(fax.to, kTakenNeverAnswered);
  if (is_fault(fax.to, kTakenAnsweredLate)) response.delay = std::chrono::seconds(90);
  return response;
}

Response Sandbox::State::list(const Request& request) {
  const auto query = form::parse_urlencoded(request.query);
  const auto page = query ? page_of(*query) : std::nullopt;
  if (!page) return error_response(400, 20001, "Invalid query");
  const auto from = query->first("From"), to = query->first("To");
  const auto after = query->first("DateCreatedAfter"), until = query->first("DateCreatedOnOrBefore");
  const auto after_ms = after ? moment(*after) : std::nullopt, until_ms = until ? moment(*until) : std::nullopt;
  if ((after && !after_ms) || (until && !until_ms)) return error_response(400, 20001, "Invalid date");

  const std::lock_guard lock(mutex);
  std::vector<const Fax*> found;
  for (const Fax* fax : book.newest_first())
    if ((!from || from->empty() || fax->from == *from) && (!to || to->empty() || fax->to == *to) && (!after_ms || seconds_of(*fax) > *after_ms) &&
        (!until_ms || seconds_of(*fax) <= *until_ms))
      found.push_back(fax);
  std::size_t begin = static_cast<std::size_t>(std::min<std::int64_t>(page->number, 1'000'000) * page->size);
  if (!page->after.empty()) {  // what came meanwhile does not move the pages
    const auto last = std::find_if(found.begin(), found.end(), [&](const Fax* fax) { return fax->sid == page->after; });
    if (last != found.end()) begin = static_cast<std::size_t>(last - found.begin()) + 1;
  }
  begin = std::min(begin, found.size());
  const std::size_t end = std::min(found.size(), begin + static_cast<std::size_t>(page->size));

  const std::string base = options.api_url + "/v1/Faxes";
  json::Writer writer;
  writer.begin_object().key("faxes").begin_array();
  for (std::size_t i = begin; i < end; ++i) writer.raw(fax_json(*found[i]));
  writer.end_array().key("meta").begin_object();
  writer.member("first_page_url", page_url(base, *query, *page, 0, {})).member("key", "faxes");
  writer.key("next_page_url");
  if (end < found.size()) writer.value(page_url(base, *query, *page, page->number + 1, found[end - 1]->sid));
  else writer.value(nullptr);
  writer.member("page", page->number).member("page_size", page->size).key("previous_page_url");
  if (page->number > 0) writer.value(page_url(base, *query, *page, page->number - 1, {}));
  else writer.value(nullptr);
  writer.member("url", page_url(base, *query, *page, page->number, page->after)).end_object().end_object();
  return json_response(200, writer.text());
}

Response Sandbox::State::one_fax(const Request& request, std::string_view sid) {
  const bool canceling = request.method == "POST";
  const auto form = canceling ? read_form(request) : core::Result<form::Fields>(form::Fields());
  const std::lock_guard lock(mutex);
  const Fax* fax = book.find(sid);
  if (fax == nullptr) return not_found(request.path);
  if (request.method == "GET") return json_response(200, fax_json(*fax));
  if (canceling && (!form || form->first("Status") != "canceled")) return error_response(400, 20001, "Status can be 'canceled' only");
  if (canceling) return cancel(*fax);
  if (request.method != "DELETE") return not_allowed("GET, POST, DELETE");
  if (!fax->is_final() || !fax->next.empty()) return error_response(409, 20009, "The fax is not finished");
  const auto removed = book.remove(std::string(sid));
  return removed ? nothing() : not_stored(removed.error());
}

// Under the lock, as the next two.
Response Sandbox::State::cancel(const Fax& fax) {
  if (fax.status != "queued" && fax.status != "processing") return error_response(400, 10000, "The fax cannot be canceled any more");
  Fax canceled = fax;
  set_status(canceled, "canceled");
  canceled.next.clear();
  canceled.has_media = false;
  if (const auto stored = book.put(canceled); !stored) return not_stored(stored.error());
  ::unlink(book.media_path(canceled.sid).c_str());
  ++changes;
  changed.notify_all();
  return json_response(200, fax_json(canceled));
}

Response Sandbox::State::media(const Request& request, const Fax& fax, std::string_view media_sid) {
  const bool there = fax.has_media && fax.store_media && fax.is_final();
  if (media_sid.empty()) {
    if (request.method != "GET") return not_allowed("GET");
    const std::string url = options.api_url + "/v1/Faxes/" + fax.sid + "/Media?PageSize=50&Page=0";
    json::Writer writer;
    writer.begin_object().key("media").begin_array();
    if (there) writer.raw(media_json(fax));
    writer.end_array().key("meta").begin_object();
    writer.member("first_page_url", url).member("key", "media").member("next_page_url", nullptr).member("page", 0);
    writer.member("page_size", 50).member("previous_page_url", nullptr).member("url", url).end_object().end_object();
    return json_response(200, writer.text());
  }
  if (!there || media_sid != fax.media_sid) return not_found(request.path);
  if (request.method == "GET") return json_response(200, media_json(fax));
  if (request.method != "DELETE") return not_allowed("GET, DELETE");
  if (!fax.next.empty()) return error_response(409, 20009, "The fax is not finished");
  Fax without = fax;
  without.has_media = false;
  without.updated_ms = now_ms();
  if (const auto stored = book.put(without); !stored) return not_stored(stored.error());
  if (::unlink(book.media_path(fax.sid).c_str()) != 0) core::log(core::Level::warning, "the sandbox left a document behind", {{"sid", fax.sid}});
  return nothing();
}

Response Sandbox::State::document(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return not_allowed("GET, HEAD");
  const auto parts = text::split(request.path, '/');  // "", "sandbox", "media", Sid, MediaSid
  if (parts.size() != 5 || !media_url_is_good(request.path, request.query)) return error_response(403, 20006, "The URL is not good, or not any more");
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
