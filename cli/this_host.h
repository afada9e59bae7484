#pragma once

#include "core/machine.h"

namespace spillway::cli {

// The machine that we run on, with the limits that can be enforced here: tried out, not guessed.
Machine MachineHere();

}  // namespace spillway::cli
