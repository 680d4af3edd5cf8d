// The program `inbox`: documents of both directions, marks, deletion.
#pragma once

#include "app/line.h"
#include "spool/spool.h"
#include "store/faxes.h"
#include "web/routes.h"

namespace app {

web::Routes inbox_routes(const Line& line, store::Faxes& faxes, const spool::Spool& spool);

}  // namespace app
