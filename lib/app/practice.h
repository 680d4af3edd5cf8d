// The program `sandbox`: the practice provider behind the serve loop.
#pragma once

#include "config/settings.h"
#include "sandbox/sandbox.h"
#include "web/request.h"
#include "web/response.h"

namespace app {

sandbox::Options sandbox_options(const config::Settings& settings);
web::Response answer(sandbox::Sandbox& sandbox, web::Request& request);

}  // namespace app
