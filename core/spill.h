#pragma once

#include "core/decision.h"

namespace spillway {

// What spilled over, and from where: of the pools that stand before the chosen one in the claim
// order and are able to do the work, the first that could not do it in time, or not now. Points
// into `decision`. Null: nothing was placed, or no such pool stands before the chosen one.
const Candidate* SpilledFrom(const Decision& decision);

}  // namespace spillway
