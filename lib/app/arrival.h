// What the provider sent, for the journal: everything that helps to find out what happened, and nothing that is a secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "form/fields.h"
#include "store/rows.h"
#include "web/request.h"

namespace app {

// Of headers those that say who sent what (no Authorization, Cookie, signature); of fields all but those whose names speak
// of a password, token, key, secret or signature. Addresses lose user, password and query. Each value is at most 200 bytes,
// all together 4000.
store::Arrival arrival_of(const web::Request& request, std::string_view route, const form::Fields& fields, std::string_view sha256, std::int64_t bytes);

}  // namespace app
