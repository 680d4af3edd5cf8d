// What a notice says, for people and for machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "notice/options.h"
#include "store/notices.h"

namespace notice {

struct Words {
  std::string subject;  // one line
  std::string text;     // what happened, why, what to do next; lines end with "\n"
};

Words words_of(const Options& options, const store::Notice& notice);

// The address of the fax on the page; empty where there is none to give.
std::string link_of(const Options& options, const store::Notice& notice);

// "fax-+12125551212-2026-11-25-1431.pdf"
std::string file_name_of(const store::Notice& notice);

// What a program can do with a document that goes along. At most one of the two is set.
struct Paper {
  std::string base64;                   // the bytes themselves
  std::optional<int> file_descriptor;   // where the program finds it open
  std::int64_t bytes = 0;
};

// The same as JSON, in the shape of Standard Webhooks:
//   {"type": "fax.delivered", "timestamp": …, "data": {"id", "fax", "direction", "status", "corrects", "from", "to", "sent_by", "pages",
//    "pages_done", "cause": {code, text, advice} | null, "provider_id", "created", "practice", "link", "subject", "text", "document"}}
// Types: fax. and the final state, fax.another_document, line.account_held, line.webhooks_refused, line.certificate_ends, line.test. With
// NOTICE_CONTENT=none: fax.came or fax.ended, with id, practice, subject and text alone.
std::string json_of(const Options& options, const store::Notice& notice, const std::optional<Paper>& paper);

}  // namespace notice
