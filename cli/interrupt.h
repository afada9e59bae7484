#pragma once

#include "absl/time/time.h"

// Ctrl-C while waiting means: stop watching. The job goes on.
namespace spillway::cli {

// From now on SIGINT is noted instead of ending the process. A second one ends it.
void CatchInterrupt();
bool Interrupted();
// Sleeps, but no longer than until an interrupt.
void Pause(absl::Duration span);

}  // namespace spillway::cli
