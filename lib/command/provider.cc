// `faxline provider check` and `faxline provider configure`.
#include <optional>

#include "command/command.h"
#include "core/clock.h"
#include "fax/cause.h"
#include "http/client.h"
#include "http/url.h"
#include "json/writer.h"
#include "store/faxes.h"
#include "twilio/account.h"
#include "twilio/numbers.h"
#include "twilio/provider.h"
#include "twilio/signature.h"

namespace command {

namespace {

constexpr int kRight = 0;
constexpr int kNotReachable = 69;
constexpr int kNotPermitted = 77;
constexpr int kSettings = 78;

// What was found out about one thing.
struct Finding {
  std::string what;
  std::optional<bool> right;  // not given: it cannot be told
  std::string text;           // what it is, and what to do
  int status = kRight;        // the exit status, where it is not right
};

Finding right(std::string what, std::string text) { return {std::move(what), true, std::move(text)}; }
Finding unknown(std::string what, std::string text) { return {std::move(what), std::nullopt, std::move(text)}; }
Finding wrong(std::string what, std::string text, int status) { return {std::move(what), false, std::move(text), status}; }

http::Client provider_client(const config::Settings& settings) { return http::Client({.ca_file = settings.provider_ca_file(), .user_agent = "faxline"}); }

// Where a fax that comes in is announced, as the provider has to know it.
core::Result<std::string> incoming_url(const config::Settings& settings) {
  return http::with_userinfo(settings.public_url() + "/fax/initialize", settings.text("INBOUND_AUTH_USER"), settings.secret("INBOUND_AUTH_PASS").reveal());
}

// Without the password, for people.
std::string shown(const std::string& url) {
  const auto bare = http::without_userinfo(url);
  const auto parsed = http::parse(url);
  if (!bare || !parsed) return "(no address)";
  return *bare + (parsed->has_userinfo ? " (with user name and password)" : "");
}

Finding check_credentials(const config::Settings& settings) {
  auto client = provider_client(settings);
  twilio::Provider provider(client, twilio::account_of(settings));
  fax::ListQuery query;
  query.created_after = core::SystemClock().now();
  const auto listed = provider.list(query);
  const std::string name = "credentials";
  if (listed) return right(name, "The provider at " + settings.provider_url() + " answers, and takes our account.");
  const auto& error = listed.error();
  if (error.code == core::Code::unauthenticated)
    return wrong(name, "The provider at " + settings.provider_url() + " does not take our account: check TWILIO_SID and TWILIO_TOKEN against its dashboard" + (settings.dialect() == "signalwire" ? " (the token needs the scope Fax)." : "."), kNotPermitted);
  if (error.code == core::Code::limited) return unknown(name, "The provider asks to call less often: try again later.");
  return wrong(name, "The provider at " + settings.provider_url() + " did not answer as it should: " + error.text + ". Check PROVIDER_URL and the connection.", kNotReachable);
}

void check_number(const config::Settings& settings, std::vector<Finding>& findings) {
  auto client = provider_client(settings);
  const auto number = twilio::find_number(client, twilio::account_of(settings), settings.fax_number());
  const auto wanted = incoming_url(settings);
  const std::string by_hand = "Compare it in its dashboard: faxes that come in are to be announced by POST to " + (wanted ? shown(*wanted) : settings.public_url()) + ".";
  if (!number) {
    const bool none = number.error().code == core::Code::not_found;
    findings.push_back(unknown("number", none ? "The provider's API does not tell of its numbers. " + by_hand : "The provider did not tell of its numbers: " + number.error().text + ". " + by_hand));
    return;
  }
  if (!*number) {
    findings.push_back(wrong("number", settings.fax_number() + " is not a number of this account: check TWILIO_FAX_NUMBER against the provider's dashboard.", kSettings));
    return;
  }
  const auto& it = **number;
  const bool no_fax = it.fax.has_value() && !*it.fax;
  if (no_fax) findings.push_back(wrong("number", it.number + " is a number of this account, but cannot fax: choose another at the provider.", kSettings));
  else findings.push_back(right("number", it.number + " is a number of this account."));
  if (it.receive_mode.empty())
    findings.push_back(unknown("receive mode", "Whether calls to " + it.number + " are taken as faxes is told in the provider's dashboard alone: it has to accept incoming calls as fax."));
  else if (it.receive_mode != "fax")
    findings.push_back(wrong("receive mode", "Calls to " + it.number + " are taken as voice calls, not as faxes: run `faxline provider configure`, or choose fax in the dashboard.", kSettings));
  if (!wanted) return;
  if (it.voice_url == *wanted && (it.voice_method.empty() || it.voice_method == "POST" || it.voice_method == "GET"))
    findings.push_back(right("webhook URL", "A fax that comes in is announced at " + shown(it.voice_url) + "."));
  else
    findings.push_back(wrong("webhook URL", "A fax that comes in is announced at " + (it.voice_url.empty() ? "no address" : shown(it.voice_url)) + ", but has to be at " + shown(*wanted) + ": run `faxline provider configure`.", kSettings));
}

// Our own first webhook, signed as the provider signs it, but of no fax: it is refused with 400 when all is well, for it
// names none.
core::Result<http::Answer> knock(const config::Settings& settings, bool by_name, bool is_signed) {
  http::Options options{.ca_file = settings.practice() ? settings.provider_ca_file() : "", .user_agent = "faxline-check"};
  CORE_TRY(url, http::parse(settings.public_url()));
  if (!by_name) options.connect_to[url.host + ":" + std::to_string(url.port)] = "127.0.0.1:" + std::to_string(settings.integer("PUBLIC_PORT"));
  http::Client client(std::move(options));
  const http::Credentials credentials{settings.text("INBOUND_AUTH_USER"), settings.secret("INBOUND_AUTH_PASS")};
  http::Call call;
  call.method = "POST";
  call.url = settings.public_url() + "/fax/initialize";
  call.max_redirects = 0;
  if (!credentials.user.empty()) call.credentials = &credentials;
  const auto text = twilio::signed_text(call.url, {{"ApiVersion", "v1"}}, twilio::dialect_of(settings.dialect()).repeated);
  call.body = "ApiVersion=v1";
  if (is_signed) call.headers = {{std::string(twilio::kSignatureHeaders[settings.dialect() == "signalwire" ? 1 : 0]), twilio::signature(settings.signing_keys().front().reveal(), text)}};
  return client.send(call);
}

void check_line(const config::Settings& settings, std::vector<Finding>& findings) {
  const std::string url = settings.public_url();
  auto answer = knock(settings, true, true);
  std::string way = "by its name";
  std::string trouble;
  if (!answer) {
    trouble = answer.error().text;
    answer = knock(settings, false, true);
    way = "on this machine, not by its name from here (" + trouble + "): many routers do not lead a name back inside, so try " + url + " from outside";
  }
  if (!answer) {
    findings.push_back(wrong("public URL", url + " does not answer, by its name (" + trouble + ") or on this machine (" + answer.error().text + "): is the line running, and its certificate one that the provider trusts?", kNotReachable));
    return;
  }
  const bool ours = answer->status == 400 || answer->status == 403 || answer->status == 401;
  if (!ours) {
    findings.push_back(wrong("public URL", url + " answers with status " + std::to_string(answer->status) + ", which this line does not do there: another program listens, or a proxy leads elsewhere.", kNotReachable));
    return;
  }
  findings.push_back(right("public URL", url + " answers " + way + "."));
  if (answer->status == 401) {
    findings.push_back(wrong("signature", "The line refuses INBOUND_AUTH_USER and INBOUND_AUTH_PASS: it runs with other settings than this command reads; start it again.", kSettings));
  } else if (answer->status == 403) {
    findings.push_back(wrong("signature", "The line refuses what is signed with WEBHOOK_SIGNING_KEY for " + url + ": it runs with other settings than this command reads; start it again.", kSettings));
  } else {
    const auto unsigned_one = knock(settings, trouble.empty(), false);
    const bool open = unsigned_one && unsigned_one->status != 403;
    findings.push_back(right("signature", std::string("What is signed with ") + (settings.is_set("WEBHOOK_SIGNING_KEY") ? "WEBHOOK_SIGNING_KEY" : "TWILIO_TOKEN") + " for " + url + " is taken" + (open ? "; so is what is not signed at all, since WEBHOOK_SIGNATURE is optional." : ", and what is not signed is refused.")));
  }
}

// What the line wrote down of the provider's own messages.
core::Result<void> check_messages(const config::Settings& settings, std::vector<Finding>& findings) {
  CORE_CHECK(become_owner_of(settings.state_folder("db")));
  CORE_TRY(database, sql::Database::open(settings.database_url()));
  CORE_TRY(book, store::Faxes::open(database));
  CORE_TRY(refusals, book.refusals());
  CORE_TRY(taken, book.last_taken());
  for (const auto& refusal : refusals) {
    const auto cause = fax::find_cause(refusal.cause);
    findings.push_back(wrong("messages", std::to_string(refusal.count) + (refusal.count == 1 ? " was" : " were") + " refused, the last one on " + core::rfc3339(refusal.last) + (refusal.detail.empty() ? "" : ", " + refusal.detail) + ". " +
                                             std::string(cause.text) + " " + std::string(cause.advice), kSettings));
  }
  if (!refusals.empty()) return {};
  if (taken) findings.push_back(right("messages", "The provider's last message about a fax that comes in was taken on " + core::rfc3339(*taken) + "."));
  else findings.push_back(unknown("messages", "The provider has not told of a fax that comes in yet: have one sent."));
  return {};
}

int report(const std::vector<Finding>& findings, bool as_json) {
  int status = kRight;
  json::Writer writer;
  writer.begin_array();
  for (const auto& it : findings) {
    if (it.status != kRight && status == kRight) status = it.status;
    if (as_json) writer.begin_object().member("what", it.what).member("right", it.right).member("text", it.text).end_object();
    else print(it.what + "\t" + (!it.right ? "unknown" : *it.right ? "right" : "wrong") + "\t" + it.text);
  }
  writer.end_array();
  if (as_json) print(writer.text());
  return status;
}

// What the provider did not do, with what is to be done by hand. It is the provider that says so, whatever the reason is
// called: a number that its API does not know is none of our users or keys.
core::Error not_done(core::Error error, const std::string& sentence) {
  if (error.code != core::Code::unauthenticated && error.code != core::Code::limited && error.code != core::Code::settings) error.code = core::Code::provider_refused;
  return std::move(error).with_hint(sentence);
}

}  // namespace

core::Result<int> provider_check(const config::Settings& settings, const Words& words) {
  std::vector<Finding> findings{check_credentials(settings)};
  if (findings.front().status == kRight) check_number(settings, findings);
  check_line(settings, findings);
  if (const auto read = check_messages(settings, findings); !read) findings.push_back(unknown("messages", "What the line wrote down cannot be read: " + (read.error().hint.empty() ? read.error().text : read.error().hint)));
  return report(findings, words.json);
}

core::Result<int> provider_configure(const config::Settings& settings, const Words&) {
  auto client = provider_client(settings);
  const auto account = twilio::account_of(settings);
  CORE_TRY(url, incoming_url(settings));
  const std::string by_hand = " Set it in the provider's dashboard: a fax that comes in, by POST, " + url;
  auto number = twilio::find_number(client, account, settings.fax_number());
  if (!number) return not_done(number.error(), "The provider's API does not let its numbers be set from here: " + number.error().text + "." + by_hand);
  if (!*number) return core::Error{core::Code::settings, "number not of this account", settings.fax_number() + " is not a number of this account: check TWILIO_FAX_NUMBER against the provider's dashboard.", "TWILIO_FAX_NUMBER"};
  auto set = twilio::configure_number(client, account, (*number)->sid, url);
  if (!set) return not_done(set.error(), "The provider did not take the new address: " + set.error().text + "." + by_hand);
  if (set->voice_url != url) return core::Error{core::Code::provider_refused, "the number's URL is another than was set", "The provider took the new address, but tells another: " + shown(set->voice_url) + "." + by_hand};
  print(settings.fax_number() + "\t" + shown(url));
  say("A fax to " + settings.fax_number() + " is announced there from now on.");
  return 0;
}

}  // namespace command
