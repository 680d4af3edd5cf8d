// The settings of notices.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "core/secret.h"

namespace notice {

// How much of a fax a notice holds (NOTICE_CONTENT).
enum class Content {
  none,      // that a fax came or ended: no number, no name, no result
  link,      // number, pages, state and cause in words, the address of the fax on the page
  document,  // the PDF besides, where the way can carry it
};

struct Options {
  Content content = Content::link;
  bool practice = false;        // every notice says PRACTICE LINE
  std::string hostname = "localhost";  // of mail addresses and Message-IDs
  std::string mail_user = "fax";       // of the Maildir
  std::string page_url;         // of the page, no slash at the end
  std::string smtp_url;         // empty: not by mail server
  std::string smtp_user;
  core::SecretString smtp_password;
  std::string from;
  std::vector<std::string> recipients;
  std::string webhook_url;      // empty: no webhook
  core::SecretString webhook_key;
  std::string command;          // empty: none
  std::string ca_file;          // for mail server and webhook; empty: the system's
};

Options options_of(const config::Settings& settings);

// The ways that are set: "maildir", "smtp:" and the recipient, "webhook", "command".
std::vector<std::string> ways_of(const Options& options);

// The way's family: what is before the colon.
std::string family_of(const std::string& way);

}  // namespace notice
