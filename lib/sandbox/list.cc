// Lists, in pages: Twilio's fax API tells of them in `meta`, those of the 2010 API beside the list.
#include <algorithm>

#include "json/writer.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

std::string page_url(const std::string& base, const form::Fields& query, std::int64_t size, std::int64_t number, std::string_view last) {
  Pairs pairs;
  for (const auto& [name, value] : query)
    if (name != "Page" && name != "PageSize" && name != "PageToken") pairs.emplace_back(name, value);
  pairs.emplace_back("PageSize", std::to_string(size));
  pairs.emplace_back("Page", std::to_string(number));
  if (!last.empty()) pairs.emplace_back("PageToken", "PA" + std::string(last));
  return base + "?" + urlencoded(pairs);
}

void member_or_null(json::Writer& writer, std::string_view name, bool there, const std::string& url) {
  if (there) writer.member(name, url);
  else writer.member(name, nullptr);
}

void items(json::Writer& writer, std::string_view key, const std::vector<std::string>& list) {
  writer.key(key).begin_array();
  for (const std::string& item : list) writer.raw(item);
  writer.end_array();
}

// As the dates in answers are: whole seconds.
std::int64_t seconds_of(const Fax& fax) { return fax.created_ms / 1000 * 1000; }

// What the query asks for.
struct Filter {
  explicit Filter(const form::Fields& query) : from(query.first("From").value_or("")), to(query.first("To").value_or("")) {
    if (const auto text = query.first("DateCreatedAfter")) after = moment(*text);
    if (const auto text = query.first("DateCreatedOnOrBefore")) until = moment(*text);
  }
  bool fits(const Fax& fax) const {
    return (from.empty() || fax.from == from) && (to.empty() || fax.to == to) && (!after || seconds_of(fax) > *after) && (!until || seconds_of(fax) <= *until);
  }

  std::string from, to;
  std::optional<std::int64_t> after, until;
};

}  // namespace

std::string Sandbox::State::page_json(const Page& page, bool host_relative) const {
  const std::string base = (host_relative ? "" : options.api_url) + page.path;
  const auto url = [&](std::int64_t at, std::string_view last) { return page_url(base, page.query, page.size, at, last); };
  const auto here = url(page.number, page.previous_last);
  const auto next = url(page.number + 1, page.last);
  const auto previous = url(std::max<std::int64_t>(page.number - 1, 0), {});
  json::Writer writer;
  writer.begin_object();
  if (host_relative) {
    writer.member("uri", here).member("first_page_uri", url(0, {}));
    member_or_null(writer, "next_page_uri", page.more, next);
    // Only the first page needs no token.
    member_or_null(writer, "previous_page_uri", page.number == 1 || (page.number > 1 && !dialect.page_needs_token), previous);
    writer.member("page", page.number).member("page_size", page.size);
    items(writer, page.key, page.items);
    if (!page.other_key.empty()) items(writer, page.other_key, page.items);
    writer.end_object();
    return writer.text();
  }
  items(writer, page.key, page.items);
  writer.key("meta").begin_object().member("first_page_url", url(0, {})).member("key", page.key);
  member_or_null(writer, "next_page_url", page.more, next);
  writer.member("page", page.number).member("page_size", page.size);
  member_or_null(writer, "previous_page_url", page.number > 0, previous);
  writer.member("url", here).end_object().end_object();
  return writer.text();
}

Response Sandbox::State::list(const Request& request) {
  Page page;
  if (auto refused = refusal(request, dialect.list, page.query)) return std::move(*refused);
  page.key = "faxes";
  page.path = in_account(dialect.faxes_path);
  page.size = text::parse_int64(page.query.first("PageSize").value_or("50")).value_or(50);
  page.number = text::parse_int64(page.query.first("Page").value_or("0")).value_or(0);
  page.previous_last = page.query.first("PageToken").value_or("PA").substr(2);
  const Filter filter(page.query);

  const std::lock_guard lock(mutex);
  std::vector<const Fax*> found;
  for (const Fax* fax : book.newest_first())
    if (dialect.is_id(fax->sid, "FX") && filter.fits(*fax)) found.push_back(fax);
  auto begin = static_cast<std::size_t>(page.number * page.size);
  if (!page.previous_last.empty()) {  // what came meanwhile does not move the pages
    const auto last = std::find_if(found.begin(), found.end(), [&](const Fax* fax) { return fax->sid == page.previous_last; });
    if (last != found.end()) begin = static_cast<std::size_t>(last - found.begin()) + 1;
  }
  begin = std::min(begin, found.size());
  const std::size_t end = std::min(found.size(), begin + static_cast<std::size_t>(page.size));
  for (std::size_t i = begin; i < end; ++i) page.items.push_back(fax_json(*found[i]));
  page.more = end < found.size();
  if (page.more) page.last = found[end - 1]->sid;
  return json_response(200, page_json(page, dialect.host_relative));
}

}  // namespace sandbox
