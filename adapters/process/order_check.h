#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/command_host.h"

// What a command may be given, and the environment that it gets.
namespace spillway {

// Empty: it can be tried. Otherwise why not, in words: no command, a NUL in a text, a bad or
// reserved name in its environment, a relative folder.
std::string WhyNotRunnable(const LaunchOrder& order);

// "NAME=value", sorted by name: PATH, HOME and LANG of `base`, then the job's own, then what we
// tell it (SPILLWAY_JOB, SPILLWAY_ATTEMPT, `told`, and SPILLWAY_RUN, the mark by which its
// processes are found).
std::vector<std::string> EnvironmentFor(const LaunchOrder& order,
                                        const std::map<std::string, std::string>& base,
                                        const std::string& mark);

}  // namespace spillway
