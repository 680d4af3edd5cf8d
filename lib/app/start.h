// From the settings to what the handlers are given.
#pragma once

#include "app/inbound.h"
#include "app/line.h"
#include "config/settings.h"
#include "core/result.h"

namespace app {

Line line_of(const config::Settings& settings, const core::Clock& clock);
ProviderSide provider_side_of(const config::Settings& settings);
// Of it only who may come in: what `media` needs, which is told no key.
ProviderSide gate_of(const config::Settings& settings);

// Says in the log what is allowed and may surprise about this setting (config::warnings()).
void warn_of(const config::Settings& settings, std::string_view setting);

// Runs a program's wiring, unless a restore of the line was cut off. When it ends with an Error, its sentence goes to standard error and the log: the exit status is 78 for
// settings, 75 for what may pass, else 70 (sysexits). `turn_away`, where there is one, tells those who wait for the program.
int start(std::string_view program, const std::function<core::Result<int>(const config::Settings&)>& wiring, const std::function<void(const core::Error&)>& turn_away = {});

}  // namespace app
