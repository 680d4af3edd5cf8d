// An installed line's settings: the file that it begins with, and what each program gets of it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace config {

// In place of a secret that is not for the program that reads the file: it counts as set, and cannot be asked for.
inline constexpr std::string_view kWithheld = "(withheld)";

// In SOCKET_DIR: the certificates that the sandbox's and our own public listener are checked against on the practice line.
inline constexpr std::string_view kPracticeAuthorities = "practice-ca.pem";

// All that run on an installed line and read settings.
std::span<const std::string_view> programs();

// The text of a settings file for one program: every setting that is set, secrets of others withheld, and those of
// `instead` with other values.
std::string text_for(const Settings& settings, std::string_view program, const std::map<std::string, std::string, std::less<>>& instead = {});

// The settings file that an installed line begins with: what has to be set first, then every other setting as a comment
// with its meaning, its default and what it may be. With it a practice line starts: `account` and `token` are made for it,
// `host` is this machine's own name.
std::string example(std::string_view account, std::string_view token, std::string_view host);

}  // namespace config
