#include "fax/target.h"

#include <algorithm>

#include "text/percent.h"
#include "text/words.h"

namespace fax {

namespace {

constexpr std::size_t kLongestUri = 255;

core::Error refuse(std::string text, std::string hint) { return {core::Code::invalid, "SIP URI: " + std::move(text), std::move(hint), "to"}; }

bool is_one_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
  });
}

// The host and port of a URI against one that the owner named.
bool is_at(std::string_view host_port, std::string_view named) {
  const bool any_port = named.find(':') == std::string_view::npos;
  return text::equal_ignoring_case(any_port ? host_port.substr(0, host_port.find(':')) : host_port, named);
}

// RFC 3261: the parameter maddr and the header Route name where a request really goes.
bool leads_elsewhere(std::string_view tail) {
  const auto plain = text::lower(text::percent_decode(tail, text::PlusMeans::plus).value_or("maddr="));
  return plain.find("maddr=") != std::string::npos || plain.find("route=") != std::string::npos;
}

// Whoever stands behind the @ dials what stands before it.
std::optional<core::Error> refused_as_help(std::string_view name, std::string_view region) {
  std::string digits(name);
  std::erase_if(digits, [](char c) { return c < '0' || c > '9'; });
  const bool is_a_number = std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; });
  return is_a_number ? refused_as_emergency(digits, std::string(region)) : std::nullopt;
}

core::Result<PhoneNumber> parse_sip(std::string_view typed, std::string_view region, std::span<const std::string> hosts) {
  if (hosts.empty()) return refuse("no SIP_HOSTS", "This line sends to telephone numbers only. The administrator can allow SIP addresses with the setting SIP_HOSTS.");
  const auto colon = typed.find(':');
  const auto scheme = text::lower(typed.substr(0, colon));
  const auto rest = typed.substr(colon + 1);
  const auto at = rest.find('@');
  const auto name = rest.substr(0, at);
  const std::string form = "A SIP address is written sip:name@host.";
  if (at == std::string_view::npos || typed.size() > kLongestUri || !is_one_of(name, "+-_.")) return refuse("malformed", form);
  const auto after = rest.substr(at + 1);
  const auto end = std::min(after.find_first_of(";?"), after.size());
  const auto host_port = after.substr(0, end);
  const auto tail = after.substr(end);
  if (!is_one_of(host_port, "-.:") || (!tail.empty() && !is_one_of(tail, ";?&=-_.+~%"))) return refuse("malformed", form);
  if (leads_elsewhere(tail)) return refuse("maddr or Route", "A SIP address must not lead to another host than the one behind its @.");
  if (!std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) { return is_at(host_port, host); }))
    return refuse("a host not in SIP_HOSTS", "This line does not send to " + std::string(host_port) + ". The administrator can add it to the setting SIP_HOSTS.");
  if (auto error = refused_as_help(name, region)) return std::move(*error);
  PhoneNumber target;
  target.e164 = scheme + ":" + std::string(rest);
  target.text = std::string(name) + "@" + std::string(host_port);
  return target;
}

}  // namespace

bool looks_like_sip(std::string_view typed) {
  const auto scheme = text::lower(typed.substr(0, typed.find(':')));
  return typed.find(':') != std::string_view::npos && (scheme == "sip" || scheme == "sips");
}

core::Result<PhoneNumber> parse_target(std::string_view typed, std::string_view default_region, std::span<const std::string> always_legal, std::span<const std::string> sip_hosts) {
  const auto trimmed = text::trim(typed);
  return looks_like_sip(trimmed) ? parse_sip(trimmed, default_region, sip_hosts) : parse_number(typed, default_region, always_legal);
}

}  // namespace fax
