#include "store/certificates.h"

#include <algorithm>
#include <map>

#include "text/words.h"

namespace store {

namespace {

constexpr std::string_view kPrefix = "certificate.";
constexpr std::string_view kTold = "told.certificate.";
constexpr auto kForgotten = std::chrono::hours(30 * 24);

// "certificate.LISTENER.MACHINE", and with blanks between: serial, end, self-signed or issued, fits or not, when seen.
std::optional<ServedCertificate> read(const std::string& name, const std::string& value) {
  const auto words = text::split(value, ' ');
  const auto listener = name.substr(kPrefix.size(), name.find('.', kPrefix.size()) - kPrefix.size());
  if (words.size() != 5) return std::nullopt;
  const auto end = core::parse_rfc3339(words[1]);
  const auto seen = core::parse_rfc3339(words[4]);
  if (!end || !seen) return std::nullopt;
  return ServedCertificate{listener, std::string(words[0]), *end, words[2] == "self-signed", words[3] == "fits", *seen};
}

}  // namespace

core::Result<void> note_certificate(Faxes& faxes, const std::string& machine, const ServedCertificate& it) {
  return faxes.set_fact(std::string(kPrefix) + it.listener + "." + machine,
                        it.serial + " " + core::rfc3339(it.not_after) + (it.self_signed ? " self-signed" : " issued") + (it.fits ? " fits " : " other-name ") + core::rfc3339(it.seen));
}

core::Result<std::vector<ServedCertificate>> served_certificates(Faxes& faxes, core::Time now) {
  CORE_TRY(facts, faxes.facts(std::string(kPrefix)));
  std::map<std::string, ServedCertificate> first;
  for (const auto& [name, value] : facts) {
    const auto it = read(name, value);
    if (!it || now - it->seen > kForgotten) CORE_CHECK(faxes.forget_fact(name));
    if (!it || now - it->seen > kSeenLately) continue;
    const auto [place, is_new] = first.try_emplace(it->listener, *it);
    if (!is_new && it->not_after < place->second.not_after) place->second = *it;
  }
  std::vector<ServedCertificate> all;
  for (auto& [listener, it] : first) all.push_back(std::move(it));
  return all;
}

core::Result<void> tell_of_end(Faxes& faxes, const ServedCertificate& it, core::Time now) {
  const auto mark = std::string(kTold) + it.serial;
  CORE_TRY(told, faxes.fact(mark));
  if (!told.empty()) return {};
  return faxes.tell("certificate_ends", it.not_after <= now ? "certificate_ended" : "certificate_ends", core::rfc3339(it.not_after), now, {{mark, core::rfc3339(now)}});
}

}  // namespace store
