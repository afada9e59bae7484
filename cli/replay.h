#pragma once

#include "cli/console.h"
#include "cli/parse.h"

namespace spillway::cli {

// `spillway simulate --replay STATE_DIR`: decides what a controller recorded once more, and runs
// what came to it again, as it was or changed. 0: all came out the same; 1: something did not.
int Replay(const Invocation& args, Console& console);

}  // namespace spillway::cli
