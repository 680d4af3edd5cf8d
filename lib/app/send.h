// The program `send`: uploads, new faxes, cancel, resend, numbers.
#pragma once

#include "app/line.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "web/routes.h"

namespace app {

// References live as long as the routes.
web::Routes send_routes(const Line& line, store::Faxes& faxes, const spool::Spool& spool);

}  // namespace app
