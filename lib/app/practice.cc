#include "app/practice.h"

#include <sys/mman.h>

#include <thread>

#include "http/url.h"
#include "text/percent.h"
#include "text/words.h"

namespace app {
namespace {

// A body that ends before its announced end: a file that is shorter than it should be, as nothing else is sent cut off.
core::UniqueFd cut_off(const std::string& body) {
  core::UniqueFd file(::memfd_create("answer", MFD_CLOEXEC));
  if (file.valid() && !core::write_all(file.get(), body, "an answer")) return {};
  return file;
}

}  // namespace

sandbox::Options sandbox_options(const config::Settings& settings) {
  sandbox::Options options;
  options.folder = settings.state_folder("sandbox");
  options.account_sid = settings.text("TWILIO_SID");
  options.token = settings.secret("TWILIO_TOKEN");
  options.signing_key = settings.signing_keys().front().duplicate();
  options.dialect = settings.dialect();
  options.own_number = settings.fax_number();
  options.api_url = settings.provider_url();
  options.ca_file = settings.provider_ca_file();
  const auto public_url = settings.public_url();
  std::string credentials;
  if (settings.is_set("INBOUND_AUTH_USER"))
    credentials = text::percent_encode(settings.text("INBOUND_AUTH_USER")) + ":" + text::percent_encode(settings.secret("INBOUND_AUTH_PASS").reveal()) + "@";
  const auto after_scheme = public_url.find("://") + 3;
  options.incoming_url = public_url.substr(0, after_scheme) + credentials + public_url.substr(after_scheme) + "/fax/initialize";
  // The public name need not lead back here from inside; the listener is on this machine.
  if (const auto url = http::parse(public_url)) options.connect_to[url->host + ":" + std::to_string(url->port)] = "127.0.0.1:" + std::to_string(settings.integer("PUBLIC_PORT"));
  return options;
}

web::Response answer(sandbox::Sandbox& sandbox, web::Request& request) {
  sandbox::Request asked;
  asked.method = std::string(request.method());
  asked.path = std::string(request.path());
  asked.query = std::string(request.query());
  asked.authorization = std::string(request.header("Authorization").value_or(""));
  asked.content_type = std::string(request.content_type());
  if (request.content_length() > 0) asked.read_body = [&request](std::span<std::byte> buffer) { return request.body().read_some(buffer); };
  auto answered = sandbox.handle(asked);
  std::this_thread::sleep_for(answered.delay);
  web::Response response(answered.status);
  if (answered.drop) return std::move(response.set("X-Accel-Redirect", "@drop"));  // nginx/sandbox.conf closes
  std::string type = "application/octet-stream";
  std::uint64_t length = answered.body.size();
  for (const auto& [name, value] : answered.headers) {
    if (name == "Content-Type") type = value;
    else if (name == "Content-Length") length = static_cast<std::uint64_t>(text::parse_int64(value).value_or(0));
    else response.add(name, value);
  }
  if (answered.body.size() < length && !answered.body.empty()) answered.file = cut_off(answered.body);
  if (answered.file.valid()) response.set_file({std::move(answered.file), 0, length}, type);
  else if (!answered.body.empty()) response.set_text(std::move(answered.body), type);
  if (request.method() == "HEAD") response.omit_body();
  return response;
}

}  // namespace app
