// The outbox: what people are to be told, written in the transaction in which it came true, so that no notice is lost
// between a fax and its book. Who is told, by which ways and in which words is `notice`'s to say.
//
// A notice is a copy of what was true then: a fax may be corrected, purged or deleted before a mail server that is away
// comes back. It is shared out once, into one errand for each way; each errand is done at least once.
//
// Errors of all calls: those of faxes.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "sql/database.h"
#include "store/rows.h"

namespace store {

// What happened, once for each time that it happened.
struct Notice {
  std::string id;       // the same for all ways and all tries
  std::string fax_id;   // empty: not about one fax
  std::string event;    // the final state's name ("delivered"), "another_document", "account_held", "webhooks_refused", "certificate_ends"
  std::string before;   // the final state that is corrected by this; empty: none
  core::Time at{};
  std::string direction;    // of a fax: "outbound", "inbound"
  std::string owner;        // who sent it
  std::string from;
  std::string to;
  std::string provider;
  std::string provider_id;
  std::optional<std::int64_t> pages;
  std::optional<std::int64_t> pages_done;
  std::string cause_code;
  std::string cause_text;
  std::string document_id;
  std::int64_t attempt = 0;
  core::Time created{};     // of the fax
};

// One notice by one way.
struct Errand {
  Notice notice;
  std::string way;        // "maildir", "smtp:anna@example.org", "webhook", "command"
  std::int64_t tries = 0; // that failed
  std::string mail_name;  // of the Maildir's file; empty: not tried yet
};

// A way that does not work, for people.
struct WayTrouble {
  std::string way;
  std::int64_t waiting = 0;   // notices that are still tried
  std::int64_t given_up = 0;  // lately
  core::Time last{};          // when it failed last
  std::string text;           // what it said then
};

class Notices {
 public:
  // The database of Faxes, which has been opened before: that makes the schema.
  explicit Notices(std::shared_ptr<sql::Database> database) : database_(std::move(database)) {}

  // Makes the errands of notices that have none yet, by the ways that `ways_of` names; at most 100 notices. Gives how many.
  core::Result<std::int64_t> share_out(const std::function<std::vector<std::string>(const Notice&)>& ways_of, core::Time now);

  // Leases the errand of one of these ways that waits longest, if one is due. A lease ends by done(), put_off(), give_up()
  // or its time; one of the same worker's name is one that it died with.
  core::Result<std::optional<Errand>> claim(std::span<const std::string> ways, const std::string& worker, core::Time now, core::Milliseconds lease);

  core::Result<void> record_mail_name(const Errand& errand, const std::string& name);
  core::Result<void> done(const Errand& errand, core::Time now);
  core::Result<void> put_off(const Errand& errand, const std::string& trouble, core::Time now, core::Time next);
  // Nothing more is tried. `event` is added to the fax, where that is still in the book.
  core::Result<void> give_up(const Errand& errand, const std::string& trouble, const Event& event, core::Time now);
  // A way works again: what it put off is due now.
  core::Result<void> hasten(std::span<const std::string> ways, core::Time now);
  // Ends the errands of ways that are not set any more. Gives how many.
  core::Result<std::int64_t> drop_other_ways(std::span<const std::string> ways, core::Time now);

  // Ways with errands that failed and are still tried, or were given up after `since`; the latest first.
  core::Result<std::vector<WayTrouble>> troubles(core::Time since);
  // Notices made before `before` of which every errand is over.
  core::Result<void> forget(core::Time before);

 private:
  std::shared_ptr<sql::Database> database_;
};

}  // namespace store
