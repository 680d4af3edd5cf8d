// The program `media`: hands one document to the holder of one capability URL.
#pragma once

#include "app/inbound.h"
#include "app/line.h"
#include "store/faxes.h"
#include "web/routes.h"

namespace app {

// "Handed out" is committed before the first byte of a 200 or 206; nginx sends the bytes.
web::Routes media_routes(const Line& line, const ProviderSide& side, store::Faxes& faxes);

}  // namespace app
