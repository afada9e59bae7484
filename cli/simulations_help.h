#pragma once

#include <vector>

#include "cli/commands.h"

namespace spillway::cli {

// The commands about simulations that a controller runs beside its work.
std::vector<CommandSpec> SimulationsCommands();

}  // namespace spillway::cli
