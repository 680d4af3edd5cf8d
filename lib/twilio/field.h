// For this module alone: what is believed of one field from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twilio {

constexpr std::size_t kMaxFieldBytes = 512;
constexpr std::size_t kMaxUrlBytes = 4096;

// Valid UTF-8 without control characters and without white space at the ends, cut at the last character's
// edge within kMaxFieldBytes.
std::string fit(std::string_view value);

// The same for sentences, which may quote a URL of ours with a credential or a capability in it: each URL becomes
// "(address)".
std::string fit_words(std::string_view value);

// Who called, or "": withheld. Providers say so with a word ("anonymous"), or with the digits that spell one on a
// telephone's keys ("+266696687").
std::string fit_caller(std::string_view value);

// A URL must be whole: longer than kMaxUrlBytes, or with a byte that a URL cannot have: "".
std::string fit_url(std::string_view value);

// Pages: 0 to a million; nothing for anything else.
std::optional<std::int64_t> read_count(std::string_view text);

}  // namespace twilio
