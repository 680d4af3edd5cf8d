// /sandbox/faults, and what a fault makes of an answer.
#include "json/writer.h"
#include "sandbox/state.h"
#include "text/words.h"

namespace sandbox {
namespace {

constexpr std::size_t kHuge = std::size_t{16} << 20;

}  // namespace

Response Sandbox::State::arm_faults(const Request& request) {
  if (request.method == "DELETE") {
    const auto cleared = faults.clear();
    return cleared ? nothing() : not_stored(cleared.error());
  }
  if (request.method != "GET" && request.method != "POST") return not_allowed("GET, POST, DELETE");
  if (request.method == "POST") {
    const auto form = read_form(request);
    if (!form) return error(400, dialect.wrong_code, "The body is not a form");
    const Fault* fault = find_fault(form->first("fault").value_or(""));
    if (fault == nullptr) return error(400, dialect.wrong_code, "There is no fault of that name");
    const auto times = text::parse_int64(form->first("times").value_or("1"));
    const auto given = form->first("seconds");
    const auto seconds = text::parse_int64(given.value_or(std::to_string(std::max<std::int64_t>(fault->seconds, 0))));
    if (!times || *times < 1 || *times > Faults::kMostTimes) return error(400, dialect.wrong_code, "'times' is a number from 1 to 1000000");
    if (given && fault->seconds < 0) return error(400, dialect.wrong_code, "This fault takes no 'seconds'");
    if (!seconds || *seconds < 0 || *seconds > Faults::kMostSeconds) return error(400, dialect.wrong_code, "'seconds' is a number from 0 to 86400");
    if (const auto armed = faults.arm(fault->name, {*times, *seconds}); !armed) return not_stored(armed.error());
  }
  json::Writer writer;
  writer.begin_object().key("faults").begin_array();
  for (const auto& [name, armed] : faults.armed()) {
    const Fault* fault = find_fault(name);
    writer.begin_object().member("fault", name).member("stage", sandbox::name(fault->stage)).member("times", armed.times).key("seconds");
    if (fault->seconds < 0) writer.value(nullptr);
    else writer.value(armed.seconds);
    writer.end_object();
  }
  writer.end_array().end_object();
  return json_response(200, writer.text());
}

Response Sandbox::State::faulty(Response good, std::string_view fault, std::int64_t seconds) const {
  const std::string body = good.body;
  if (fault == "error-500-taken") return error(500, 20500, "An internal server error has occurred");
  if (fault == "hang") good.delay = std::chrono::seconds(seconds);
  if (fault == "drop") good.drop = true;
  if (fault == "answer-truncated") good.body.resize(body.size() / 2);  // Content-Length stays
  if (fault == "answer-twice") good = json_response(good.status, body + body);
  if (fault == "answer-huge") good = json_response(good.status, body + std::string(kHuge, ' '));
  if (fault == "not-json") {
    good = json_response(good.status, "<html><body>It works!</body></html>");
    good.headers[0].second = "text/html";
  }
  return good;
}

}  // namespace sandbox
