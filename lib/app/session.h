// The program `session`: log-in, log-out, who am I; and nginx's question who asks.
#pragma once

#include "core/clock.h"
#include "store/people.h"
#include "web/routes.h"

namespace app {

// /auth is nginx's alone: 204 with X-Auth-User, X-Auth-Role, X-Auth-Via, or 401.
web::Routes session_routes(store::People& people, const core::Clock& clock);

}  // namespace app
