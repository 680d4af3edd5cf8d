// Passwords, hashed with yescrypt (crypt(5)): the form that Debian keeps in /etc/shadow. One check takes 16 MB for about
// 25 ms of a desktop's time; callers limit how many run at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"

namespace crypto {

constexpr std::size_t kMaxPasswordBytes = 511;

// "$y$…" with a new salt. invalid, field "password" and a hint, for an empty password, one of more than
// kMaxPasswordBytes, or one with a NUL; unavailable when memory is short.
core::Result<std::string> hash_password(const core::SecretString& password);

// True if the hash is of this password. False for every other password, for one that hash_password() would refuse, for
// a malformed hash or one of another kind than yescrypt (these two at once), and when memory is short.
bool check_password(const core::SecretString& password, std::string_view hash);

// False, after the time that check_password() would take: for users that do not exist, so that the answer's time does not
// tell which names do.
bool dummy_check(const core::SecretString& password);

}  // namespace crypto
