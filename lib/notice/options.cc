#include "notice/options.h"

namespace notice {

Options options_of(const config::Settings& settings) {
  Options options;
  const auto& content = settings.text("NOTICE_CONTENT");
  options.content = content == "none" ? Content::none : content == "document" ? Content::document : Content::link;
  options.practice = settings.practice();
  if (settings.is_set("PUBLIC_HOSTNAME")) options.hostname = settings.text("PUBLIC_HOSTNAME");
  options.page_url = settings.lan_url();
  options.smtp_url = settings.text("SMTP_URL");
  options.smtp_user = settings.text("SMTP_USER");
  options.smtp_password = settings.secret("SMTP_PASS");
  options.from = settings.text("NOTICE_FROM");
  options.recipients = settings.notice_recipients();
  options.webhook_url = settings.text("NOTICE_WEBHOOK_URL");
  options.webhook_key = settings.secret("NOTICE_WEBHOOK_KEY");
  options.command = settings.text("NOTICE_COMMAND");
  options.ca_file = settings.text("NOTICE_CA_FILE");
  return options;
}

std::vector<std::string> ways_of(const Options& options) {
  std::vector<std::string> ways{"maildir"};
  if (!options.smtp_url.empty())
    for (const auto& recipient : options.recipients) ways.push_back("smtp:" + recipient);
  if (!options.webhook_url.empty()) ways.emplace_back("webhook");
  if (!options.command.empty()) ways.emplace_back("command");
  return ways;
}

std::string family_of(const std::string& way) { return way.substr(0, way.find(':')); }

}  // namespace notice
