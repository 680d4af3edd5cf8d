// The program `status`: lists, one fax with its events, the line, health.
#pragma once

#include "app/health.h"
#include "app/line.h"
#include "store/faxes.h"
#include "web/routes.h"

namespace app {

web::Routes status_routes(const Line& line, store::Faxes& faxes, const Watched& watched);

}  // namespace app
